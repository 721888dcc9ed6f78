"""A parsed JSON document as a tree of nodes that look like elements to the reference reader.

A member is a child node under its name; an array is a node for each entry, all of one name. What
is no object or array is the node's text, spelled as JSON spells it. Source paths are pointers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any

import msgspec

from translators.pointer import child

_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Lines:
    """On which line each value of a piece of JSON begins; found out when first asked.

    ``first`` is the line of the document on which the piece begins, ``where`` its pointer.
    """

    def __init__(self, text: str, *, first: int = 1, where: str = "") -> None:
        self._text = text
        self._first = first
        self._where = where

    def find(self, pointer: str) -> int | None:
        """Line of the value at a pointer of the document."""
        return self._found.get(pointer)

    @cached_property
    def _found(self) -> Mapping[str, int]:
        breaks = [match.start() for match in re.finditer("\n", self._text)]
        return {
            pointer: self._first + bisect_right(breaks, at)
            for pointer, at in starts(self._text, self._where)
        }


@dataclass(slots=True)
class _Open:
    """An object or array that is being scanned. ``entry`` counts in an array."""

    pointer: str
    entry: int | None
    name: str | None = None

    def below(self) -> str:
        """Pointer of the value that begins."""
        return child(self.pointer, self.name or "" if self.entry is None else self.entry)


def starts(
    text: str, where: str, *, passing: tuple[str, str] | None = None
) -> Iterator[tuple[str, int]]:
    """Pointer and offset of every value of well-formed JSON.

    ``passing`` is a pointer and a text: the value there is not looked into where it is that text.
    """
    stack: list[_Open] = []
    at = 0
    while match := _TOKEN.search(text, at):
        mark, at = match[0], match.end()
        top = stack[-1] if stack else None
        if mark in "}]":
            stack.pop()
        elif mark == ",":
            assert top is not None
            top.name = None
            top.entry = None if top.entry is None else top.entry + 1
        elif top is not None and top.entry is None and top.name is None:
            top.name = _unescaped(mark)
        elif mark != ":":
            pointer = where if top is None else top.below()
            yield pointer, match.start()
            if passing and pointer == passing[0] and text.startswith(passing[1], match.start()):
                at = match.start() + len(passing[1])
            elif mark in "{[":
                stack.append(_Open(pointer, 0 if mark == "[" else None))


def _unescaped(text: str) -> str:
    return str(msgspec.json.decode(text)) if "\\" in text else text[1:-1]


class JsonNode:
    """One value of a document. ``listed``: it is an entry of an array."""

    __slots__ = ("lines", "listed", "pointer", "tag", "value")

    tail = None
    attrib = _NO_ATTRIBUTES

    def __init__(
        self, tag: str, value: Any, pointer: str, lines: Lines | None, *, listed: bool = False
    ) -> None:
        self.tag = tag
        self.value = value
        self.pointer = pointer
        self.listed = listed
        self.lines = lines

    def __iter__(self) -> Iterator[JsonNode]:
        """The members, and of arrays their entries; an empty array is one node with no entry."""
        if not isinstance(self.value, dict):
            return
        for name, value in self.value.items():
            pointer = child(self.pointer, name)
            if isinstance(value, list) and value:
                for at, entry in enumerate(value):
                    yield JsonNode(name, entry, child(pointer, at), self.lines, listed=True)
            else:
                yield JsonNode(name, value, pointer, self.lines)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, name: str) -> None:
        """There are no attributes."""

    def find(self, name: str) -> JsonNode | None:
        """The first child node of that name."""
        return next((one for one in self if one.tag == name), None)

    @property
    def text(self) -> str | None:
        """The value as JSON spells it, ``None`` for objects, arrays and null."""
        return spelled(self.value)

    @property
    def sourceline(self) -> int | None:
        """The line on which the value begins."""
        return None if self.lines is None else self.lines.find(self.pointer)


def spelled(value: Any) -> str | None:
    """The text of a scalar."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):  # a number with an exponent, which no type takes
        return f"{value:e}"
    return None


def scalars(value: Any, pointer: str) -> Iterator[str]:
    """Pointer of every value that says something."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from scalars(below, child(pointer, name))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from scalars(below, child(pointer, at))
    elif value is not None and not (isinstance(value, str) and not value.strip()):
        yield pointer
