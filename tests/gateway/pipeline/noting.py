"""A format that says of its translations what a test wants it to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from translators.canonical import Header, Message
from translators.exchange.json_exchange import JsonExchange
from translators.faults import Note
from translators.translator import Entry, FormatId, Reading, Report

NOTING = FormatId("noting.test.1")


class Noting:
    """The exchange format in JSON, with notes: ``read`` of each message, ``written`` of each."""

    def __init__(self) -> None:
        self._inner = JsonExchange()
        self.noted_on_reading: tuple[Note, ...] = ()
        self.noted_when_asked: tuple[Note, ...] = ()
        self.noted_on_writing: tuple[Note, ...] = ()

    id = NOTING
    title = "noting"
    standing = "made up"
    media_types = ("application/x-noting",)

    @property
    def kinds(self) -> frozenset[str]:
        return self._inner.kinds

    @property
    def drops(self) -> dict[str, frozenset[str]]:
        return {}

    def read(self, source: BinaryIO, *, explain: bool = False) -> Iterator[Reading]:
        notes = self.noted_on_reading + (self.noted_when_asked if explain else ())
        for reading in self._inner.read(source):
            if isinstance(reading, Entry):
                reading = msgspec.structs.replace(reading, notes=notes)
            yield reading

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        for note in self.noted_on_writing if report is not None else ():
            report(note)  # type: ignore[misc] # it is there whenever the loop has a turn
        yield from self._inner.write(header, messages)
