"""A gateway's middle without its rim: the memory journal, real formats, a fixed clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.agreements import Agreement, Agreements, Minimiser, Source
from gateway.config.assemble import EVERYBODY, NOTICE_ROUTE
from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Outcome, Stored
from gateway.pipeline.bell import Bell
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.judge import Bench, Sender
from gateway.pipeline.plan import Network
from gateway.pipeline.prepare import Preparer
from gateway.pipeline.settings import Limits
from gateway.pipeline.signing import SigningDesk
from gateway.regimes import Universal
from gateway.routing import ORIGIN, Endpoint, Endpoints, Route, Routes
from gateway.store.memory import MemoryJournal
from tests import samples
from translators.canonical import Interchange, Message
from translators.registry import standard
from translators.translator import FormatId, encode
from trust.authority import generate_key
from trust.identity import Identity, PartyId
from trust.keys import KeySigner
from trust.party import Grant, Party, Registry

JSON = FormatId("luxor.json.1")
ALL = Grant(formats=("*",), kinds=("*",), countries=("*",))
FORMATS = standard()
UNIVERSAL = Universal()  # reads its code lists, which takes a while


def party(name: str, role: str, **changes: Any) -> Party:
    """A party that may send everything."""
    fields: dict[str, Any] = {"roles": frozenset({role}), "grants": (ALL,), **changes}
    return Party(id=PartyId(name), **fields)


class Middle:
    """The inbound half and the preparer around one journal, with what a test needs to look."""

    def __init__(self, *, limits: Limits | None = None, **post: Any) -> None:
        self.now = samples.NOW
        self.journal = MemoryJournal(gateway=1, clock=lambda: self.now)
        self.parties = Registry(
            parties=[
                party("gateway-lx", "gateway"),
                party("post-a", "post", **post),
                party("shop", "platform"),
                party("risk", "backend"),
                party("clearance", "backend"),
                party("gateway-pn", "administration"),
            ]
        )
        self.network = network()
        self.bell = Bell()
        self.signer = KeySigner(generate_key("P-256"))
        self.judged: list[tuple[Stored, list[Outcome]]] = []
        self.inbound = Inbound(
            gateway_id="gateway-lx",
            journal=self.journal,
            bench=self.bench,
            parties=lambda: self.parties,
            desk=SigningDesk(self.signer),
            limits=lambda: limits or Limits(),
            bell=self.bell,
            clock=self.clock,
            observe=lambda stored, outcomes, _: self.judged.append((stored, list(outcomes))),
        )
        self.preparer = Preparer(
            gateway_id="gateway-lx",
            journal=self.journal,
            network=lambda: self.network,
            parties=lambda: self.parties,
        )
        self._numbers = itertools.count(1)

    def clock(self) -> datetime:
        """The time of the test."""
        return self.now

    def bench(self) -> Bench:
        """What judging needs."""
        return Bench(gateway_number=1, network=self.network, regimes=(UNIVERSAL,), severities={})

    def sender(self, name: str) -> Sender:
        """A proven party."""
        found = self.parties.party(PartyId(name))
        return Sender(Identity(party=found.id, roles=found.roles), found)

    async def send(
        self,
        name: str,
        *messages: Message,
        identifier: str | None = None,
        content: bytes | None = None,
        format_id: FormatId = JSON,
    ) -> Stored:
        """Submit messages (or content as it is) as that party."""
        if content is None:
            content = encode(FORMATS.get(format_id), Interchange(messages=messages))
        return await self.inbound.accept(
            self.sender(name),
            Envelope(
                interchange_id=InterchangeId(identifier or f"i-{next(self._numbers)}"),
                format=format_id,
                content=Bytes(content),
                transport=Transport.HTTPS,
                received_at=self.now,
            ),
        )

    async def waiting(self, destination: str) -> list[Message]:
        """What a destination would get now, as its format reads it; everything is settled."""
        from gateway.core.records import Result, Settlement

        self.now += timedelta(seconds=1)
        endpoint, got = self.network.endpoints.get(destination), list[Message]()
        while lease := await self.journal.lease(destination, limit=100, seconds=60, now=self.now):
            for delivery in lease.deliveries:
                prepared = await self.preparer.prepare(delivery, endpoint)
                translator = FORMATS.get(prepared.outgoing.format)
                got.extend(decoded(translator, prepared.outgoing.content))
            await self.journal.settle(
                lease,
                [Settlement(delivery=d, result=Result.DELIVERED) for d in lease.deliveries],
                now=self.now,
            )
        return got


def decoded(translator: Any, content: bytes) -> tuple[Message, ...]:
    """The messages of a document."""
    from translators.translator import decode

    return decode(translator, content).messages


def outcomes(stored: Stored) -> list[Outcome]:
    """The outcome list of an answer."""
    return msgspec.json.decode(stored.outcomes, type=list[Outcome])


def codes(stored: Stored) -> list[str]:
    """Every fault code of an answer."""
    return [fault.code for outcome in outcomes(stored) for fault in outcome.faults]


def network() -> Network:
    """Items to risk, to clearance and, minimised, to the partner; answers to the origin."""
    agreements = (
        Agreement(name="own", purpose="tests", role="backend", kinds=("*",), fields=("**",)),
        Agreement(
            name="answers",
            purpose="tests",
            role="post",
            kinds=("CustomsResponse",),
            fields=("**",),
        ),
        Agreement(
            name="partner",
            purpose="tests",
            party="gateway-pn",
            kinds=("ItemDeclaration", "CustomsResponse"),
            source=Source.HIDDEN,
            fields=(
                "item_id",
                "mail_class",
                "nature",
                "gross_weight",
                "addressee/address/country",
                "pieces/*/number",
                "pieces/*/pieces",
                "pieces/*/description",
                "decision",
                "decided_at",
                "regards",
            ),
        ),
        EVERYBODY,
    )
    endpoints = [
        endpoint("risk", "luxor.json.1"),
        endpoint("clearance", "luxor.json.1"),
        endpoint("gateway-pn", "luxor.json.1", answers=True),
        endpoint("post-a", "upu.cusrsp.1", answers=True),
        endpoint("partner-xml", "upu.itmatt.1", party="gateway-pn"),
    ]
    routes = (
        Route(
            name="items",
            kinds=("ItemDeclaration", "Order"),
            to=("risk", "clearance"),
            destination_countries=("LU",),
        ),
        Route(
            name="transit",
            kinds=("ItemDeclaration",),
            to=("gateway-pn",),
            destination_countries=("PT",),
        ),
        Route(
            name="transit-xml",
            kinds=("ItemDeclaration",),
            to=("partner-xml",),
            destination_countries=("ES",),
        ),
        Route(name="assessments", kinds=("RiskAssessment",), to=("clearance",)),
        Route(name="decisions", kinds=("CustomsResponse",), to=(ORIGIN,)),
        NOTICE_ROUTE,
    )
    return Network(
        routes=Routes(routes),
        agreements=Agreements.of(agreements),
        minimisers={entry.name: Minimiser(entry.fields) for entry in agreements},
        endpoints=Endpoints.of(endpoints),
        formats=FORMATS,
    )


def endpoint(
    name: str, format_id: str, *, party: str | None = None, answers: bool = False
) -> Endpoint:
    """A destination of that name for that party."""
    return Endpoint(
        id=name,
        party=PartyId(party or name),
        format=FormatId(format_id),
        transport="grpc",
        answers=answers,
    )


@pytest.fixture
def middle() -> Middle:
    """A gateway's middle."""
    return Middle()


@pytest.fixture
def middles() -> Callable[..., Middle]:
    """Makes gateway middles with other limits or another registration of the post."""
    return Middle
