"""What judging costs: `python -m bench.judging`. Microseconds of CPU, without a wire and a store.

Judging is what a gateway does with a message between reading it and writing it down: the rules of
the trade, the quality of data, permissions, routes and agreements, the outcome, the receipt's
claims. The journal keeps nothing here and nobody signs the receipt, so that what is left of
``inbound.accept`` is its own; reading is part of it. Of each work the quickest of several rounds
counts, since what else a machine does only ever adds.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Final, cast

from prometheus_client import CollectorRegistry

from bench.results import Goal, Series, Told, goal_of
from bench.timing import least
from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.config.assemble import EVERYBODY, NOTICE_ROUTE
from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import Acceptance, Stored
from gateway.demo.generator import header, items, orders
from gateway.pipeline.bell import Bell
from gateway.pipeline.counting import Counting
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.judge import Bench, Sender, judge
from gateway.pipeline.plan import Network, plan
from gateway.pipeline.settings import Limits
from gateway.pipeline.signing import SigningDesk
from gateway.regimes import standard as rules
from gateway.routing import Endpoint, Endpoints, Route, Routes
from gateway.telemetry import Telemetry, event_log
from gateway.telemetry.metrics import Metrics
from translators.canonical import Interchange, Message
from translators.registry import standard
from translators.translator import Entry, FormatId, decode, encode
from trust.identity import Identity, PartyId
from trust.keys import Signer
from trust.party import Grant, Party, Registry

AT: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)
JSON, XML = FormatId("luxor.json.1"), FormatId("upu.itmatt.1")
SIZES: Final = (1, 10, 100, 1_000, 10_000)
QUICK_SIZES: Final = (10, 100, 1_000)
LINEAR: Final = 11.0
"""Ten times the items, at most so many times the time (goal 11)."""
MESSAGES: Final = 200
AT_LEAST: Final = 500
"""Items of one round."""
FORMATS: Final = standard()


class Nowhere:
    """The part of a journal that accepting asks, which keeps nothing."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.staged = 0
        """Messages that were staged."""
        self.largest = 0
        """Messages that were staged at once."""

    async def find(self, party: PartyId, interchange_id: InterchangeId) -> None:
        """Nothing was ever accepted."""

    async def reserve(self) -> RecordNumber:
        """The next number."""
        return RecordNumber(next(self._numbers))

    async def stage(
        self, record: RecordNumber, *, messages: Sequence[object] = (), **_: object
    ) -> None:
        """Counted, and thrown away."""
        self.staged += len(messages)
        self.largest = max(self.largest, len(messages))

    async def commit(self, acceptance: Acceptance) -> Stored:
        """Thrown away."""
        return Stored.of(acceptance)


class Unsigned:
    """A signer whose signatures cost nothing, and are none."""

    kid, alg, waits = "bench", "ES256", False

    def chosen(self) -> Unsigned:
        """Itself."""
        return self

    def sign(self, message: bytes) -> bytes:
        """As many bytes as a signature has."""
        return bytes(64)


class Desk:
    """A gateway's middle with one destination for items and orders."""

    def __init__(self, limits: Limits | None = None) -> None:
        bounds = limits or Limits()
        everything = Grant(formats=("*",), kinds=("*",), countries=("*",))
        self.parties = Registry(
            parties=[
                Party(id=PartyId("shop"), roles=frozenset({"platform"}), grants=(everything,)),
                Party(id=PartyId("risk"), roles=frozenset({"backend"})),
            ]
        )
        found = self.parties.party(PartyId("shop"))
        self.sender = Sender(Identity(party=found.id, roles=found.roles), found)
        kinds = ("ItemDeclaration", "Order")
        agreements = (
            Agreement(name="risk", purpose="bench", role="backend", kinds=kinds, fields=("**",)),
            EVERYBODY,
        )
        risk = Endpoint(id="risk", party=PartyId("risk"), format=JSON, transport="folder")
        network = Network(
            routes=Routes((Route(name="risk", kinds=kinds, to=("risk",)), NOTICE_ROUTE)),
            agreements=Agreements.of(agreements),
            minimisers={entry.name: Minimiser(entry.fields) for entry in agreements},
            endpoints=Endpoints.of([risk]),
            formats=FORMATS,
        )
        self.bench = Bench(gateway_number=1, network=network, regimes=rules(), severities={})
        log = event_log(stream=io.StringIO())
        telemetry = Telemetry(metrics=Metrics(CollectorRegistry()), log=log)
        self.counting = Counting(telemetry)
        self.journal = Nowhere()
        self.inbound = Inbound(
            gateway_id="gateway-lx",
            journal=cast("Journal", self.journal),
            bench=lambda: self.bench,
            parties=lambda: self.parties,
            desk=SigningDesk(cast("Signer", Unsigned())),
            limits=lambda: bounds,
            bell=Bell(),
            clock=lambda: AT,
            observe=self.counting.judged,
        )
        self._numbers = count(1)

    def judge(self, messages: Sequence[Message]) -> None:
        """Judge each message as the only one of an interchange."""
        for message in messages:
            judged = judge(
                Entry(ordinal=1, message=message),
                self.sender,
                format_id=JSON,
                record=RecordNumber(1 << 40),
                regards=None,
                parties=self.parties,
                bench=self.bench,
            )
            assert judged.planned is not None

    def check(self, messages: Sequence[Message]) -> None:
        """Only the rules."""
        for message in messages:
            for regime in self.bench.regimes:
                regime.check(message)

    def plan(self, messages: Sequence[Message]) -> None:
        """Only the legs."""
        for message in messages:
            plan(
                message,
                self.sender.identity,
                through=self.sender.identity.party,
                network=self.bench.network,
                parties=self.parties,
                regards=None,
            )

    def envelope(self, format_id: FormatId, content: bytes) -> Envelope:
        """A submission."""
        return Envelope(
            interchange_id=InterchangeId(f"bench-{next(self._numbers)}"),
            format=format_id,
            content=Bytes(content),
            transport=Transport.HTTPS,
            received_at=AT,
        )

    async def accept(self, envelopes: Sequence[Envelope]) -> None:
        """Read, judge and accept each."""
        for envelope in envelopes:
            stored = await self.inbound.accept(self.sender, envelope)
            assert stored.accepted > 0


