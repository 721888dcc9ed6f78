"""Several nodes on one database: no key at two of them at once, no order lost, no deadlock."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest

from gateway.config.retention import RetentionDays, RetentionSection
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.records import Result, Stored
from gateway.core.retention import Budget, Rule
from gateway.store.postgres import Limits, PostgresJournal, members, open_postgres, pruning
from gateway.store.postgres.partitions import AHEAD, TABLES, partition, window_at
from tests.gateway.store.samples import (
    GATEWAY,
    POST,
    ManualClock,
    acceptance,
    item,
    legs,
    message,
    settled,
)
from tests.postgres import database

HANG_SECONDS = 60
AT_ONCE = Budget(rows=100, rest=0.0, seconds=60.0)
RULES = RetentionSection(
    days=RetentionDays(**dict.fromkeys(RetentionDays.__struct_fields__, 10))
).rules
_LOCK_AWAITED = """
SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()
"""


@asynccontextmanager
async def nodes(count: int = 2, **limits: Any) -> AsyncIterator[tuple[Any, ...]]:
    """An onlooker's connection, the clock of all, and so many openings of one database."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        url = stack.enter_context(database())
        onlooker = await asyncpg.connect(url)
        stack.push_async_callback(onlooker.close)
        opened = []
        for _ in range(count):
            node = await open_postgres(url, gateway=GATEWAY, clock=clock, limits=Limits(**limits))
            stack.push_async_callback(node.close)
            opened.append(node)
        yield onlooker, clock, *opened


async def send(node: PostgresJournal, name: str, *keys: int, **more: Any) -> Stored:
    """Accept one interchange with a message about all these items, ordered by the first."""
    about = tuple(item(key) for key in keys)
    one = message(1, subjects=about, legs=more.pop("to", legs("risk")))
    record = await node.reserve()
    return await node.commit(
        acceptance(record, name, messages=[one], content=name.encode(), **more)
    )


async def test_two_nodes_that_claim_at_once_never_have_one_key() -> None:
    async with nodes() as (_, clock, first, second):
        await asyncio.gather(*(send(first, f"m{n}", n % 30) for n in range(120)))
        held: set[int] = set()
        delivered: defaultdict[int, list[int]] = defaultdict(list)

        async def work(node: PostgresJournal) -> None:
            idle = 0
            while idle < 3:
                lease = await node.lease("risk", limit=4, seconds=60, now=clock.at, legs=6)
                if lease is None:
                    idle += 1
                    await node.tick(now=clock.at)
                    continue
                keys = {delivery.key for delivery in lease.deliveries}
                assert not keys & held
                held.update(keys)
                await asyncio.sleep(0)
                for delivery in lease.deliveries:
                    delivered[delivery.key].append(delivery.message.version)
                held.difference_update(keys)
                await node.settle(lease, [settled(d) for d in lease.deliveries], now=clock.at)

        async with asyncio.timeout(HANG_SECONDS):
            await asyncio.gather(*(work(node) for node in (first, second) for _ in range(2)))
        assert await first.backlog() == ()
        assert dict(delivered) == {key: [1, 2, 3, 4] for key in delivered}
        assert len(delivered) == 30


async def test_accepting_the_same_subjects_at_once_neither_deadlocks_nor_skips_a_version() -> None:
    async with nodes() as (onlooker, _, first, second):

        async def accept(node: PostgresJournal, name: str, step: int) -> None:
            for n in range(25):
                keys = [(n + step * k) % 7 for k in range(4)]
                await send(node, f"{name}{n}", *dict.fromkeys(keys), to=legs("risk", "revenue"))

        async with asyncio.timeout(HANG_SECONDS):
            await asyncio.gather(
                *(accept(first, f"a{n}-", 1) for n in range(3)),
                *(accept(second, f"b{n}-", 6) for n in range(3)),
            )
        versions = await onlooker.fetch(
            "SELECT array_agg(version ORDER BY version) FROM message GROUP BY subject"
        )
        assert [list(row[0]) for row in versions] == [
            list(range(1, len(row[0]) + 1)) for row in versions
        ]
        assert sum(len(row[0]) for row in versions) == 150
        assert await onlooker.fetchval("SELECT count(*) FROM subject") == 7
        assert await deadlocks(onlooker) == 0


