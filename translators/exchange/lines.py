"""``luxor.json.1`` line by line (NDJSON): a header line if there is one, then a message a line.

Never more than a line is held. What is wrong in a line refuses that line: the next one begins after
its line feed. Only a wrong header refuses all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from translators import json
from translators.exchange.document import header_of
from translators.exchange.entries import read_entry
from translators.faults import Fault, TranslationError
from translators.translator import Entry, Reading

MAX_LINE: Final = 16 << 20
"""Bytes of one line: a message with its attachments."""

Line = tuple[int, bytes]
"""Number, from 1, and content; blank lines are left out."""


class _HeaderLine(msgspec.Struct, forbid_unknown_fields=True):
    interchange: msgspec.Raw


_HEADER_LINE: Final = msgspec.json.Decoder(_HeaderLine)


def lines_of(source: BinaryIO) -> Iterator[Line]:
    """The lines that are not blank; of one that is too long a piece longer than the bound."""
    number = 0
    while line := source.readline(MAX_LINE + 1):
        number += 1
        if line.isspace():
            continue
        yield number, line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = source.readline(MAX_LINE + 1)


def are_lines(first: bytes, second: bytes) -> bool:
    """Whether two lines can only be two values, never parts of one document.

    After a line that ends with a whole value, a document goes on with one of ``, : ] }``.
    """
    start, end = first.strip(b" \t\r\n"), second.strip(b" \t\r\n")
    return start[:1] == b"{" and start[-1:] not in b"{[:," and end[:1] not in b",:]}"


def read_lines(lines: Iterable[Line]) -> Iterator[Reading]:
    """Read header and messages from the lines of one interchange."""
    ordinal = 0
    for position, (number, line) in enumerate(lines):
        if position == 0 and (fault := json.encoding_fault(line[:4])) is not None:
            yield fault
            return
        if position == 0 and _is_header(line):
            try:
                yield _read_header(line)
            except TranslationError as error:
                yield from _at_line(error.faults, number)
                return
            continue
        ordinal += 1
        yield _read_line(line, ordinal=ordinal, number=number)


def _is_header(line: bytes) -> bool:
    try:
        _HEADER_LINE.decode(line)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    return True


def _read_header(line: bytes) -> Reading:
    parsed = json.parse(line)
    faults = [
        Fault(code="json.duplicate-key", path=path, detail="given twice")
        for path in parsed.repeated
    ]
    return header_of(parsed.value["interchange"], faults)


def _read_line(line: bytes, *, ordinal: int, number: int) -> Entry:
    if len(line) > MAX_LINE:
        fault = Fault(
            code="message.too-large", detail=f"at most {MAX_LINE} bytes a line", line=number
        )
        return Entry(ordinal=ordinal, message=None, faults=(fault,))
    try:
        return read_entry(line, ordinal=ordinal, line=number)
    except TranslationError as error:
        faults = tuple(_at_line(error.faults, number))
        return Entry(ordinal=ordinal, message=None, faults=faults)


def _at_line(faults: Iterable[Fault], number: int) -> Iterator[Fault]:
    return (msgspec.structs.replace(fault, line=number) for fault in faults)
