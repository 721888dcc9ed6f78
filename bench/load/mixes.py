"""What is sent in which share, by name. A mix makes its requests before the run.

``number`` counts documents: two runs against one journal take numbers of their own, so that no
interchange is a repeat and no item is declared twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from random import Random
from typing import Literal
from urllib.parse import quote

import msgspec
from lxml import etree

from bench.load.documents import ItemBodies, OrderBodies, item_bodies, order_bodies
from bench.load.pump import Request
from bench.load.target import Target
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.xml import parse_exactly
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached
from trust.signatures.xmldsig.signing import sign_enveloped

Transport = Literal["https", "grpc", "grpc-stream"]
SIZES = (10, 100, 1_000, 10_000)
"""Items of the larger documents."""
READ_SHARE = 9
"""Of ten requests of the mix with reads."""


class Papers:
    """The documents of all mixes, written when they are wanted first and then kept."""

    @cached_property
    def orders(self) -> OrderBodies:
        """See `order_bodies`."""
        return order_bodies()

    @cached_property
    def items(self) -> ItemBodies:
        """See `item_bodies`."""
        return item_bodies()


class Maker:
    """Makes requests for one target."""

    def __init__(self, target: Target, papers: Papers, *, run: str, seeded: int = 0) -> None:
        """``run`` is a word that begins every interchange id; items are there from ``seeded``."""
        self.seeded = seeded
        self._target = target
        self.orders, self.items = papers.orders, papers.items
        self._run = run

    def name(self, number: int) -> str:
        """The interchange id of this number."""
        return f"{self._run}-{number}"

    def signature(self, content: bytes, *, name: str, format_id: str) -> str:
        """A detached JWS of the party, made now."""
        return sign_detached(
            content,
            signer=self._signer,
            interchange_id=name,
            format=format_id,
            audience=self._target.gateway,
            now=datetime.now(UTC),
        )

    @property
    def algorithm(self) -> str:
        """That of the party's key."""
        return self._signer.alg

    @cached_property
    def _signer(self) -> KeySigner:
        return KeySigner.from_pem(self._target.read(self._target.signing_key))

    def enveloped(self, content: bytes) -> bytes:
        """The document with the party's signature in it."""
        document = parse_exactly(content)
        sign_enveloped(document, signer=self._signer)
        return etree.tostring(document, xml_declaration=True, encoding="UTF-8")

    def post(
        self, content: bytes, *, name: str, kind: OrderBodies | ItemBodies, jws: bool
    ) -> bytes:
        """A submission over HTTPS."""
        signature = ""
        if jws:
            made = self.signature(content, name=name, format_id=kind.format)
            signature = f"Luxor-Signature: {made}\r\n"
        head = (
            f"POST /v1/interchanges HTTP/1.1\r\nHost: {self._target.host}:{self._target.port}\r\n"
            f"Content-Type: {kind.media_type}\r\nLuxor-Interchange-Id: {name}\r\n"
            f"Luxor-Format: {kind.format}\r\n{signature}Content-Length: {len(content)}\r\n\r\n"
        )
        return head.encode("ascii") + content

    def get(self, path: str) -> bytes:
        """A question over HTTPS."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: {self._target.host}:{self._target.port}\r\n\r\n"
        ).encode("ascii")

    def submission(self, content: bytes, *, name: str, kind: OrderBodies | ItemBodies) -> bytes:
        """A submission over gRPC, signed."""
        signature = self.signature(content, name=name, format_id=kind.format)
        made = wire.Submission(
            interchange_id=name, format=kind.format, content=content, signature=signature
        )
        return made.SerializeToString()


Make = Callable[[Maker, int], Request]


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of load."""

    name: str
    what: str
    transport: Transport
    make: Make
    """The request of one number."""
    items: int = 1
    """Numbers that one request takes, and messages in it."""
    party: str = "post-a"
    """Of the development network, who sends such things."""
    signs: bool = False
    """Whether the party's signing key is needed."""
    seeds: str = ""
    """The mix whose requests were answered before: so many numbers below the first one."""

    def requests(self, maker: Maker, first: int, count: int) -> Iterator[Request]:
        """So many, from this number on."""
        return (self.make(maker, first + n * self.items) for n in range(count))


def _order(maker: Maker, number: int) -> Request:
    name = maker.name(number)
    content = maker.orders.body(number, name=name)
    return Request(name=name, wire=maker.post(content, name=name, kind=maker.orders, jws=True))


def _order_by_grpc(maker: Maker, number: int) -> Request:
    name = maker.name(number)
    content = maker.orders.body(number, name=name)
    return Request(name=name, wire=maker.submission(content, name=name, kind=maker.orders))


def _items(count: int, *, jws: bool = False, enveloped: bool = False) -> Make:
    def make(maker: Maker, number: int) -> Request:
        name = maker.name(number)
        content = maker.items.body(number, name=name, count=count)
        if enveloped:
            content = maker.enveloped(content)
        return Request(name=name, wire=maker.post(content, name=name, kind=maker.items, jws=jws))

    return make


SEEDED = 200
"""Items that are there before reads begin; their numbers come before the first one."""
_READS = (
    lambda maker, number: f"/v1/interchanges/{quote(maker.name(number))}",
    lambda maker, number: f"/v1/trace/{maker.items.item_id(number)}",
    lambda maker, number: f"/v1/items/{maker.items.item_id(number)}/clearance",
)


def _read_or_item(maker: Maker, number: int) -> Request:
    """Status with receipt, history or clearance of an item that is there; each tenth is new."""
    if number % (READ_SHARE + 1) == 0:
        return _items(1)(maker, number)
    chance = Random(number)
    path = chance.choice(_READS)(maker, maker.seeded + chance.randrange(SEEDED))
    return Request(name=path, wire=maker.get(path), expected=b"200")


MIXES: Mapping[str, Mix] = {
    mix.name: mix
    for mix in (
        Mix(
            name="order",
            signs=True,
            what="one signed order (JSON, detached JWS)",
            transport="https",
            make=_order,
            party="platform-shop",
        ),
        Mix(
            name="item",
            what="one ITMATT item, not signed",
            transport="https",
            make=_items(1),
        ),
        Mix(
            name="item-jws",
            signs=True,
            what="one ITMATT item (detached JWS)",
            transport="https",
            make=_items(1, jws=True),
        ),
        Mix(
            name="item-xml",
            signs=True,
            what="one ITMATT item (signature in the XML)",
            transport="https",
            make=_items(1, enveloped=True),
        ),
        *(
            Mix(
                name=f"itmatt-{count}",
                what=f"ITMATT of {count:,} items, not signed",
                transport="https",
                make=_items(count),
                items=count,
            )
            for count in SIZES
        ),
        Mix(
            name="reads",
            what="nine reads (status with receipt, trace, clearance) to one ITMATT item",
            transport="https",
            make=_read_or_item,
            seeds="item",
        ),
        Mix(
            name="grpc",
            signs=True,
            what="one signed order by a call of gRPC",
            transport="grpc",
            make=_order_by_grpc,
            party="platform-shop",
        ),
        Mix(
            name="grpc-stream",
            signs=True,
            what="signed orders in a stream of gRPC",
            transport="grpc-stream",
            make=_order_by_grpc,
            party="platform-shop",
        ),
    )
}
