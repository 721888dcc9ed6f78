"""Looking at what arrived, where it arrived: at the receivers, never at the gateway's word."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.client.credentials import development
from gateway.client.https import PartyClient
from gateway.core.awaiting import AwaitedCount
from gateway.demo.agreed import trespasses
from gateway.demo.ledger import Ledger
from gateway.demo.patience import until
from gateway.demo.plan import JSON, DemoPlan
from gateway.demo.processes import DemoError
from gateway.demo.topology import BACKENDS, GATEWAYS, Topology
from translators.canonical import CustomsResponse, Message
from translators.registry import standard
from translators.translator import FormatId, decode

HELD = frozenset({"held", "held-other-agency", "detained"})
FINAL = HELD | {"released", "released-on-payment", "returned", "refused", "seized"}
CUSRSP = FormatId("upu.cusrsp.1")
ANSWERS = (
    ("risk", "RiskAssessment", "clearance"),
    ("revenue", "RevenueAssessment", "clearance"),
    ("clearance", "CustomsResponse", "post-a"),
    ("risk", "RiskIndicator", "customs-pn"),
)
"""Back end, kind and receiver: every answer of the kind must come there, once."""


class Observer:
    """Reads folders, inboxes and the back ends' own counts into the ledger."""

    def __init__(self, topology: Topology, plan: DemoPlan, ledger: Ledger) -> None:
        self._topology = topology
        self._plan = plan
        self._ledger = ledger
        self._formats = standard()
        self._looking = asyncio.Lock()
        self._responses: dict[Path, CustomsResponse] = {}
        self._pulled: dict[str, dict[str, Message]] = {"platform-shop": {}, "customs-pn": {}}

    def expect(self) -> None:
        """What must have come where when all is over."""
        orders = len(self._plan.placed) + len(self._plan.shipped)
        items, ledger = len(self._plan.items), self._ledger
        for backend in ("risk", "revenue", "clearance"):
            ledger.expect(backend, "ItemDeclaration", items)
        for backend in ("risk", "revenue"):
            ledger.expect(backend, "Order", orders)
        ledger.expect("risk", "RiskIndicator", len(self._plan.early) + len(self._plan.late))
        ledger.expect("post-a", "items decided", items)
        ledger.expect("post-a", "items held for an indicator", len(self._plan.held))
        ledger.expect("platform-shop", "orders assessed", orders)
        ledger.expect("customs-pn", "results of own indicators", len(self._plan.held))

    async def until_at(self, backend: str, kind: str, count: int) -> None:
        """Wait until a back end has that many messages of a kind."""
        await self._until(
            lambda summary: summary["kinds"].get(kind, {}).get("received", 0) >= count,
            backend,
            f"{count} {kind}",
        )

    async def until_assessed(self, items: int) -> None:
        """Wait until risk has assessed that many messages."""
        await self._until(
            lambda summary: (
                summary["answers"]["kinds"].get("RiskAssessment", {}).get("acknowledged", 0)
                >= items
            ),
            "risk",
            f"{items} assessments",
        )

    async def _until(
        self, condition: Callable[[dict[str, Any]], bool], backend: str, what: str
    ) -> None:
        async def look() -> bool | None:
            return condition(await self.summary(backend)) or None

        await until(look, what=f"{backend} gets {what}")

    async def summary(self, backend: str) -> dict[str, Any]:
        """What a back end's own ledger counts, read beside the running process."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"backends.{backend}",
            "--config",
            str(self._topology.config(backend)),
            "--summary",
            "--json",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, complaint = await process.communicate()
        if process.returncode != 0:
            raise DemoError(f"{backend}: no summary: {complaint.decode(errors='replace')[-500:]}")
        summary: dict[str, Any] = msgspec.json.decode(output)
        return summary

    async def complete(self) -> bool:
        """Look everywhere; true when nothing is missing and nothing is under way."""
        await self.look()
        if self._ledger.lost:
            return False
        backlogs = await asyncio.gather(*(self._backlog(gateway) for gateway in GATEWAYS))
        if any(backlogs) or await self._answers_waiting() or await self._awaited():
            return False
        self._ledger.step("risk and revenue have answered everything that they were to answer")
        return True

    async def look(self) -> None:
        """Read what every receiver has into the ledger; one look at a time."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        summaries = await asyncio.gather(*(self.summary(backend) for backend in BACKENDS))
        for backend, summary in zip(BACKENDS, summaries, strict=True):
            for kind, states in summary["kinds"].items():
                self._ledger.got(backend, kind, states["received"])
            if summary["refused"]:
                self._ledger.surprise(f"{backend} refused {summary['refused']} deliveries")
        said = dict(zip(BACKENDS, summaries, strict=True))
        for backend, kind, receiver in ANSWERS:
            answers = said[backend]["answers"]["kinds"].get(kind, {}).get("acknowledged", 0)
            self._ledger.expect(receiver, kind, answers)
        await asyncio.to_thread(self._read_responses)
        await asyncio.gather(
            self._pull("platform-shop", "gateway-lx"), self._pull("customs-pn", "gateway-pn")
        )
        self._count_responses()
        self._count_pulled()

    async def _answers_waiting(self) -> bool:
        summaries = await asyncio.gather(*(self.summary(backend) for backend in BACKENDS))
        return any(summary["answers"]["waiting"] for summary in summaries)

    async def _awaited(self) -> int:
        """How many deliveries to risk and revenue have no answer yet; overdue ones are told."""
        url = f"{self._topology.operations('gateway-lx')}/control/answers/count"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            counts = msgspec.json.decode(await answer.read(), type=tuple[AwaitedCount, ...])
        counts = tuple(one for one in counts if one.destination in ("risk", "revenue"))
        for one in counts:
            if one.overdue:
                self._ledger.surprise(
                    f"{one.destination} leaves {one.overdue} {one.kind} unanswered"
                )
        return sum(one.awaited for one in counts)

    async def _backlog(self, gateway: str) -> float:
        """What a gateway still has to deliver; inboxes are emptied by :meth:`look`."""
        url = f"{self._topology.operations(gateway)}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            lines = (await answer.text()).splitlines()
        for line in lines:
            if line.startswith("luxor_backlog{") and 'state="held"' in line and _value(line):
                self._ledger.surprise(f"{gateway} holds back {line}")
        return sum(_value(line) for line in lines if line.startswith("luxor_backlog{"))

    def _read_responses(self) -> None:
        cusrsp = self._formats.get(CUSRSP)
        for file in (self._topology.post / "responses").glob("*.xml"):
            if file in self._responses:
                continue
            for message in decode(cusrsp, file.read_bytes()).messages:
                assert isinstance(message, CustomsResponse)
                self._responses[file] = message

    def _count_responses(self) -> None:
        latest: dict[str, CustomsResponse] = {}
        for response in sorted(self._responses.values(), key=lambda r: r.decided_at):
            assert response.item_id is not None
            latest[response.item_id] = response
        known = {item.item_id for item in self._plan.items}
        for stranger in latest.keys() - known:
            self._ledger.surprise(f"the post got a response for {stranger}, which it never sent")
        decided = [r for r in latest.values() if r.decision in FINAL]
        held = {r.item_id for r in decided if r.decision in HELD}
        self._ledger.got("post-a", "CustomsResponse", len(self._responses))
        self._ledger.got("post-a", "items decided", len(decided))
        self._ledger.got(
            "post-a",
            "items held for an indicator",
            len(held.intersection(self._plan.held.values())),
        )

    async def _pull(self, party: str, gateway: str) -> None:
        """Empty an inbox, acknowledging what was read."""
        credentials, peer = development(self._topology.certs, party)
        async with PartyClient(self._topology.url(gateway), credentials, gateway=peer) as client:
            while True:
                page = await client.inbox(limit=500, format=JSON)
                if page.cursor is None:
                    return
                for entry in page.messages:
                    translator = self._formats.get(entry.format)
                    (message,) = decode(translator, entry.content).messages
                    self._pulled[party][entry.message_id] = message
                await client.acknowledge(page.cursor)

    def _count_pulled(self) -> None:
        for party, messages in self._pulled.items():
            kinds: dict[str, int] = {}
            for message_id, message in messages.items():
                kind = type(message).__name__
                kinds[kind] = kinds.get(kind, 0) + 1
                if message.provenance is not None:
                    self._ledger.seen(party, _source(message), message_id)
            for kind, count in kinds.items():
                self._ledger.got(party, kind, count)
        assessed = {
            message.regards
            for message in self._pulled["platform-shop"].values()
            if hasattr(message, "regards") and message.regards is not None
        }
        self._ledger.got("platform-shop", "orders assessed", len(assessed))
        for message in self._pulled["customs-pn"].values():
            for trespass in trespasses(message):
                self._ledger.surprise(trespass)
        results = {
            indicator.rpartition("/")[2]
            for message in self._pulled["customs-pn"].values()
            for indicator in getattr(message, "indicators", ())
        }
        self._ledger.got(
            "customs-pn", "results of own indicators", len(results & self._plan.held.keys())
        )

    def watch_logs(self) -> None:
        """Errors in a log, and stack traces anywhere, are surprises."""
        for name in (*GATEWAYS, *BACKENDS):
            log = self._topology.place(name) / f"{name}.log"
            for line in log.read_text("utf-8", errors="replace").splitlines():
                if '"level": "error"' in line or "Traceback" in line:
                    self._ledger.surprise(f"{name}: {line[:300]}")


def _value(line: str) -> float:
    return float(line.rsplit(" ", 1)[1])


def _source(message: Message) -> tuple[str, ...]:
    """By what a sender's message is known: the interchange, and what the message is about."""
    assert message.provenance is not None
    about = tuple(
        str(getattr(message, name, ""))
        for name in ("item_id", "order_id", "indicator_id", "version", "regards")
    )
    return (message.provenance.party, message.provenance.interchange_id, *about)
