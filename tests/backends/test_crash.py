"""``kill -9`` in the middle of a load: what has a receipt is there, and nothing is there twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from tests.backends.network import WAIT, Backend, Gateway, deliver
from tests.samples import item, s10
from translators.wire.exchange.v1 import exchange_pb2 as wire

Start = Callable[..., Awaitable[Backend]]

ITEMS = 240
KILLS = 3


async def test_a_killed_back_end_loses_and_doubles_nothing(gateway: Gateway, start: Start) -> None:
    risk = await start("risk")
    waiting = {
        f"m-{n}": gateway.submission(item(item_id=s10(n)), f"m-{n}") for n in range(1, ITEMS + 1)
    }
    everything = dict(waiting)
    receipts: dict[str, str] = {}
    for kill in range(KILLS + 1):
        replies = await _load(
            gateway, risk, waiting.values(), kill_at=None if kill == KILLS else 40
        )
        for name, reply in replies.items():
            assert reply.status == wire.STATUS_ACCEPTED
            receipts[name] = reply.receipt
            del waiting[name]
        if kill < KILLS:
            await risk.start()
    assert not waiting
    answers = await gateway.until_answers(ITEMS)
    assert Counter(answer.regards for answer in answers) == Counter(everything.keys())
    async with gateway.calling(risk.address) as stub:
        again = await deliver(stub, everything.values())
    assert {name: reply.receipt for name, reply in again.items()} == receipts
    counts = await risk.until(lambda found: found["answers"]["waiting"] == 0)
    assert (counts["applied"], counts["stale"], counts["refused"]) == (ITEMS, 0, 0)
    assert counts["answers"]["acknowledged"] == ITEMS
    assert len(gateway.answers) == ITEMS


async def _load(
    gateway: Gateway,
    backend: Backend,
    submissions: Iterable[wire.Submission],
    *,
    kill_at: int | None,
) -> dict[str, wire.SubmitReply]:
    """Deliver; after so many replies kill the receiver, which is in the middle of the next."""
    killed = asyncio.Event()

    def on_reply(count: int) -> None:
        if count == kill_at:
            killed.set()

    async with gateway.calling(backend.address) as stub, asyncio.TaskGroup() as tasks:
        loading = tasks.create_task(deliver(stub, submissions, on_reply=on_reply))
        if kill_at is not None:
            async with asyncio.timeout(WAIT):
                await killed.wait()
            await backend.kill()
        return await loading
