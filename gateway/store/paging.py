"""Pages of unsettled legs in any store: windows are asked for until a page is full."""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from gateway.core.deliveries import LOOKED_AT, Chosen, Page, Position, Unsettled

_LARGEST = 1_000
_SMALLEST = 64
"""Legs in one window: what a store reads together."""


class Window(msgspec.Struct, frozen=True):
    """What a store read: how many legs, the place of the last, and those not ruled out at once."""

    looked: int
    last: Position | None
    legs: tuple[Unsettled, ...]


Paging = Generator[tuple[Position | None, int], Window, Page]
"""Asks for a window after a place, of a size, and ends with the page."""


def paging(chosen: Chosen, after: Position | None, limit: int) -> Paging:
    """Look through windows for up to ``limit`` legs, in all at :data:`LOOKED_AT` of them."""
    found: list[Unsettled] = []
    looked, at = 0, after
    while looked < LOOKED_AT:
        size = min(_LARGEST, max(_SMALLEST, 2 * limit), LOOKED_AT - looked)
        window = yield at, size
        looked += window.looked
        for leg in window.legs:
            if chosen.holds(leg):
                found.append(leg)
            if len(found) == limit:
                over = window.looked < size and leg.position == window.last
                return Page(legs=tuple(found), next=None if over else leg.position.cursor)
        if window.looked < size:
            return Page(legs=tuple(found))
        at = window.last
    return Page(legs=tuple(found), next=None if at is None else at.cursor)


def position(after: str | None, chosen: Chosen) -> Position | None:
    """The place that a cursor names, if there is one; raises ``ValueError``."""
    if after is None:
        return None
    place = Position.of(after)
    if chosen.destination not in (None, place.destination):
        raise ValueError("this cursor belongs to another question")
    return place
