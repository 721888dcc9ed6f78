"""Messages of ``luxor.json.1``: bytes to entries, in one step when nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from msgspec import Raw

from translators import gate, json, keys
from translators.canonical import KINDS, Message
from translators.defects import Locate, at_most
from translators.exchange.sound import message_of, messages_of
from translators.faults import Fault
from translators.translator import Entry

AT_ONCE: Final = 256 << 10
"""Bytes of JSON that are decoded in one step, which takes a millisecond or two; what is decoded
takes some times as much memory."""
MAX_VALUES: Final = 200_000
"""Of one message that needs explaining, which takes some microseconds for each."""


def read_entry(content: bytes, *, ordinal: int, where: str = "", line: int | None = None) -> Entry:
    """The message in ``content``, or what is wrong with it.

    ``where`` is the pointer of the message in its document, ``line`` its line; faults tell them.
    Raises :class:`TranslationError` when it is not JSON at all: what that means for the messages
    around it depends on the document.
    """

    def locate(path: str) -> tuple[str, int | None]:
        return where + path, line

    message = message_of(content)
    if message is not None:
        key = keys.key_of_message(message)
        return Entry(ordinal=ordinal, message=message, key=key, locate=locate)
    return _read_closely(content, ordinal, locate)


def read_entries(pieces: Sequence[Raw], where: str) -> Iterator[Entry]:
    """The messages of a list, each in a piece of its own; ``where`` is the list's pointer.

    Some hundred are read at once, and one by one only where one of them needs explaining.
    """
    for start, together in _batches(pieces):
        messages = messages_of(b"[" + b",".join(together) + b"]")
        if messages is not None:
            yield from sound_entries(messages, where, start=start)
            continue
        for ordinal, piece in enumerate(together, start=start):
            yield read_entry(bytes(piece), ordinal=ordinal, where=f"{where}/{ordinal - 1}")


def sound_entries(messages: Sequence[Message], where: str, *, start: int = 1) -> Iterator[Entry]:
    """Messages of a list in which nothing is wrong, the first of them numbered ``start``."""
    for ordinal, message in enumerate(messages, start=start):
        key = keys.key_of_message(message)
        locate = partial(_located, f"{where}/{ordinal - 1}")
        yield Entry(ordinal=ordinal, message=message, key=key, locate=locate)


def _located(where: str, path: str) -> tuple[str, None]:
    return where + path, None


def _batches(pieces: Sequence[Raw]) -> Iterator[tuple[int, Sequence[Raw]]]:
    """Neighbours of at most :data:`AT_ONCE` bytes together, with the ordinal of the first."""
    start, size = 0, 0
    for at, piece in enumerate(pieces):
        length = len(memoryview(piece))
        if size + length > AT_ONCE and at > start:
            yield start + 1, pieces[start:at]
            start, size = at, 0
        size += length
    if start < len(pieces):
        yield start + 1, pieces[start:]


def _read_closely(content: bytes, ordinal: int, locate: Locate) -> Entry:
    if content.count(b",") > MAX_VALUES:
        detail = f"one message with more than {MAX_VALUES} values"
        return Entry(
            ordinal=ordinal,
            message=None,
            faults=(_fault("message.too-large", "", detail, locate),),
        )
    parsed = json.parse(content)
    raw = parsed.value
    faults = [_fault("json.duplicate-key", path, "given twice", locate) for path in parsed.repeated]
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict):
        faults.append(_fault("value.type", "", "a message is an object", locate))
    elif kind is None:
        faults.append(_fault("value.missing", "/type", "the kind of message", locate))
    elif not isinstance(kind, str) or kind not in KINDS:
        faults.append(_fault("kind.unknown", "/type", "no such kind of message", locate))
    else:
        message, found = gate.convert(raw, kind, locate=locate, strict=True)
        faults += found
        key = keys.key_of(raw, kind)
        return Entry(
            ordinal=ordinal,
            message=None if faults else message,
            faults=at_most(faults),
            key=key,
            draft=raw if faults else None,
            locate=locate,
        )
    return Entry(ordinal=ordinal, message=None, faults=at_most(faults), locate=locate)


def _fault(code: str, path: str, detail: str, locate: Locate) -> Fault:
    source_path, line = locate(path)
    return Fault(code=code, path=path, detail=detail, source_path=source_path, line=line)
