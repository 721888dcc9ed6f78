"""Whatever the statistics say, no statement of the queue walks through a table."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from gateway.store.lanes import LANES
from gateway.store.postgres.claim import CLAIM
from gateway.store.postgres.connection import Concern, settings
from gateway.store.postgres.heads import FREE_DUE, READY
from gateway.store.postgres.messages import WITH_BODY
from gateway.store.postgres.partitions import ensure
from gateway.store.postgres.settle import DELETE_LEGS, FOLLOWING, HEADS
from tests.postgres import database

# One destination has nearly everything, and nearly all of it waits for a retry.
SKEWED = """
INSERT INTO head SELECT CASE WHEN n % 500 = 0 THEN 'rare' ELSE 'common' END, n,
 CASE WHEN n % 50 = 0 THEN 0 ELSE 2 END, CASE WHEN n % 1000 = 0 THEN 0 ELSE 2 END,
 n, n, 'token', 1, 1, 0 FROM generate_series(1, 20000) AS n;
INSERT INTO leg SELECT destination, key, seq, lane, due, key, 1, 'route', 0, 100
FROM head, generate_series(1, 2) AS seq;
"""
STATEMENTS: dict[str, tuple[str, tuple[object, ...]]] = {
    "claim": (CLAIM, ("common", 5, "t", *([64] * LANES))),
    "claim of few": (CLAIM, ("rare", 5, "t", *([1] * LANES))),
    "free what is due": (FREE_DUE, (10,)),
    "who has something": (READY, ()),
    "lock heads": (HEADS, ("common", list(range(1, 257)), "token")),
    "delete legs": (DELETE_LEGS, ("common", list(range(1, 257)), [1] * 256)),
    "what follows": (FOLLOWING, ("common", list(range(1, 257)), [1] * 256)),
}


@asynccontextmanager
async def connected(concern: Concern, **more: str) -> AsyncIterator[Any]:
    with database() as url:
        connection = await asyncpg.connect(url, server_settings={**settings(concern), **more})
        try:
            yield connection
        finally:
            await connection.execute("TRUNCATE head, leg")
            await connection.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def explained(
    connection: Any, statement: str, arguments: tuple[object, ...]
) -> dict[str, Any]:
    """The plan of a prepared statement, with what is known when it is executed."""
    await connection.execute(f"PREPARE asked AS {statement}")
    given = ", ".join(literal(argument) for argument in arguments)
    call = f"EXECUTE asked ({given})" if given else "EXECUTE asked"
    transaction = connection.transaction()
    await transaction.start()
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {call}")
    await transaction.rollback()
    await connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


async def walked(connection: Any, statement: str, arguments: tuple[object, ...]) -> list[str]:
    """Nodes of the plan that read a table of the queue otherwise than by a probe."""
    plan = await explained(connection, statement, arguments)
    return [
        f"{node['Node Type']} on {node['Relation Name']}"
        for node in nodes(plan)
        if node.get("Relation Name") in ("head", "leg")
        and node["Node Type"] not in ("ModifyTable", "Tid Scan")
        and not (node["Node Type"].startswith("Index") and "Index Cond" in node)
        and node.get("Index Name") != "head_ready"
    ]


def literal(value: object) -> str:
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(str, value))}]::bigint[]"
    return f"'{value}'" if isinstance(value, str) else str(value)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("analysed", ["empty", "never", "when empty", "when full"])
async def test_the_queue_is_probed_whatever_the_statistics_say(mode: str, analysed: str) -> None:
    async with connected(Concern.CLAIM, plan_cache_mode=mode) as connection:
        # What autovacuum may do or not do in the background decides nothing here.
        for table in ("head", "leg"):
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        try:
            if analysed == "when empty":
                await connection.execute("VACUUM ANALYZE head, leg")
            if analysed != "empty":
                await connection.execute(SKEWED)
            if analysed == "when full":
                await connection.execute("ANALYZE head, leg")
            found = {
                name: await walked(connection, statement, arguments)
                for name, (statement, arguments) in STATEMENTS.items()
            }
        finally:
            for table in ("head", "leg"):
                await connection.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
        assert found == {name: [] for name in STATEMENTS}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_messages_are_probed_one_by_one_in_their_partitions_alone(mode: str) -> None:
    records = [n << 22 for n in range(1, 257)]
    arguments = (records, [1] * 256, records[0], records[-1])
    async with connected(Concern.CLAIM, plan_cache_mode=mode) as connection:
        await ensure(connection, range(3))
        plan = await explained(connection, WITH_BODY, arguments)
    read = [node for node in nodes(plan) if node.get("Alias", "").startswith("message")]
    assert [node["Relation Name"] for node in read] == ["message_w0000"]
    assert all("ordinal" in node["Index Cond"] for node in read)


async def test_the_claim_takes_the_ready_ones_in_their_order() -> None:
    async with connected(Concern.CLAIM) as connection:
        await connection.execute(SKEWED)
        rows = await connection.fetch(CLAIM, "common", 5, "t", 0, 0, 3, 0)
        assert [row[2] for row in rows] == [50, 50, 100, 100, 150, 150]
        await connection.execute("ANALYZE head, leg")
        rows = await connection.fetch(CLAIM, "common", 5, "t", 0, 0, 1, 0)
        assert [row[2] for row in rows] == [200, 200]


async def test_every_concern_that_writes_is_set_to_probe() -> None:
    for concern in (Concern.ACCEPT, Concern.CLAIM, Concern.SETTLE):
        async with connected(concern) as connection:
            for name in ("enable_seqscan", "enable_bitmapscan", "jit"):
                assert await connection.fetchval(f"SHOW {name}") == "off"


async def test_acceptance_and_claims_wait_for_the_disk_and_settlements_do_not() -> None:
    shown = {}
    for concern in (Concern.ACCEPT, Concern.CLAIM, Concern.SETTLE):
        async with connected(concern) as connection:
            shown[concern] = await connection.fetchval("SHOW synchronous_commit")
    assert shown == {Concern.ACCEPT: "on", Concern.CLAIM: "on", Concern.SETTLE: "off"}
