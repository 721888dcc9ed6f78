"""One layout file, or one file of codes, as text: TOML to lines that know where they stand."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from translators.layout.grammar import NAME
from translators.layout.mistakes import Line, Mistakes
from translators.layout.positions import multi_line_strings, positions

HEADER: Mapping[str, type | tuple[type, ...]] = {
    "layout": str,
    "title": str,
    "standing": str,
    "carries": (str, list, dict),
    "syntax": str,
    "unknown": str,
    "root": str,
    "extends": str,
    "numbers": str,
    "media-types": list,
    "pointers": list,
    "detached-signature": str,
    "detached-content": str,
}


_RESERVED = ("xml", "xmlns")
"""Prefixes that Namespaces in XML, 3, keeps to itself."""


@dataclass(frozen=True)
class CodeSource:
    """A code table as it was written: wire spelling to ours."""

    line: Line
    codes: Mapping[str, str]
    read_only: tuple[str, ...] = ()
    lines: Mapping[str, Line] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """Rows of a choice by several values: canonical name to the wire values that mean it."""

    line: Line
    rows: Mapping[str, Mapping[str, str]]
    lines: Mapping[str, Line]


@dataclass(frozen=True)
class When:
    """What must hold with us for a form of message: canonical path to value or presence."""

    line: Line
    values: Mapping[str, str | bool]
    lines: Mapping[str, Line]


@dataclass
class File:
    """What one file says, before any merging."""

    header: dict[str, Any] = field(default_factory=dict)
    header_lines: dict[str, Line] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[Line]] = field(default_factory=dict)
    codes: dict[str, CodeSource] = field(default_factory=dict)
    choices: dict[tuple[str, str], Choice] = field(default_factory=dict)
    roots: list[Line] = field(default_factory=list)
    when: dict[str, When] = field(default_factory=dict)
    unsaid: dict[str, When] = field(default_factory=dict)


def parse(text: str, file: str, mistakes: Mistakes) -> File:
    """Parse one layout file."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        number = _error_line(str(error))
        mistakes.add(Line("", "", "", file, number), f"not TOML: {error}")
        return File()
    for number in multi_line_strings(text):
        mistakes.add(Line("", "", "", file, number), "multi-line strings are not allowed")
    return _Parser(text, file, mistakes).parse(data)


class _Parser:
    """Takes the tables of one file apart."""

    def __init__(self, text: str, file: str, mistakes: Mistakes) -> None:
        self._where = positions(text)
        self._file = file
        self._mistakes = mistakes
        self._found = File()

    def parse(self, data: dict[str, Any]) -> File:
        for name, value in data.items():
            if name in HEADER:
                self._header(name, value)
            elif not isinstance(value, dict):
                self._mistakes.add(self._line(value, name), "unknown header key")
            elif name == "namespaces":
                self._namespaces(value)
            elif name == "codes":
                for table, rows in value.items():
                    self._found.codes[table] = _codes(table, rows, self._line, self._mistakes)
            elif name == "choice":
                self._choices(value)
            elif name == "roots":
                self._found.roots = _lines(name, value, self._line, self._mistakes)
            elif name in ("when", "unsaid"):
                self._given(name, value)
            else:
                self._found.groups[name] = _lines(name, value, self._line, self._mistakes)
        return self._found

    def _line(self, value: object, *names: str) -> Line:
        number = self._where.get(names) or self._where.get(names[:-1]) or 1
        shown = value if isinstance(value, str) else ""
        return Line(".".join(names[:-1]), names[-1], shown, self._file, number)

    def _header(self, name: str, value: object) -> None:
        at = self._line(value, name)
        self._found.header_lines[name] = at
        if isinstance(value, HEADER[name]):
            self._found.header[name] = value
        else:
            self._mistakes.add(at, "has the wrong type")

    def _namespaces(self, table: dict[str, Any]) -> None:
        self._found.header_lines["namespaces"] = self._line("", "namespaces")
        for prefix, uri in table.items():
            at = self._line(uri, "namespaces", prefix)
            if not NAME.fullmatch(prefix) or prefix in _RESERVED:
                self._mistakes.add(at, "not a prefix")
            elif isinstance(uri, str) and uri:
                self._found.namespaces[prefix] = uri
            else:
                self._mistakes.add(at, "a namespace is a non-empty string")

    def _given(self, name: str, table: dict[str, Any]) -> None:
        into = self._found.when if name == "when" else self._found.unsaid
        for group, rows in table.items():
            into[group] = _when(name, group, rows, self._line, self._mistakes)

    def _choices(self, table: dict[str, Any]) -> None:
        for group, targets in table.items():
            for target, rows in _tables(targets).items():
                choice = _choice(group, target, rows, self._line, self._mistakes)
                self._found.choices[group, target] = choice