async def test_large_interchanges_and_settlements_do_not_deadlock() -> None:
    async with nodes() as (onlooker, clock, first, second):

        async def accept(node: PostgresJournal, name: str, keys: list[int]) -> None:
            for n in range(3):
                many = [
                    message(at, about=item(key), legs=legs("risk"))
                    for at, key in enumerate(keys, 1)
                ]
                record = await node.reserve()
                await node.stage(
                    record, party=POST, interchange_id=InterchangeId(f"{name}{n}"), messages=many
                )
                await node.commit(
                    acceptance(
                        record, f"{name}{n}", messages=(), content=name.encode(), staged=True
                    )
                )

        async def deliver(node: PostgresJournal, done: asyncio.Event) -> None:
            while not done.is_set():
                lease = await node.lease("risk", limit=50, seconds=60, now=clock.at)
                if lease is not None:
                    backwards = [settled(d) for d in reversed(lease.deliveries)]
                    await node.settle(lease, backwards, now=clock.at)
                await asyncio.sleep(0)

        done = asyncio.Event()
        async with asyncio.timeout(HANG_SECONDS), asyncio.TaskGroup() as group:
            group.create_task(deliver(first, done))
            group.create_task(deliver(second, done))
            up, down = list(range(700)), list(reversed(range(700)))
            await asyncio.gather(accept(first, "up", up), accept(second, "down", down))
            done.set()
        assert await deadlocks(onlooker) == 0
        latest = await onlooker.fetch("SELECT DISTINCT latest FROM version")
        assert [tuple(row) for row in latest] == [(6,)]


async def deadlocks(onlooker: Any) -> int:
    """Since the server's start; nothing else runs on it."""
    await onlooker.execute("SELECT pg_stat_force_next_flush()")
    count: int = await onlooker.fetchval("SELECT sum(deadlocks)::bigint FROM pg_stat_database")
    return count


async def test_an_id_that_two_nodes_get_at_once_is_accepted_by_one() -> None:
    async with nodes() as (onlooker, _, first, second):
        for n in range(10):
            answers = await asyncio.gather(
                *(send(node, f"m{n}", n) for node in (first, second) for _ in range(2))
            )
            assert len({answer.record for answer in answers}) == 1
            assert sorted(answer.repeated for answer in answers) == [False, True, True, True]
        assert await onlooker.fetchval("SELECT count(*) FROM message") == 10


