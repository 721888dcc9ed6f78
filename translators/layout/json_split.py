"""A document of JSON taken apart: the messages as bytes, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from translators import json
from translators.faults import Fault, TranslationError
from translators.layout.json_nodes import Lines, starts
from translators.layout.plan import Plan
from translators.pointer import child

_LIST: Final = msgspec.json.Decoder(list[Raw])
_NAMES: Final = msgspec.json.Decoder(dict[str, Raw])
MAX_AROUND: Final = 200_000
"""Values around the messages, which are held and looked at all at once."""


@dataclass(frozen=True)
class Piece:
    """One message as it stands in the document, and the line on which it begins."""

    content: bytes
    line: int


@dataclass(frozen=True)
class Split:
    """``around`` is the document without its messages, ``repeated`` the names that stand there
    twice. ``wrong`` is the pointer of what should be the messages and has another form."""

    around: Any
    pieces: Iterator[Piece]
    repeated: tuple[str, ...]
    lines: Lines
    wrong: str | None = None


def split(content: bytes, plan: Plan) -> Split:
    """Take a document apart; raises :class:`TranslationError` for what is no JSON."""
    fault = json.encoding_fault(content)
    if fault is not None:
        raise TranslationError([fault])
    if json.is_too_deep(content):
        raise TranslationError([json.depth_fault()])
    try:
        return _taken(content, plan)
    except (msgspec.DecodeError, RecursionError) as error:
        raise TranslationError([json.malformed(content, error)]) from error


def _taken(content: bytes, plan: Plan) -> Split:
    names = tuple(element.tag for element in plan.chain)
    whole, pointer = content, ""
    for name in names:
        try:
            members = _NAMES.decode(whole)
        except msgspec.ValidationError:
            # A name on the way that is no object is told of by who reads what stands around.
            return _nothing(content, names, wrong=None if pointer else "")
        pointer = child(pointer, name)
        whole = bytes(members[name]) if name in members else b"null"
        if whole == b"null":
            return _nothing(content, names)
    pieces: Sequence[bytes | Raw] = [whole.strip()]
    if plan.array is not None or (plan.chain and plan.chain[-1].listed):
        try:
            pieces = _LIST.decode(whole)
        except msgspec.ValidationError:
            return _nothing(content, names, wrong=pointer)
    elif whole.lstrip()[:1] != b"{":
        return _nothing(content, names, wrong=pointer)
    if not names:
        return Split(None, _pieces(content, 0, pieces), (), Lines(""))
    start, around = _cut(content, whole, names)
    parsed = json.parse(around)
    _remove(parsed.value, names)
    return Split(
        parsed.value, _pieces(content, start, pieces), parsed.repeated, Lines(around.decode())
    )


def _nothing(content: bytes, names: tuple[str, ...], *, wrong: str | None = None) -> Split:
    """A document without messages, as a whole."""
    _bound(content.count(b","))
    parsed = json.parse(content)
    if wrong is None:
        _remove(parsed.value, names)
    return Split(parsed.value, iter(()), parsed.repeated, Lines(content.decode()), wrong)


def _cut(content: bytes, whole: bytes, names: tuple[str, ...]) -> tuple[int, bytes]:
    """Where the messages begin, and the document with a zero in their place."""
    _bound(content.count(b",") - whole.count(b","))
    start = content.find(whole)
    if content.find(whole, start + 1) >= 0:  # Something else is spelled like the messages.
        start = _start(content, whole, names)
    after = content[start + len(whole) :]
    return start, content[:start] + b"0" + b"\n" * whole.count(b"\n") + after


def _start(content: bytes, whole: bytes, names: tuple[str, ...]) -> int:
    """Where the value at a way of names begins: of names given twice the last, as parsers do."""
    text, value = content.decode(), whole.decode()
    pointer = "".join(child("", name) for name in names)
    at = max(at for found, at in starts(text, "", passing=(pointer, value)) if found == pointer)
    return len(text[:at].encode())


def _bound(values: int) -> None:
    """Refuse a document with too much around its messages."""
    if values > MAX_AROUND:
        detail = f"more than {MAX_AROUND} values around the messages"
        raise TranslationError([Fault(code="body.too-large", detail=detail)])


def _remove(value: Any, names: tuple[str, ...]) -> None:
    """Take what stands at a way of names out of a parsed document."""
    *above, last = names
    for name in above:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value.pop(last, None)


def _pieces(content: bytes, start: int, pieces: Sequence[bytes | Raw]) -> Iterator[Piece]:
    """Each message with its line; between them stand only commas and blanks."""
    line, counted = 1, 0
    for piece in pieces:
        found = bytes(piece)
        start = content.index(found, start)
        line += content.count(b"\n", counted, start)
        counted = start
        yield Piece(found, line)
        start += len(found)
