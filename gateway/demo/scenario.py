"""What the parties of the demonstration do, in order, as their own software would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.client.answers import Answer
from gateway.client.conversation import Submission
from gateway.client.credentials import development
from gateway.client.grpc import GrpcPartyClient
from gateway.client.https import PartyClient
from gateway.core.records import Outcome
from gateway.demo.ledger import Ledger
from gateway.demo.observe import Observer
from gateway.demo.patience import LOOK_SECONDS, until
from gateway.demo.plan import ITMATT, JSON, PROTO, DemoPlan, document
from gateway.demo.processes import DemoError
from gateway.demo.referral import ReferralStory
from gateway.demo.topology import Topology
from translators.canonical import Order, RiskIndicator
from trust.keys import Signer

SIDE_BY_SIDE = 8
WATCH_SECONDS = 1.0


class Scenario:
    """Plays the plan on a running network and writes down what happens."""

    def __init__(
        self, topology: Topology, plan: DemoPlan, ledger: Ledger, *, at: datetime, seed: str
    ) -> None:
        self._topology = topology
        self._plan = plan
        self._ledger = ledger
        self._at = at
        self._seed = seed
        self.observer = Observer(topology, plan, ledger)

    async def play(self) -> None:
        """Send everything and wait until it has come where it must."""
        self.observer.expect()
        watching = asyncio.create_task(self._watch())
        try:
            await self._play()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        """Look at the receivers all the time, so that a person sees the counts grow."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.observer.look()

    async def _play(self) -> None:
        self._ledger.step("the partner administration sends indicators before the items")
        await self._indicators(self._plan.early)
        await self.observer.until_at("risk", "RiskIndicator", len(self._plan.early))
        self._ledger.step("the post sends half of its items over HTTPS, half as a file")
        await asyncio.gather(self._items_by_https(), self._items_by_file())
        self._ledger.step("the post repairs what was refused and sends that again")
        await self._repaired()
        self._ledger.step("the platform sends signed orders, then tracking numbers for some")
        await self._orders(self._plan.placed, "placed")
        await self._orders(self._plan.shipped, "shipped")
        await self.observer.until_assessed(len(self._plan.items))
        self._ledger.step("the partner sends the other indicators; risk assesses again")
        await self._indicators(self._plan.late)
        self._ledger.step("customs asks about an item, which waits until the post has answered")
        await self._referral()
        self._ledger.step("answers find their way back")
        await self._settled()

    async def _referral(self) -> None:
        """About an item that nothing is held against."""
        suspected = set(self._plan.held.values())
        item = next(one.item_id for one in self._plan.items if one.item_id not in suspected)
        story = ReferralStory(self._topology, self._ledger, item=item, at=self._at, seed=self._seed)
        await story.play()

    async def _settled(self) -> None:
        """Wait until everything expected is there, and a little longer for what is not."""

        async def look() -> bool | None:
            return await self.observer.complete() or None

        try:
            await until(look, what="everything arrives")
        except DemoError as late:
            self._ledger.surprise(str(late))
        await asyncio.sleep(LOOK_SECONDS)
        await self.observer.look()
        self._ledger.step("everything arrived" if self._ledger.good else "not everything is well")

    async def _items_by_https(self) -> None:
        half = self._plan.by_https
        async with self._https("post-a") as (client, _):
            answer = await client.submit(
                half.content, interchange_id=f"{self._seed}-items-https", format=ITMATT
            )
        self._judge(answer.outcomes, {d.ordinal: frozenset(d.faults) for d in half.defects})
        self._ledger.sent("post-a", "ItemDeclaration", answer.claims.accepted)

    async def _items_by_file(self) -> None:
        half, name = self._plan.by_file, f"{self._seed}-items-file"
        folder = self._topology.post
        await asyncio.to_thread(_drop, folder / "in", f"{name}.xml", half.content)
        receipt = await self._receipt(folder, name)
        outcomes = tuple(msgspec.convert(receipt["outcomes"], list[Outcome]))
        self._judge(outcomes, {d.ordinal: frozenset(d.faults) for d in half.defects})
        self._ledger.sent("post-a", "ItemDeclaration", int(str(receipt["accepted"])))

    async def _receipt(self, folder: Path, name: str) -> dict[str, object]:
        async def look() -> dict[str, object] | None:
            return await asyncio.to_thread(_read_receipt, folder, name)

        return await until(look, what=f"a receipt for the file {name} in {folder}")

    def _judge(
        self, outcomes: tuple[Outcome, ...], wrong: dict[int, frozenset[tuple[str, str]]]
    ) -> None:
        """Every fault that was put in must be named, and none else."""
        for outcome in outcomes:
            found = frozenset((f.code, f.path) for f in outcome.faults if f.refuses)
            if found != wrong.get(outcome.ordinal, frozenset()):
                self._ledger.surprise(
                    f"item {outcome.ordinal}: faults {sorted(found)} are not those put in"
                )

    async def _repaired(self) -> None:
        async with self._https("post-a") as (client, _):
            answer = await client.submit(
                self._plan.repaired, interchange_id=f"{self._seed}-items-repaired", format=ITMATT
            )
        self._expect_good(answer, "repaired items")
        self._ledger.sent("post-a", "ItemDeclaration", answer.claims.accepted)

    async def _orders(self, orders: tuple[Order, ...], what: str) -> None:
        """Each order is an interchange of its own, signed over its bytes."""
        async with self._https("platform-shop") as (client, signer):

            async def send(order: Order) -> None:
                answer = await client.submit(
                    document(order, JSON, reference=f"{what}-{order.order_id}", at=self._at),
                    interchange_id=f"{self._seed}-{what}-{order.order_id}",
                    format=JSON,
                    signer=signer,
                )
                self._expect_good(answer, f"order {order.order_id}")
                self._ledger.sent("platform-shop", "Order", answer.claims.accepted)

            await _side_by_side([_later(send, order) for order in orders])

    async def _indicators(self, indicators: tuple[RiskIndicator, ...]) -> None:
        """Over one gRPC stream, to the partner's own gateway."""
        credentials, gateway = development(self._topology.certs, "customs-pn")
        submissions = [
            Submission(
                interchange_id=f"{self._seed}-{indicator.indicator_id}",
                format=PROTO,
                content=document(indicator, PROTO, reference=indicator.indicator_id, at=self._at),
            )
            for indicator in indicators
        ]
        async with (
            GrpcPartyClient(
                self._topology.grpc("gateway-pn"), credentials, gateway=gateway
            ) as client,
            aclosing(client.submit_many(submissions, signer=credentials.signer())) as conversation,
        ):
            async for reply in conversation:
                self._expect_good(reply.result(), "indicator")
                self._ledger.sent("customs-pn", "RiskIndicator", 1)

    def _expect_good(self, answer: Answer, what: str) -> None:
        refused = [f.code for o in answer.outcomes for f in o.faults if f.refuses]
        if refused or answer.claims.refused:
            self._ledger.surprise(f"{what}: refused for {sorted(set(refused))}")

    @asynccontextmanager
    async def _https(self, party: str) -> AsyncIterator[tuple[PartyClient, Signer | None]]:
        credentials, gateway = development(self._topology.certs, party)
        url = self._topology.url("gateway-lx")
        async with PartyClient(url, credentials, gateway=gateway) as client:
            yield client, credentials.signer()


def _later(send: Callable[[Order], Awaitable[None]], order: Order) -> Callable[[], Awaitable[None]]:
    return lambda: send(order)


async def _side_by_side(calls: list[Callable[[], Awaitable[None]]]) -> None:
    """All calls, a few at a time; the first failure ends the others."""
    slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(call: Callable[[], Awaitable[None]]) -> None:
        async with slots:
            await call()

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(one(call))


def _read_receipt(folder: Path, name: str) -> dict[str, object] | None:
    for found in folder.rglob(f"{name}*.receipt.json"):
        receipt: dict[str, object] = msgspec.json.decode(found.read_bytes())
        return receipt
    return None


def _drop(folder: Path, name: str, content: bytes) -> None:
    """A file appears by rename, whole."""
    part = folder / f".{name}.part"
    part.write_bytes(content)
    part.rename(folder / name)
