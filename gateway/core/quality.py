"""How good the data of each party is, counted: messages judged, and what was found in them."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from gateway.core.errors import Refused
from trust.identity import PartyId

USUAL_DAYS = 30
LONGEST_DAYS = 400
"""Of one question."""


class JudgedCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Messages of one party and kind that were judged, and how many of them were refused.

    Each judging counts, also of a message that was refused and came again. ``kind`` is empty for
    what could not be recognised; ``day`` (UTC) is absent when a whole period was summed.
    """

    party: PartyId
    kind: str
    messages: int
    refused: int
    day: date | None = None


class FoundCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault code in the messages of one party and kind.

    ``messages`` have at least one such fault, ``findings`` are all of them.
    """

    party: PartyId
    kind: str
    code: str
    messages: int
    findings: int
    day: date | None = None


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a period, ordered by party, day, kind and code."""

    judged: tuple[JudgedCount, ...] = ()
    found: tuple[FoundCount, ...] = ()


class QualityReport(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a period; both days (UTC) are included."""

    since: date
    until: date
    judged: tuple[JudgedCount, ...]
    found: tuple[FoundCount, ...]


def period(since: date | None, until: date | None, *, today: date) -> tuple[date, date]:
    """The days that are meant: up to today, the last 30, unless they are given.

    Raises ``Refused("request.invalid")`` for a period that ends before it begins, or is too long.
    """
    last = today if until is None else until
    try:
        first = last - timedelta(days=USUAL_DAYS - 1) if since is None else since
    except OverflowError as error:  # before the calendar begins
        raise Refused("request.invalid", "the calendar begins with the year 1") from error
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise Refused("request.invalid", f"a period has 1 to {LONGEST_DAYS} days")
    return first, last
