"""How good the data of each party is, counted: messages judged, and what was found in them."""

from __future__ import annotations

from datetime import date

import msgspec

from trust.identity import PartyId


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
