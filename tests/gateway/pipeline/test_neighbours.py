"""Several destinations, and a long backlog: what one does costs the others nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from gateway.core.destinations import Breaker
from gateway.pipeline.settings import BreakerSettings
from gateway.store.sqlite import open_sqlite
from tests.gateway.pipeline.sending import SETTINGS, Clock, Sending

replace = msgspec.structs.replace
CHUNK = 500


async def test_while_one_destination_hangs_the_others_get_everything(tmp_path: Path) -> None:
    clock = Clock()
    journal = await open_sqlite(tmp_path / "journal.db", gateway=1, clock=clock)
    patient = replace(SETTINGS, timeout=60, lease=300)
    nodes = [
        Sending(journal, clock, settings=patient, destination=name, node="node-a")
        for name in ("hangs", "first", "second")
    ]

    async def hang(_: str) -> None:
        await asyncio.sleep(60)

    nodes[0].receiver.behave = hang
    names = [node.destination for node in nodes]
    tasks = []
    for node in nodes:
        await node.board.refresh()
        tasks.append(asyncio.create_task(node.dispatcher().run()))
    for chunk in range(6):
        await nodes[0].queue(*(f"m-{chunk}-{n}" for n in range(50)), to=names)
        for node in nodes:
            node.bell.ring(names)
    for node in nodes[1:]:
        await node.until(lambda node=node: len(node.receiver.got) == 300)  # type: ignore[misc]  # a lambda with a default
    assert [] == nodes[0].receiver.got
    assert 28 == nodes[0].receiver.under_way  # all slots but those for what is urgent
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await journal.close()


async def test_after_an_outage_a_do_not_load_goes_before_all_that_waited(tmp_path: Path) -> None:
    clock = Clock()
    journal = await open_sqlite(tmp_path / "journal.db", gateway=1, clock=clock)
    sending = Sending(
        journal,
        clock,
        settings=replace(
            SETTINGS, breaker=BreakerSettings(failures=1, first_pause=1.0, longest_pause=1.0)
        ),
    )
    for first in range(0, 4_000, CHUNK):
        await sending.queue(*(f"order-{n}" for n in range(first, first + CHUNK)))
    sending.receiver.down()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sending.running())
        await sending.until(lambda: sending.board.of("risk").breaker is Breaker.OPEN)
        await sending.queue("do-not-load", lane=0)
        sending.receiver.up()
        clock.move(1)
        await sending.until(lambda: "do-not-load" in sending.receiver.got)

    assert sending.receiver.got.index("do-not-load") < 2  # the probe is two keys
    await journal.close()


async def test_a_backlog_drains_in_the_order_of_each_key(tmp_path: Path) -> None:
    clock = Clock()
    journal = await open_sqlite(tmp_path / "journal.db", gateway=1, clock=clock)
    sending = Sending(journal, clock)
    sending.receiver.down()
    async with sending.running():
        for version in range(20):
            for key in ("a", "b", "c"):
                await sending.queue(f"{key}.{version:02}", key=key)
        await sending.until(lambda: sending.board.of("risk").breaker is not Breaker.CLOSED)
        sending.receiver.up()
        await sending.until(lambda: len(sending.receiver.got) == 60)

    for key in "abc":
        mine = [text for text in sending.receiver.got if text[0] == key]
        assert sorted(mine) == mine
    assert () == await journal.backlog()
    await journal.close()
