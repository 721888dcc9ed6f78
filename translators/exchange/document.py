"""``luxor.json.1`` as one document: an interchange, a list of messages, or a single message.

A small document in which nothing is wrong is read in one step. Any other is held once and its
messages are converted some hundred at a time as they are asked for; what is around the messages
is checked first, since a defect there refuses the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from translators import gate, json
from translators.canonical import Header
from translators.defects import at_most
from translators.exchange.entries import AT_ONCE, read_entries, read_entry, sound_entries
from translators.exchange.sound import document_of, header_is_whole
from translators.faults import Fault, TranslationError
from translators.pointer import child
from translators.translator import Reading


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    """What stands around the messages; each message stays bytes."""

    interchange: Raw | UnsetType = UNSET
    messages: list[Raw] | UnsetType = UNSET


_OUTER: Final = msgspec.json.Decoder(Outer)
_LIST: Final = msgspec.json.Decoder(list[Raw])
_NAMES: Final = msgspec.json.Decoder(dict[str, Raw])
_HEADER: Final = msgspec.json.Decoder(Header)
_BETWEEN: Final = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_FIRST: Final = re.compile(rb"[ \t\r\n]*(.)", re.DOTALL)
_NOT_JSON: Final = (msgspec.DecodeError, RecursionError)


def read_document(content: bytes) -> Iterator[Reading]:
    """Read a whole document of any of the three forms."""
    document = document_of(content) if len(content) <= AT_ONCE else None
    if document is not None:
        yield document.interchange if document.interchange is not UNSET else Header()
        if document.messages is not UNSET:
            yield from sound_entries(document.messages, "/messages")
        return
    fault = json.encoding_fault(content)
    if fault is not None:
        yield fault
        return
    found = _FIRST.match(content)
    try:
        if found is None or found[1] not in b"{[":
            json.parse(content)
            yield Fault(code="json.unexpected", detail="an object or a list is expected")
        elif found[1] == b"[":
            yield from read_entries(_LIST.decode(content), "")
        else:
            yield from _read_object(content)
    except TranslationError as error:
        yield from error.faults
    except _NOT_JSON as error:
        yield json.malformed(content, error)


def _read_object(content: bytes) -> Iterator[Reading]:
    try:
        outer = _OUTER.decode(content)
    except msgspec.ValidationError:
        yield from _read_single(content)
        return
    if outer.messages is UNSET and outer.interchange is UNSET:
        yield from _read_single(content)
        return
    messages = () if outer.messages is UNSET else outer.messages
    yield _read_header(outer, _without_messages(content, messages))
    yield from read_entries(messages, "/messages")


def _read_single(content: bytes) -> Iterator[Reading]:
    """A bare message, unless its names say that an interchange was meant."""
    entry = read_entry(content, ordinal=1)
    names = _NAMES.decode(content) if entry.message is None else {}
    if names.keys().isdisjoint(Outer.__struct_fields__):
        yield entry
        return
    yield from at_most(
        Fault(code="field.unknown", path=child("", name), detail="no such field")
        for name in names
        if name not in Outer.__struct_fields__
    )
    if "messages" in names and not bytes(names["messages"]).startswith(b"["):
        yield Fault(code="value.type", path="/messages", detail="a list is expected")


def _without_messages(content: bytes, messages: Sequence[Raw]) -> bytes:
    """The document with a zero for every message: what is left to check around them."""
    parts = []
    position = 0
    for message in messages:
        piece = bytes(message)
        found = _BETWEEN.match(content, position)
        start = found.end() if found is not None else content.index(piece)
        parts.append(content[position:start])
        position = start + len(piece)
    return b"0".join([*parts, content[position:]])


def _read_header(outer: Outer, around: bytes) -> Header:
    """The header; raises :class:`TranslationError` with every fault around the messages."""
    names = sum(1 for given in (outer.interchange, outer.messages) if given is not UNSET)
    header: Header | None = Header()
    if outer.interchange is not UNSET:
        try:
            header = _HEADER.decode(outer.interchange)
        except msgspec.ValidationError:
            header = None
    members = json.members(around) - names
    if header is not None and header_is_whole(header, members=members):
        return header
    parsed = json.parse(around)
    faults = [
        Fault(code="json.duplicate-key", path=path, detail="given twice")
        for path in parsed.repeated
    ]
    return header_of(parsed.value.get("interchange", {}), faults)


def header_of(raw: object, faults: Sequence[Fault] = ()) -> Header:
    """The header from its raw object; raises :class:`TranslationError` with every fault."""
    if not isinstance(raw, dict):
        fault = Fault(code="value.type", path="/interchange", detail="an object is expected")
        raise TranslationError(at_most([*faults, fault]))
    header, found = gate.convert_header(raw, locate=_in_header, strict=True)
    if header is None or faults:
        raise TranslationError(at_most([*faults, *found]))
    return header


def _in_header(path: str) -> tuple[str, None]:
    return f"/interchange{path}", None
