"""Translation reports out of an operator's journal: of a message as it came, and of each delivery.

Which codes reading has mapped is not kept: it is found by reading the kept bytes once more.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.cli.journals import message_of
from gateway.config import Config
from gateway.config.assemble import formats_of
from gateway.core.records import Attempt, Outcome, State, Stored, TraceEntry
from gateway.core.reports import Counts, Fate, Line, Report, report_of
from gateway.store.reader import Reader
from translators.registry import Registry
from translators.translator import Entry, FormatId

_outcomes = msgspec.json.Decoder(tuple[Outcome, ...])


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One translation of one message. ``more``: values that were not kept."""

    format: str
    counts: Counts
    notes: tuple[Line, ...]
    more: int = 0


class Delivered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of delivery; ``translation`` is missing when nothing was encoded for it, or
    no report was kept then."""

    destination: str
    n: int
    result: str
    at: datetime
    translation: Told | None = None


class Reported(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message: what reading it did not simply carry, and what each delivery did not."""

    status: str
    interchange_id: str
    ordinal: int
    reading: Told
    gateway: str = ""
    message_id: str = ""
    party: str = ""
    kind: str = ""
    key: str = ""
    deliveries: tuple[Delivered, ...] = ()


def told(report: Report) -> Told:
    """A report for people and programs."""
    return Told(
        format=report.format,
        counts=report.counts(),
        notes=tuple(report.values()),
        more=report.more,
    )


class Reporter:
    """Finds the reports of one gateway."""

    def __init__(self, config: Config, reader: Reader) -> None:
        self._gateway = config.gateway.id
        self._number = config.gateway.number
        self._reader = reader
        self._formats: Registry = formats_of(config)

    def find(self, value: str, *, limit: int) -> Iterator[Reported]:
        """Of a message id that one message; of anything else all that is about it."""
        message = message_of(self._reader, value, number=self._number)
        subject = value if message is None else message.key.value
        entries = self._reader.trace(subject, limit=limit)
        if message is not None:
            place = (message.record, message.ordinal)
            entries = tuple(e for e in entries if (e.message.record, e.message.ordinal) == place)
        for entry in entries:
            yield self._accepted(entry)
        if message is None:
            yield from self._refused(value, entries, limit)

    def _accepted(self, entry: TraceEntry) -> Reported:
        message = entry.message
        return Reported(
            status=State.ACCEPTED,
            gateway=self._gateway,
            party=message.party,
            message_id=message.message_id,
            interchange_id=message.interchange_id,
            ordinal=message.ordinal,
            kind=message.kind,
            key=message.key.value,
            reading=self._reading(message.record, message.ordinal, entry.format),
            deliveries=tuple(map(_delivered, entry.attempts)),
        )

    def _refused(
        self, value: str, entries: tuple[TraceEntry, ...], limit: int
    ) -> Iterator[Reported]:
        accepted = {(e.message.party, e.message.interchange_id) for e in entries}
        found = [self._reader.find(party, named) for party, named in sorted(accepted)]
        found += self._reader.refusals(value, limit=limit)
        for stored in found:
            if stored is None:
                continue
            for outcome in _outcomes.decode(stored.outcomes):
                concerned = value in (stored.interchange_id, outcome.key)
                if outcome.status is State.REFUSED and outcome.ordinal and concerned:
                    yield self._declined(stored, outcome)

    def _declined(self, stored: Stored, outcome: Outcome) -> Reported:
        return Reported(
            status=State.REFUSED,
            gateway=self._gateway,
            party=stored.party,
            interchange_id=stored.interchange_id,
            ordinal=outcome.ordinal,
            kind=outcome.kind or "",
            key=outcome.key or "",
            reading=self._reading(stored.record, outcome.ordinal, stored.format),
        )

    def _reading(self, record: int, ordinal: int, format_id: FormatId) -> Told:
        """What was kept, and the codes that were mapped as the format reads them now."""
        kept = self._reader.report(record, ordinal)
        known = () if kept is None else tuple(kept.values())
        again = self._read_again(record, ordinal, format_id)
        known_places = {(line.kind, line.path, line.source_path) for line in known}
        more = tuple(
            line
            for line in again
            if line.kind in (Fate.MAPPED, Fate.DEFAULTED)
            and (line.kind, line.path, line.source_path) not in known_places
        )
        counts = Counts() if kept is None else kept.counts()
        return Told(
            format=format_id,
            counts=msgspec.structs.replace(
                counts,
                mapped=counts.mapped + sum(line.kind is Fate.MAPPED for line in more),
                defaulted=counts.defaulted + sum(line.kind is Fate.DEFAULTED for line in more),
            ),
            notes=(*known, *more),
            more=0 if kept is None else kept.more,
        )

    def _read_again(self, record: int, ordinal: int, format_id: FormatId) -> tuple[Line, ...]:
        translator = self._formats.find(format_id)
        if translator is None or self._reader.raw(record, 0) is None:
            return ()  # the format is not configured any more, or the bytes are not kept
        source = io.BufferedReader(_Slices(self._reader, record))
        for reading in translator.read(source, explain=True):
            if isinstance(reading, Entry) and reading.ordinal == ordinal:
                report = report_of(reading.notes, format_id=format_id, kind="")
                return tuple(report.values())
        return ()


def _delivered(attempt: Attempt) -> Delivered:
    return Delivered(
        destination=attempt.destination,
        n=attempt.n,
        result=attempt.result,
        at=attempt.at,
        translation=None if attempt.report is None else told(attempt.report),
    )


class _Slices(io.RawIOBase):
    """The received bytes as a file, slice by slice."""

    def __init__(self, reader: Reader, record: int) -> None:
        self._reader = reader
        self._record = record
        self._at = 0
        self._rest = b""

    def readable(self) -> bool:
        """It can be read, once and in order."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # io's own says Buffer
        """The next bytes; 0 at the end."""
        while not self._rest:
            piece = self._reader.raw(self._record, self._at)
            if piece is None:
                return 0
            self._at, self._rest = self._at + 1, piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
