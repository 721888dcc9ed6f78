"""What the demonstration sends, decided before anything is sent, so that it can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from gateway.demo.generator import header, indicators, items, orders, spoil, write
from gateway.demo.generator.spoil import Spoiled
from translators.canonical import Header, ItemDeclaration, Message, Order, RiskIndicator
from translators.translator import FormatId

ITEMS = 100
ORDERS = 40
INDICATORS = 10
ITMATT = FormatId("upu.itmatt.1")
JSON = FormatId("luxor.json.1")
PROTO = FormatId("luxor.proto.1")


class DemoPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is sent, and what must come of it.

    ``early`` indicators are sent before any item, ``late`` ones when all items are there. ``held``
    maps a matching indicator's id to the item that it must hold.
    """

    items: tuple[ItemDeclaration, ...]
    by_https: Spoiled
    by_file: Spoiled
    repaired: bytes
    placed: tuple[Order, ...]
    shipped: tuple[Order, ...]
    early: tuple[RiskIndicator, ...]
    late: tuple[RiskIndicator, ...]
    held: Mapping[str, str]

    @property
    def spoiled(self) -> frozenset[str]:
        """The identifiers of items that are wrong when they are first sent."""
        return frozenset(
            defect.item_id for half in (self.by_https, self.by_file) for defect in half.defects
        )


def plan(seed: str, *, at: datetime) -> DemoPlan:
    """The demonstration of a seed; the same seed and time give the same bytes."""
    everything = tuple(items(seed, ITEMS, at=at))
    hints = indicators(seed, INDICATORS, everything, at=at)
    matched = frozenset(hints.matches.values())
    middle = ITEMS // 2
    halves = [
        spoil(
            half,
            head=_header(f"{seed}-{name}", at),
            seed=f"{seed}-{name}",
            avoid=matched,
        )
        for name, half in (("https", everything[:middle]), ("file", everything[middle:]))
    ]
    repaired = [item for half in halves for item in half.repaired]
    sold = orders(seed, ORDERS, everything, at=at)
    first = min(hints.messages, key=lambda hint: hint.indicator_id not in hints.matches)
    rest = [hint for hint in hints.messages if hint is not first]
    idle = [hint for hint in rest if hint.indicator_id not in hints.matches]
    early = (first, *idle[: INDICATORS // 2 - 1])
    return DemoPlan(
        items=everything,
        by_https=halves[0],
        by_file=halves[1],
        repaired=b"".join(write(ITMATT, _header(f"{seed}-repaired", at), repaired)),
        placed=sold.placed,
        shipped=sold.shipped,
        early=early,
        late=tuple(hint for hint in hints.messages if hint not in early),
        held=hints.matches,
    )


def document(message: Message, format_id: FormatId, *, reference: str, at: datetime) -> bytes:
    """One message as a document."""
    return b"".join(write(format_id, _header(reference, at), [message]))


def _header(reference: str, at: datetime) -> Header:
    return header(reference, sender="FRA", recipient="LUA", at=at)
