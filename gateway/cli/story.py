"""A history as values: who said what, to whom it went, and what was answered to it.

It may come from an operator's journals, several of them, or from a party's own view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from gateway.core.records import Outcome
from gateway.core.reports import Counts
from translators.faults import Fault


class Try(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of delivery. ``withheld``: paths that an agreement keeps from the receiver."""

    n: int
    result: str
    at: datetime | None = None
    code: str = ""
    detail: str = ""
    withheld: tuple[str, ...] = ()
    counts: Counts = Counts()
    """What was not simply carried; ``luxor report`` names it."""
    receipt: bool = False
    """The receiver has signed for it."""


def counts_of(outcome: Outcome) -> Counts:
    """What its sender is told of a message in numbers."""
    return Counts(
        not_carried=outcome.not_carried,
        defaulted=outcome.defaulted,
        contradicting=outcome.contradicting,
    )


def in_words(counts: Counts) -> str:
    """Such as "3 not carried, 1 defaulted"; nothing when everything was simply carried.

    Codes that were mapped are no loss, and what was withheld is said by its paths.
    """
    told = (
        (counts.not_carried, "not carried"),
        (counts.defaulted, "defaulted"),
        (counts.contradicting, "contradicting"),
    )
    return ", ".join(f"{count} {word}" for count, word in told if count)


class Way(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One destination of a message, and where it stands there."""

    destination: str
    state: str
    tries: tuple[Try, ...] = ()


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, or one that was refused. What is not known to the teller is empty."""

    at: datetime | None
    status: str
    gateway: str = ""
    message_id: str = ""
    party: str = ""
    on_behalf_of: str = ""
    kind: str = ""
    key: str = ""
    function: str = ""
    version: int | None = None
    interchange_id: str = ""
    ordinal: int | None = None
    record: int | None = None
    format: str = ""
    transport: str = ""
    summary: str = ""
    removed: str = ""
    """When its content was removed, and by which rule."""
    subjects: tuple[str, ...] = ()
    regards: str = ""
    upstream_id: str = ""
    faults: tuple[Fault, ...] = ()
    counts: Counts = Counts()
    """What reading it did not simply carry; ``luxor report`` names it."""
    ways: tuple[Way, ...] = ()


class Scene(msgspec.Struct, frozen=True):
    """A message with everything that came of it, in order."""

    said: Said
    answers: tuple[Scene, ...]


def in_order(told: Iterable[Said]) -> tuple[Said, ...]:
    """By time, then as they stood in the document; what has no time comes last."""
    return tuple(sorted(told, key=_place))


def _place(said: Said) -> tuple[bool, float, int, int]:
    moment = 0.0 if said.at is None else said.at.timestamp()
    return said.at is None, moment, said.record or 0, said.ordinal or 0


def nested(told: Iterable[Said]) -> tuple[Scene, ...]:
    """Answers under the message that they regard, and a message that another gateway passed on
    under the one that was sent there; everything in order, and everything once."""
    ordered = in_order(told)
    known = {said.message_id for said in ordered if said.message_id}
    above: dict[str, str] = {}
    below: dict[str, list[Said]] = {}
    roots: list[Said] = []
    for said in ordered:
        parent = _parent(said, known, above)
        if parent is None:
            roots.append(said)
        else:
            above[said.message_id] = parent
            below.setdefault(parent, []).append(said)
    return tuple(_scenes(roots, below))


def _parent(said: Said, known: set[str], above: Mapping[str, str]) -> str | None:
    """What a message stands under; never itself or something that stands under it already."""
    for candidate in (said.upstream_id, said.regards):
        if candidate in known and said.message_id not in _line(candidate, above):
            return candidate
    return None


def _line(identifier: str, above: Mapping[str, str]) -> Iterator[str]:
    """A message and all that it stands under."""
    here: str | None = identifier
    while here is not None:
        yield here
        here = above.get(here)


def _scenes(told: Iterable[Said], below: Mapping[str, list[Said]]) -> Iterator[Scene]:
    for said in told:
        answers = below.get(said.message_id, ()) if said.message_id else ()
        yield Scene(said, tuple(_scenes(answers, below)))