_At = Callable[..., Line]


def _lines(name: str, table: dict[str, Any], line: _At, mistakes: Mistakes) -> list[Line]:
    lines = []
    for key, value in table.items():
        at = line(value, name, key)
        if isinstance(value, str):
            lines.append(at)
        else:
            mistakes.add(at, "the right side is a string")
    return lines


def _codes(table: str, rows: Any, line: _At, mistakes: Mistakes) -> CodeSource:
    at = line("", "codes", table)
    if not isinstance(rows, dict):
        mistakes.add(at, "a code table is a TOML table")
        return CodeSource(at, {})
    codes: dict[str, str] = {}
    lines: dict[str, Line] = {}
    read_only: tuple[str, ...] = ()
    for wire, ours in rows.items():
        here = line(ours, "codes", table, wire)
        if wire == "read-only" and isinstance(ours, list):
            read_only = tuple(str(code) for code in ours)
        elif isinstance(ours, str) and ours and wire:
            codes[wire] = ours
            lines[wire] = here
        else:
            mistakes.add(here, "left the wire's spelling, right ours, both strings")
    return CodeSource(at, codes, read_only, lines)


def shared_codes(name: str, text: str, file: str, mistakes: Mistakes) -> CodeSource:
    """A table of ``codes/NAME.toml``: ``[codes]`` with, above it, ``source`` and ``date``."""
    at = Line("codes", name, "", file, 1)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        mistakes.add(at, f"not TOML: {error}")
        return CodeSource(at, {})
    for key in ("source", "date"):
        if not isinstance(data.get(key), str):
            mistakes.add(at, f"a code table states its {key}")
    where = positions(text)

    def line(value: object, *names: str) -> Line:
        number = where.get(("codes", names[-1])) or 1
        return Line("codes", names[-1], value if isinstance(value, str) else "", file, number)

    rows = dict(_tables(data).get("codes", {}))
    if "read-only" in data:
        rows["read-only"] = data["read-only"]
    return _codes(name, rows, line, mistakes)


def _choice(group: str, target: str, rows: Any, line: _At, mistakes: Mistakes) -> Choice:
    found: dict[str, dict[str, str]] = {}
    lines: dict[str, Line] = {}
    for name, values in _tables(rows, keep=True).items():
        here = line("", "choice", group, target, name)
        if (
            isinstance(values, dict)
            and values
            and all(isinstance(value, str) for value in values.values())
        ):
            found[name] = dict(values)
            lines[name] = here
        else:
            mistakes.add(here, "a row is { KEY = 'value', … }")
    return Choice(line("", "choice", group, target), found, lines)


def _when(table: str, group: str, rows: Any, line: _At, mistakes: Mistakes) -> When:
    at = line("", table, group)
    found: dict[str, str | bool] = {}
    lines: dict[str, Line] = {}
    for path, value in rows.items() if isinstance(rows, dict) else ():
        here = line(value, table, group, path)
        if isinstance(value, bool) or (isinstance(value, str) and value):
            found[path] = value
            lines[path] = here
        else:
            mistakes.add(here, "our value as a string, or true or false: whether there is one")
    if not found:
        mistakes.add(at, "is a table of canonical paths with their values")
    return When(at, found, lines)


def _tables(value: Any, *, keep: bool = False) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {name: rows for name, rows in value.items() if keep or isinstance(rows, dict)}


def _error_line(message: str) -> int:
    number = message.partition("at line ")[2].partition(",")[0]
    return int(number) if number.isdigit() else 1
