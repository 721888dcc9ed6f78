"""Awaited answers in any store: their place in order, and pages of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Container, Iterable, Sequence
from datetime import datetime

import msgspec

from gateway.core.awaiting import LOOKED_AT, Asked, Awaited, AwaitedPage
from gateway.core.records import Result, Settlement

Place = tuple[int, int]
"""A message's record number and ordinal."""


class Turn(msgspec.Struct, frozen=True, array_like=True, order=True):
    """The place of an awaited answer: by time, then by the message that it is an answer to."""

    due: int
    """Microseconds since 1970."""
    record: int
    ordinal: int
    destination: str
    n: int

    @property
    def cursor(self) -> str:
        """The place as a text for whoever asks for the next page."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @staticmethod
    def of(cursor: str | None) -> Turn:
        """The place that a cursor names, without one the first of all; raises ``ValueError``."""
        if cursor is None:
            return Turn(-(1 << 62), 0, 0, "", 0)
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Turn)
        except (binascii.Error, msgspec.DecodeError, UnicodeError) as error:
            raise ValueError("this cursor is none of ours") from error


def window(asked: Asked, limit: int) -> int:
    """How many answers to look at for a page of ``limit``: one more shows whether there are."""
    if asked.destination is None and asked.party is None and asked.kind is None:
        return min(limit, LOOKED_AT) + 1
    return LOOKED_AT


def page_of(
    looked: Sequence[tuple[Turn, Awaited]], asked: Asked, *, now: datetime, limit: int, size: int
) -> AwaitedPage:
    """The page out of a window of ``size`` answers after the cursor, in order."""
    found: list[Awaited] = []
    for at, (turn, awaited) in enumerate(looked, 1):
        if asked.overdue and awaited.due > now:
            return AwaitedPage(answers=tuple(found))
        if not asked.holds(awaited, now=now):
            continue
        found.append(awaited)
        if len(found) == limit:
            more = at < len(looked) or len(looked) == size
            return AwaitedPage(answers=tuple(found), next=turn.cursor if more else None)
    more = len(looked) == size
    return AwaitedPage(answers=tuple(found), next=looked[-1][0].cursor if more else None)


def ended(
    settlements: Iterable[Settlement], keys: Container[int]
) -> tuple[list[Place], list[Place]]:
    """Messages that were delivered, and those given up, out of settlements of keys under lease."""
    places: dict[Result, list[Place]] = {Result.DELIVERED: [], Result.SKIPPED: []}
    for settlement in settlements:
        if settlement.result in places and settlement.delivery.key in keys:
            message = settlement.delivery.message
            places[settlement.result].append((int(message.record), message.ordinal))
    return places[Result.DELIVERED], places[Result.SKIPPED]
