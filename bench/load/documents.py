"""What is sent: made-up orders and items that are valid, each with identifiers of its own.

They are written once, as the demonstration's generator makes them, and each gets the identifiers of
its number put in as text: making one costs a few microseconds, so that making does not limit the
rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from gateway.demo.generator.documents import header, write
from gateway.demo.generator.items import items
from gateway.demo.generator.orders import orders
from gateway.demo.generator.s10 import s10
from translators.canonical import ItemDeclaration, Order

SEED = 7
TEMPLATES = 64
ORIGIN, DESTINATION = "FR", "LU"
ORDER_SERVICE, ITEM_SERVICE = "CX", "CM"
"""Parcels that orders name, and those of items; the serial number is that of the document."""
_MADE = 400
"""Items from which orders of one parcel and items of every nature are taken."""


def order_bodies(*, at: datetime | None = None) -> OrderBodies:
    """Orders of one parcel each, placed in the days before."""
    when = at or datetime.now(UTC)
    made = tuple(items(SEED, _MADE, origin=ORIGIN, destination=DESTINATION, at=when))
    sales = {item.order_reference for item in made if item.nature == "sale"}
    placed = orders(SEED, len(sales - {None}), made, at=when).placed
    return OrderBodies([order for order in placed if len(order.parcels) == 1][:TEMPLATES])


def item_bodies(*, at: datetime | None = None) -> ItemBodies:
    """Items of every nature."""
    when = at or datetime.now(UTC)
    made = items(SEED, TEMPLATES, origin=ORIGIN, destination=DESTINATION, at=when)
    return ItemBodies(tuple(made), at=when)


class OrderBodies:
    """One order in ``luxor.json.1``, of about 2 KB."""

    format = "luxor.json.1"
    media_type = "application/json"

    def __init__(self, templates: Sequence[Order]) -> None:
        """Raises ``ValueError`` when an identifier is not found where it should be."""
        self._templates = [
            _Template(
                msgspec.json.encode(order),
                (order.order_id, order.parcels[0].tracking_number),
            )
            for order in templates
        ]

    def body(self, number: int, *, name: str) -> bytes:
        """The order of this number, and of this name."""
        template = self._templates[number % len(self._templates)]
        return template.filled(name, s10(ORDER_SERVICE, number, ORIGIN))


class ItemBodies:
    """Items in one ``upu.itmatt.1`` document, of about 1.6 KB each."""

    format = "upu.itmatt.1"
    media_type = "application/xml"

    def __init__(self, templates: Sequence[ItemDeclaration], *, at: datetime) -> None:
        """Raises ``ValueError`` when an identifier is not found where it should be."""
        written = [self._document((item,), at) for item in templates]
        first, rest = written[0].split(b"<item>", 1)
        self._head = _Template(first, ("REFERENCE",))
        self._tail = rest[rest.rindex(b"</item>") + len(b"</item>") :]
        self._templates = [
            _Template(
                whole[whole.index(b"<item>") : whole.rindex(b"</item>") + len(b"</item>")],
                (item.item_id, *filter(None, (item.local_id, item.order_reference))),
            )
            for whole, item in zip(written, templates, strict=True)
        ]

    @staticmethod
    def item_id(number: int) -> str:
        """The identifier of the item of this number."""
        return s10(ITEM_SERVICE, number, ORIGIN)

    def body(self, number: int, *, name: str, count: int = 1) -> bytes:
        """A document of so many items, whose numbers begin with this one."""
        return b"".join((self._head.filled(name), *self._items(number, count), self._tail))

    def _items(self, first: int, count: int) -> Iterable[bytes]:
        for number in range(first, first + count):
            template = self._templates[number % len(self._templates)]
            yield template.filled(self.item_id(number), f"L-{number}", f"O-{number}")

    @staticmethod
    def _document(several: Sequence[ItemDeclaration], at: datetime) -> bytes:
        head = header("REFERENCE", sender="FRA", recipient="LUA", at=at)
        return b"".join(write("upu.itmatt.1", head, several))


class _Template:
    """Text with places in it, each of which may occur several times."""

    def __init__(self, text: bytes, places: Sequence[str]) -> None:
        """``places`` stand in the text; raises ``ValueError`` for one that does not."""
        self._pieces: list[tuple[bytes, int]] = []
        marked = text
        for at, place in enumerate(places):
            if place.encode() not in marked:
                raise ValueError(f"{place} is not there")
            marked = marked.replace(place.encode(), b"\x00%d\x00" % at)
        parts = marked.split(b"\x00")
        self._end = parts.pop()
        self._pieces = [(text, int(at)) for text, at in zip(parts[::2], parts[1::2], strict=True)]

    def filled(self, *values: str) -> bytes:
        """The text with these values in the places; there may be more than places."""
        encoded = [value.encode() for value in values]
        filled = [part for text, at in self._pieces for part in (text, encoded[at])]
        return b"".join((*filled, self._end))