def document(format_id: FormatId, messages: Sequence[Message]) -> bytes:
    """An interchange of these messages."""
    content = Interchange(
        header=header("bench", sender="shop", recipient="gateway-lx", at=AT),
        messages=tuple(messages),
    )
    return encode(FORMATS.get(format_id), content)


def single(kind: str, format_id: FormatId, messages: Sequence[Message], rounds: int) -> None:
    """What each part costs of a message that comes alone."""
    desk = Desk()
    documents = [document(format_id, [message]) for message in messages]
    envelopes = [desk.envelope(format_id, content) for content in documents]
    translator = FORMATS.get(format_id)
    with asyncio.Runner() as runner:
        read, checked, planned, judged, accepted = least(
            len(messages),
            lambda: [decode(translator, content) for content in documents],
            lambda: desk.check(messages),
            lambda: desk.plan(messages),
            lambda: desk.judge(messages),
            lambda: runner.run(desk.accept(envelopes)),
            rounds=rounds,
        )
    print(f"{kind} as {format_id}, µs of CPU:")
    for name, cost in (
        ("rules", checked),
        ("plan", planned),
        ("judging, both of these in it", judged),
        ("accepting without reading", accepted - read),
        ("reading", read),
    ):
        print(f"  {name:<30} {cost:6.1f}")


def growth(sizes: Sequence[int], rounds: int) -> Iterator[Told]:
    """Goal 11: what ten times the items of one document cost to accept."""
    desk = Desk()
    made = items("growth", sizes[-1], at=AT)
    documents = {size: document(XML, made[:size]) for size in sizes}
    with asyncio.Runner() as runner:

        def accepting(size: int) -> Callable[[], None]:
            envelopes = [desk.envelope(XML, documents[size]) for _ in range(_times(size))]
            return lambda: runner.run(desk.accept(envelopes))

        costs = least(1, *map(accepting, sizes), rounds=rounds)
    micros = {size: cost / _times(size) / size for size, cost in zip(sizes, costs, strict=True)}
    for size in sizes:
        print(f"  {size:>6,} items: {micros[size]:6.1f} µs an item")
    few, many = max(pairwise(sizes), key=lambda pair: micros[pair[1]] / micros[pair[0]])
    ratio = many * micros[many] / (few * micros[few])
    yield goal_of(
        "11 ten times the items, judged",
        baseline=few * micros[few] / 1e3,
        figure=many * micros[many] / 1e3,
        ratio=ratio,
        at_most=LINEAR,
        unit="ms",
        what=f"an ITMATT of {few:,} items read, judged and accepted; of {many:,}, the worst of the"
        f" steps from {sizes[0]} to {sizes[-1]:,}; the journal keeps nothing",
    )
    yield Series(
        plot="throughput-against-items",
        name="ITMATT read and judged",
        x=tuple(map(float, sizes)),
        y=tuple(1e6 / micros[size] for size in sizes),
    )


def _times(size: int) -> int:
    """How often a document is accepted in a round: short works are measured badly."""
    return max(1, AT_LEAST // size)


def measure(*, quick: bool) -> Iterator[Told]:
    """Print what each part costs; goal 11 for judging."""
    rounds = 3 if quick else 20
    made = items("judging", MESSAGES, at=AT)
    single("an order", JSON, orders("judging", MESSAGES // 2, made, at=AT).placed, rounds)
    single("an item", XML, made, rounds)
    yield from growth(QUICK_SIZES if quick else SIZES, 2 if quick else 4)


def main() -> None:
    """Print every figure."""
    for told in measure(quick=False):
        if isinstance(told, Goal):
            print(f"{told.goal}: {told.ratio:.2f}, {told.bar}")


if __name__ == "__main__":
    main()
