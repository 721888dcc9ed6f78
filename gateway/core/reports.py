"""Translation reports as the journal keeps them: what became of values, apart from where in lists.

The same format leaves out the same fields of message after message. So a report is taken apart:
its *lines* have ``*`` for every index (``/pieces/*/hs``) and repeat, its *places* are the indices
and little else. Both together say every single value again.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache

import msgspec

from translators.faults import Note
from translators.translator import FormatId


class Fate(StrEnum):
    """What became of a value that was not simply carried."""

    WITHHELD = "withheld"
    """No agreement lets the receiver see it; it was taken out before the format was written."""
    DROPPED = "dropped"
    DEFAULTED = "defaulted"
    MAPPED = "mapped"
    CONTRADICTS = "contradicts"


class Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, order=True):
    """One thing that a translation did, to one value or to many of the same path.

    ``path`` is a canonical pointer and ``source_path`` a place in the wire document, both with
    ``*`` for indices in a report's lines, and with the indices in single values.
    """

    kind: Fate
    path: str = ""
    source_path: str = ""
    detail: str = ""


class Counts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How many values met which fate."""

    withheld: int = 0
    not_carried: int = 0
    defaulted: int = 0
    mapped: int = 0
    contradicting: int = 0

    def __bool__(self) -> bool:
        """True when there is anything to tell."""
        return any(getattr(self, name) for name in self.__struct_fields__)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one translation of one message did not simply carry.

    ``format`` and ``kind`` are empty where they are not known any more. ``lines`` are sorted and
    distinct. ``places`` has for each line, in its order and divided by ``;``, the values that it
    stands for, divided by ``,``; each is its indices divided by ``.``, and nothing for a line
    without an index. What is empty at the end is left out. ``more``: values that were not kept.
    """

    format: FormatId
    kind: str
    lines: tuple[Line, ...] = ()
    places: str = ""
    more: int = 0

    @property
    def digest(self) -> bytes:
        """SHA-256 of all but the places: equal for the reports that differ in indices alone."""
        content = (self.format, self.kind, self.lines)
        return hashlib.sha256(msgspec.json.encode(content)).digest()

    def values(self) -> Iterator[Line]:
        """Every single value, with its indices, in the order of the lines."""
        for line, places in zip(self.lines, self._places(), strict=True):
            for place in places:
                indices = iter(place.split("."))
                yield Line(
                    kind=line.kind,
                    path=_filled(line.path, indices),
                    source_path=_filled(line.source_path, indices),
                    detail=line.detail,
                )

    def counts(self) -> Counts:
        """How many values met which fate; those that were not kept count as not carried."""
        found: Counter[Fate] = Counter()
        for line, places in zip(self.lines, self._places(), strict=True):
            found[line.kind] += len(places)
        return Counts(
            withheld=found[Fate.WITHHELD],
            not_carried=found[Fate.DROPPED] + self.more,
            defaulted=found[Fate.DEFAULTED],
            mapped=found[Fate.MAPPED],
            contradicting=found[Fate.CONTRADICTS],
        )

    def _places(self) -> Iterator[list[str]]:
        groups = self.places.split(";") if self.places else []
        for at in range(len(self.lines)):
            yield groups[at].split(",") if at < len(groups) else [""]


_INDEX = re.compile(r"(?<=/)(?:[0-9]+|\*)(?=/|$)|(?<=\[)[0-9]+(?=\])")
"""A step of a pointer that is an index (or looks like one), or an index of an XML path."""


def report_of(
    notes: Iterable[Note],
    *,
    format_id: FormatId,
    kind: str,
    withheld: Iterable[str] = (),
    most: int = 10_000,
) -> Report:
    """The report of one message: ``withheld`` are canonical pointers; ``most`` bounds its values.

    A value that is told twice in the same words counts once.
    """
    found: dict[tuple[str, str, str, str], dict[str, None]] = {}
    kept = more = 0
    for fate, path, source_path, detail in _told(notes, withheld):
        if kept >= most:
            more += 1
            continue
        path, place = _apart(path)
        if source_path:
            source_path, further = _apart(source_path)
            place = f"{place}.{further}" if place and further else place or further
        places = found.setdefault((fate, path, source_path, detail), {})
        kept += place not in places
        places[place] = None
    keys = sorted(found)
    return Report(
        format=format_id,
        kind=kind,
        lines=tuple(
            Line(kind=Fate(fate), path=path, source_path=source_path, detail=detail)
            for fate, path, source_path, detail in keys
        ),
        places=";".join([",".join(found[key]) for key in keys]).rstrip(";"),
        more=more,
    )


def _told(notes: Iterable[Note], withheld: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    for pointer in withheld:
        yield Fate.WITHHELD.value, pointer, "", ""
    for note in notes:
        yield note.kind.value, note.path, note.source_path or "", note.detail


@lru_cache(maxsize=4096)
def _apart(path: str) -> tuple[str, str]:
    """A path with ``*`` for its indices, and these."""
    indices = _INDEX.findall(path)
    return (_INDEX.sub("*", path), ".".join(indices)) if indices else (path, "")


_STAR = re.compile(r"(?<=/)\*(?=/|$)|(?<=\[)\*(?=\])")


def _filled(path: str, indices: Iterator[str]) -> str:
    return _STAR.sub(lambda _: next(indices), path)


class Loss(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How often a line was told of messages of one kind, in one format, with one other side.

    ``peer`` is a destination, or for what was received its sender; ``messages`` are those of which
    the line was told, at least once each, ``of`` those that were translated at all.
    """

    direction: str
    peer: str
    format: FormatId
    kind: str
    line: Line
    messages: int
    of: int


RECEIVED, DELIVERED = "received", "delivered"


def tally(
    direction: str,
    counted: Iterable[tuple[str, Report, int]],
    totals: Mapping[tuple[str, FormatId], int] | None = None,
) -> tuple[Loss, ...]:
    """Losses by other side, format, kind and line, the most frequent first within each.

    ``counted`` are reports with the number of messages that have them, at the same other side;
    ``totals`` says of how many messages of a format altogether, where reports alone do not.
    """
    of: Counter[tuple[str, FormatId, str]] = Counter()
    told: Counter[tuple[str, FormatId, str, Line]] = Counter()
    for peer, report, messages in counted:
        of[peer, report.format, report.kind] += messages
        for line in report.lines:
            told[peer, report.format, report.kind, line] += messages
    losses = [
        Loss(
            direction=direction,
            peer=peer,
            format=format_id,
            kind=kind,
            line=line,
            messages=messages,
            of=of[peer, format_id, kind] if totals is None else totals[peer, format_id],
        )
        for (peer, format_id, kind, line), messages in told.items()
    ]
    return tuple(
        sorted(losses, key=lambda one: (one.peer, one.format, one.kind, -one.messages, one.line))
    )
