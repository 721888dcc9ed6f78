"""Journals with many messages, for the benchmarks: made up, accepted through the port in groups."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.durable import database
from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import (
    Acceptance,
    PlannedLeg,
    PlannedMessage,
    Result,
    Settlement,
    State,
    Subject,
)
from gateway.demo.generator import item, s10
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import Limits, open_sqlite
from translators.translator import FormatId
from trust.identity import PartyId

START = datetime(2026, 3, 1, tzinfo=UTC)
POST, PLATFORM = PartyId("post-a"), PartyId("platform-b")
RECEIPT = "eyJhbGciOiJFUzI1NiJ9." + "A" * 560 + "." + "B" * 86
"""As long as a real one: its payload is not compressed."""
AT_ONCE = 512
_BODIES = 512
SERIALS = 100_000_000
"""Of an S10 service indicator."""
SCATTER = 38_196_601
"""Has no divisor with `SERIALS` in common, so that each serial comes once; about its golden cut."""


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        """The time."""
        return self.at


class Traffic:
    """Every second message is an order, every second an item that names it; S10 as posts issue.

    ``scattered``: serials jump about instead, each once, far from the one before.
    """

    def __init__(self, seed: int = 7, *, scattered: bool = False) -> None:
        self._step = SCATTER if scattered else 1
        self._bodies = [msgspec.json.encode(item(seed, n, at=START)) for n in range(_BODIES)]

    def item_id(self, number: int) -> str:
        """The identifier of the item of message ``number``."""
        return s10("CP", number // 2 * self._step % SERIALS, "NL")

    def acceptance(self, record: RecordNumber, number: int, *, at: datetime) -> Acceptance:
        """Message ``number`` in an interchange of its own, with one leg."""
        body = self._bodies[number % _BODIES]
        about = Subject("item", self.item_id(number), "NL")
        order = Subject("order", f"ORDER-{number // 2:09}")
        is_order = number % 2 == 0
        message = PlannedMessage(
            ordinal=1,
            kind="Order" if is_order else "ItemDeclaration",
            body=body,
            subjects=(order,) if is_order else (about, order),
            legs=(PlannedLeg(destination="risk", route="to-risk"),),
        )
        return Acceptance(
            record=record,
            party=PLATFORM if is_order else POST,
            interchange_id=InterchangeId(f"bench-{number}"),
            attempt=1,
            state=State.ACCEPTED,
            format=FormatId("luxor.json.1"),
            transport="https",
            digest=hashlib.sha256(body).hexdigest(),
            size=len(body),
            received_at=at,
            accepted=1,
            refused=0,
            receipt=RECEIPT,
            outcomes=b'[{"ordinal":1,"status":"accepted","kind":"Order","key":"%d"}]' % number,
            raw=(body,),
            messages=(message,),
        )


@asynccontextmanager
async def journal_in(store: str, clock: Clock) -> AsyncIterator[tuple[Journal, Path | None]]:
    """An empty journal in ``sqlite`` or ``postgres``, and its file if it has one."""
    with ExitStack() as stack:
        journal: Journal
        path = None
        if store == "postgres":
            url = stack.enter_context(database())
            journal = await open_postgres(url, gateway=7, clock=clock)
        else:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "journal.db"
            limits = Limits(cache_bytes=256 << 20)
            journal = await open_sqlite(path, gateway=7, clock=clock, limits=limits)
        try:
            yield journal, path
        finally:
            await journal.close()


async def accept(journal: Journal, traffic: Traffic, numbers: range, clock: Clock) -> None:
    """Journal these messages, many at once, so that they share transactions."""
    waiting = iter(numbers)

    async def one_after_the_other() -> None:
        for number in waiting:
            record = await journal.reserve()
            await journal.commit(traffic.acceptance(record, number, at=clock()))

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def deliver(journal: Journal, clock: Clock) -> int:
    """Deliver all that waits; how many."""
    count = 0
    while (lease := await journal.lease("risk", limit=512, seconds=60, now=clock())) is not None:
        done = [Settlement(delivery=d, result=Result.DELIVERED) for d in lease.deliveries]
        await journal.settle(lease, done, now=clock())
        count += len(done)
    return count


def blocks(count: int, size: int, *, first: int = 0) -> Iterator[range]:
    """The numbers from ``first`` to below ``count`` in blocks."""
    for start in range(first, count, size):
        yield range(start, min(start + size, count))


async def fill(
    journal: Journal,
    traffic: Traffic,
    count: int,
    clock: Clock,
    *,
    over: timedelta,
    first: int = 0,
) -> None:
    """Journal and deliver the messages below ``count``, received evenly over a time."""
    for block in blocks(count, 10_000, first=first):
        clock.at = START + over * (block.start / count)
        await accept(journal, traffic, block, clock)
        await deliver(journal, clock)