async def test_a_reference_that_two_nodes_get_at_once_is_used_by_one() -> None:
    async with nodes() as (onlooker, _, first, second):
        answers = await asyncio.gather(
            send(first, "one", 1, control_reference="R"),
            send(second, "two", 2, control_reference="R"),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert [error.code for error in refused] == ["interchange.control-reference"]
        # Of the one that was refused nothing is used up.
        assert await onlooker.fetchval("SELECT count(*) FROM seen") == 2


async def test_what_one_node_accepts_wakes_another() -> None:
    async with nodes() as (_, _, first, second):
        async with asyncio.timeout(HANG_SECONDS):
            await first._opened.listener.listening.wait()
            await second._opened.listener.listening.wait()
        await send(first, "one", 1, to=legs("risk", "revenue"))
        woken: set[str] = set()
        while woken != {"risk", "revenue"}:
            told = await second.wake(seconds=HANG_SECONDS)
            assert told
            woken |= told


async def test_numbers_are_unique_among_nodes_and_never_fall() -> None:
    async with nodes() as (_, clock, first, second):
        drawn = [await node.reserve() for node in (first, second) for _ in range(1_500)]
        assert len(set(drawn)) == 3_000
        clock.move(minutes=-30)
        assert await first.reserve() > max(drawn[:1_500])


async def test_what_a_killed_process_left_on_this_machine_is_put_right_by_the_next_one() -> None:
    async with nodes(1) as (onlooker, clock, node):
        dead = await left_behind(onlooker, node, clock, ended_process())
        await sign_of_life(node)
        assert await states(onlooker) == [0]
        assert await onlooker.fetchval("SELECT count(*) FROM staged") == 0
        assert await onlooker.fetchval("SELECT count(*) FROM plan") == 0
        assert await onlooker.fetchval("SELECT count(*) FROM process WHERE id = $1", dead) == 0


async def test_a_silent_node_elsewhere_keeps_its_leases_until_they_run_out() -> None:
    async with nodes(1) as (onlooker, clock, node):
        silent = await left_behind(onlooker, node, clock, "another-boot pid:[1] 7 7")
        await sign_of_life(node)
        assert await onlooker.fetchval("SELECT count(*) FROM staged") == 1
        await onlooker.execute(
            "UPDATE process SET seen = seen - interval '61 seconds' WHERE id = $1", silent
        )
        await sign_of_life(node)
        assert await onlooker.fetchval("SELECT count(*) FROM staged") == 0
        assert await states(onlooker) == [1]  # it may still be sending
        assert await node.tick(now=clock.move(seconds=61)) == {"risk"}


async def test_nobody_takes_a_living_process_for_gone() -> None:
    async with nodes() as (onlooker, clock, first, second):
        await send(first, "one", 1)
        assert await first.lease("risk", limit=1, seconds=60, now=clock.at) is not None
        await sign_of_life(second)
        assert await states(onlooker) == [1]
        assert await onlooker.fetchval("SELECT count(*) FROM process") == 2


async def test_a_process_of_another_user_that_the_system_hides_is_not_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with nodes(1) as (onlooker, clock, node):
        parent = members._presence(os.getppid())
        await left_behind(onlooker, node, clock, parent)
        presence = members._presence
        # proc(5), hidepid: of processes of other users there is no folder.
        monkeypatch.setattr(
            members, "_presence", lambda pid: "" if pid == os.getppid() else presence(pid)
        )
        await sign_of_life(node)
        assert await states(onlooker) == [1]
        assert await onlooker.fetchval("SELECT count(*) FROM staged") == 1


async def test_what_was_staged_and_cleared_away_meanwhile_is_not_taken_for_the_whole() -> None:
    async with nodes() as (onlooker, _, first, second):
        record = await first.reserve()

        async def chunk(n: int) -> None:
            await first.stage(
                record, party=POST, interchange_id=InterchangeId("x"), messages=[message(n)]
            )

        await chunk(1)
        await onlooker.execute(
            "UPDATE process SET presence = '', seen = seen - interval '61 seconds' WHERE id = $1",
            first._opened.member.name,
        )
        await sign_of_life(second)
        with pytest.raises(Unavailable):
            await chunk(2)
        whole = acceptance(record, messages=(), staged=True, accepted=2)
        with pytest.raises(Unavailable):
            await first.commit(whole)
        await first.discard(record)
        assert await first.find(POST, InterchangeId("first")) is None
        assert await onlooker.fetchval("SELECT count(*) FROM leg") == 0


@pytest.mark.parametrize(
    ("days", "step"), [(11, "items"), (200, "before"), (200, "window")], ids=str
)
async def test_what_is_put_on_hold_while_content_is_removed_is_there_or_was_gone_before(
    monkeypatch: pytest.MonkeyPatch, days: int, step: str
) -> None:
    async with nodes() as (onlooker, clock, first, second):
        stored = await send(first, "one", 1, to=())
        clock.move(days=days)
        held, remove = pruning.held, pruning.remove
        steps = ["before", "window"]  # a window is judged twice, the second time for good
        placing: list[asyncio.Task[bytes | None]] = []

        async def place() -> bytes | None:
            await second.holds.add(reason="case", by="officer", now=clock.at, record=stored.record)
            found: bytes | None = await second.raw(stored.record, 0)
            return found

        async def of_rule(connection: Any, rule: Rule, *given: Any, **more: Any) -> Any:
            steps[:] = [rule.name]
            return await remove(connection, rule, *given, **more)

        async def meanwhile(
            connection: Any, since: int, end: int, now: int
        ) -> tuple[set[tuple[int, int]], set[int]]:
            found = await held(connection, since, end, now)
            if since <= stored.record < end and steps and steps.pop(0) == step:
                placing.append(asyncio.create_task(place()))
                while not placing[0].done() and not await onlooker.fetchval(_LOCK_AWAITED):  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(0.01)
            return found

        monkeypatch.setattr(pruning, "held", meanwhile)
        monkeypatch.setattr(pruning, "remove", of_rule)
        await first.retention.prune(RULES, now=clock.at, budget=AT_ONCE)
        (there,) = [await task for task in placing]
        assert await first.raw(stored.record, 0) == there
        assert (there is None) == (step != "before")


async def left_behind(
    onlooker: Any, node: PostgresJournal, clock: ManualClock, presence: str
) -> str:
    """A lease and a staged chunk of a process that is described so; its name."""
    await send(node, "one", 1)
    record = await node.reserve()
    await node.stage(record, party=POST, interchange_id=InterchangeId("x"), messages=[message(1)])
    assert await node.lease("risk", limit=1, seconds=60, now=clock.at) is not None
    name = "0" * 12
    await onlooker.execute("UPDATE staged SET owner = $1", name)
    await onlooker.execute("UPDATE head SET token = $1 || '.1.' || wake", name)
    await onlooker.execute(
        "INSERT INTO process VALUES ($1, $2, 0, clock_timestamp())", name, presence
    )
    return name


def ended_process() -> str:
    """How a process is described that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        presence = members._presence(process.pid)
        process.kill()
    assert presence
    return presence


async def sign_of_life(node: PostgresJournal) -> None:
    async with node._opened.write.transaction() as connection:
        await node._opened.member.live(connection)


async def states(onlooker: Any) -> list[int]:
    return [row[0] for row in await onlooker.fetch("SELECT state FROM head ORDER BY key")]


async def test_partitions_are_there_before_their_time_and_when_the_clock_jumps() -> None:
    async with nodes(1) as (onlooker, clock, node):
        now = window_at(clock.at)
        ahead = [partition(table, now + n) for table in TABLES for n in range(AHEAD + 1)]
        assert [name for name in ahead if not await exists(onlooker, name)] == []
        clock.move(days=700)
        await send(node, "late", 1)
        assert await exists(onlooker, partition("message", window_at(clock.at)))


async def exists(onlooker: Any, name: str) -> bool:
    found: bool = await onlooker.fetchval("SELECT to_regclass($1) IS NOT NULL", name)
    return found


async def test_a_claim_that_is_cut_short_gives_the_rest_to_others() -> None:
    async with nodes(lease_bytes=1) as (_, clock, first, second):
        for n in range(3):
            await send(first, f"m{n}", n)
        mine = await first.lease("risk", limit=3, seconds=60, now=clock.at)
        theirs = await second.lease("risk", limit=3, seconds=60, now=clock.at)
        assert mine is not None
        assert theirs is not None
        assert [len(lease.deliveries) for lease in (mine, theirs)] == [1, 1]
        assert mine.deliveries[0].key != theirs.deliveries[0].key


async def test_what_a_receiver_says_is_kept_also_when_no_text_column_takes_it() -> None:
    async with nodes(1) as (_, clock, node):
        stored = await send(node, "one", 1)
        lease = await node.lease("risk", limit=1, seconds=60, now=clock.at)
        assert lease is not None
        odd = settled(lease.deliveries[0], Result.BURIED, code="c\0", detail="a\0b\udc80")
        await node.settle(lease, [odd], now=clock.at)
        (leg,) = await node.legs(RecordNumber(stored.record))
        assert (leg.code, leg.detail) == (
            "c\N{REPLACEMENT CHARACTER}",
            "a\N{REPLACEMENT CHARACTER}b?",
        )


async def test_a_value_that_no_column_takes_is_a_mistake_of_the_caller_alone() -> None:
    async with nodes(1) as (_, _, node):
        good, bad = await asyncio.gather(
            send(node, "good", 1), send(node, "b\0d", 2), return_exceptions=True
        )
        assert isinstance(good, Stored)
        assert isinstance(bad, ValueError)


async def test_what_was_leased_before_an_urgent_one_came_goes_on_in_its_lane_after_it() -> None:
    async with nodes() as (onlooker, clock, first, second):
        await send(first, "one", 1, to=legs("risk", lane=2))
        lease = await first.lease("risk", limit=1, seconds=60, now=clock.at)
        await send(second, "two", 1, to=legs("risk", lane=0))
        await send(second, "three", 1, to=legs("risk", lane=3))
        assert lease is not None
        await first.settle(lease, [settled(lease.deliveries[0])], now=clock.at)
        assert [tuple(r) for r in await onlooker.fetch("SELECT lane, state FROM head")] == [(0, 0)]
        urgent = await second.lease("risk", limit=1, seconds=60, now=clock.at, legs=1, lanes=(0,))
        assert urgent is not None
        await second.settle(urgent, [settled(urgent.deliveries[0])], now=clock.at)
        rows = await onlooker.fetch("SELECT lane, urgent FROM head")
        assert [tuple(row) for row in rows] == [(3, 0)]


def test_a_process_is_told_from_another_with_its_number() -> None:
    mine = members._presence(os.getpid())
    assert mine
    assert not members._gone(mine)
    assert members._gone(mine + "0")
    assert not members._gone("")
