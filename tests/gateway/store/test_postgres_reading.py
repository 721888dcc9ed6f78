"""Reading a journal in PostgreSQL: two nodes on one database, partitions, who may only read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from gateway.core.bucket import Drawn, Rate
from gateway.core.errors import Unavailable
from gateway.core.identifiers import RecordNumber
from gateway.core.records import Proof, ProofMethod
from gateway.store.postgres import JournalMismatch, PostgresJournal, open_postgres
from gateway.store.postgres.connection import Concern, settings
from gateway.store.postgres.messages import WITH_BODY
from gateway.store.postgres.partitions import WINDOW, partition, window
from gateway.store.postgres.reader import open_reader
from gateway.store.postgres.standing import _ATTEMPTS
from gateway.store.postgres.trace import _REFS
from tests.gateway.store.samples import (
    GATEWAY,
    POST,
    START,
    ManualClock,
    accept,
    item,
    lease,
    message,
    settled,
)
from tests.gateway.store.test_reports import report, told
from tests.postgres import database

RATE = Rate(2.0, 10)
PROOF = Proof(method=ProofMethod.JWS, kid="k", public_key="PEM", signature=b"a.b.c")
Nodes = tuple[PostgresJournal, PostgresJournal]


@pytest.fixture
def url() -> Iterator[str]:
    with database() as found:
        yield found


@pytest.fixture
async def nodes(url: str, clock: ManualClock) -> AsyncIterator[Nodes]:
    """Two openings of one journal, as two machines have it."""
    one = await open_postgres(url, gateway=GATEWAY, clock=clock)
    two = await open_postgres(url, gateway=GATEWAY, clock=clock)
    yield one, two
    await one.close()
    await two.close()


async def asked(url: str, statement: str, *given: object) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url, server_settings=settings(Concern.READ))
    try:
        return [tuple(row) for row in await connection.fetch(statement, *given)]
    finally:
        await connection.close()


async def test_of_two_nodes_that_ask_at_once_one_is_told_that_a_value_is_new(nodes: Nodes) -> None:
    until = START + timedelta(seconds=300)
    answers = await asyncio.gather(
        *(
            node.remember("nonces", f"v{number % 25}", until=until, now=START)
            for number in range(200)
            for node in nodes
        )
    )

    assert 25 == sum(answers)


async def test_each_question_is_judged_by_its_own_time(nodes: Nodes) -> None:
    """Questions that go in one statement: of one the time of the row is over, of one not."""
    node, _ = nodes
    until = START + timedelta(seconds=10)
    for value in ("a", "b"):
        assert await node.remember("nonces", value, until=until, now=START)
    late, early = START + timedelta(seconds=11), START + timedelta(seconds=9)

    answers = await asyncio.gather(
        *(
            node.remember("nonces", value, until=late + timedelta(seconds=10), now=now)
            for value, now in (("other", early), ("a", late), ("b", early))
        )
    )

    assert [True, True, False] == answers


async def test_old_values_go_a_few_with_each_new_one(url: str, nodes: Nodes) -> None:
    node, _ = nodes

    async def new(value: str, after: float) -> bool:
        now = START + timedelta(seconds=after)
        return await node.remember("n", value, until=now + timedelta(seconds=10), now=now)

    assert all(await asyncio.gather(*(new(f"old {number}", 0) for number in range(400))))
    assert await new("first", 1_000)

    assert [(400 - 4 + 1,)] == await asked(url, "SELECT count(*) FROM remembered")


async def test_two_nodes_draw_from_one_bucket_and_a_restart_does_not_fill_it(
    url: str, nodes: Nodes, clock: ManualClock
) -> None:
    drawn = await asyncio.gather(
        *(node.draw("a", want=1, rate=RATE, now=START) for node in nodes for _ in range(20))
    )
    again = await open_postgres(url, gateway=GATEWAY, clock=clock)
    after = await again.draw("a", want=1, rate=RATE, now=START)
    await again.close()

    assert 10 == sum(one.granted for one in drawn)
    assert Drawn(0, 0.5) == after


async def test_of_two_nodes_that_change_the_registry_at_once_one_is_told_to_look_again(
    nodes: Nodes,
) -> None:
    answers = await asyncio.gather(
        *(node.store_registry(b"%d" % at, expected=0) for at, node in enumerate(nodes)),
        return_exceptions=True,
    )

    assert 1 == answers.count(1)
    assert 1 == sum(isinstance(answer, Unavailable) for answer in answers)
    winner = b"%d" % answers.index(1)
    assert [(1, winner)] * 2 == [await node.registry() for node in nodes]


async def test_reports_that_two_nodes_find_at_once_are_stored_once(url: str, nodes: Nodes) -> None:
    """New lines, reports and ways of proving in opposite orders: nobody waits in a circle."""

    async def work(node: PostgresJournal, name: str, order: int) -> None:
        for number in range(12)[::order]:
            await accept(
                node,
                f"{name}-{number}",
                messages=[message(1, about=item(100 * number + order + 1))],
                reports=(told(1, f"/field{number}", "/common"),),
                proof=msgspec.structs.replace(PROOF, kid=f"k{number}"),
            )
            taken = await node.lease("risk", limit=10, seconds=60, now=START)
            if taken is not None:
                done = [settled(d, report=report(f"/out{number}")) for d in taken.deliveries]
                await node.settle(taken, done, now=START)

    async with asyncio.timeout(60):
        await asyncio.gather(work(nodes[0], "one", 1), work(nodes[1], "two", -1))

    counts = "SELECT (SELECT count(*) FROM prover), (SELECT count(*) FROM report WHERE digest = "
    counts += "ANY ($1)), (SELECT count(*) FROM line WHERE content LIKE '%/common%')"
    digests = [told(1, f"/field{n}", "/common").report.digest.hex() for n in range(12)]
    assert [(12, 12, 1)] == await asked(url, counts, digests)
    assert 24 == sum(
        loss.messages for loss in await nodes[0].losses() if loss.line.path == "/common"
    )


async def _explained(url: str, statement: str, *given: object) -> set[str]:
    """The partitions that a statement looks into, by its plan."""
    plan = await asked(url, f"EXPLAIN (COSTS OFF) {statement}", *given)
    words = {word for (line,) in plan for word in line.replace("(", " ").split()}
    return {word for word in words if "_w0" in word and not word.endswith("key")}


async def test_a_trace_looks_only_into_the_partitions_of_its_time(
    url: str, nodes: Nodes, clock: ManualClock
) -> None:
    stored = []
    for number in range(4):  # each in a window of its own
        stored.append(await accept(nodes[0], f"i{number}", messages=[message(about=item(number))]))
        clock.move(seconds=WINDOW.total_seconds())
    record = int(stored[2].record)
    ((no, first, last),) = await asked(
        url, "SELECT no, first_record, last_record FROM subject WHERE value = $1", item(2).value
    )
    here = f"w{window(record):04}"

    refs = await _explained(url, _REFS, no, first, last, 10)
    messages = await _explained(url, WITH_BODY, [record], [1], record, record)
    attempts = await _explained(url, _ATTEMPTS, [record], [1])

    assert {partition("ref", window(record))} == refs
    assert {name.rpartition("_")[2] for name in (*messages, *attempts)} == {here}
    (entry,) = await nodes[1].trace(item(2).value)
    assert "i2" == entry.message.interchange_id


async def _tell(journal: PostgresJournal) -> RecordNumber:
    stored = await accept(
        journal, reports=(told(1, "/remark"),), proof=PROOF, messages=[message(), message(2)]
    )
    taken = await lease(journal)
    await journal.settle(taken, [settled(taken.deliveries[0], report=report("/out"))], now=START)
    await journal.store_registry(b"first", expected=0)
    await journal.store_registry(b"second", expected=1)
    return stored.record


async def test_a_command_reads_what_the_gateway_knows_as_a_user_who_may_only_read(
    url: str, nodes: Nodes
) -> None:
    journal, _ = nodes
    record = await _tell(journal)
    role = "reads_only"
    await asked_as_owner(
        url,
        f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
    )
    reading = url.replace("luxor@", f"{role}@")

    def read() -> None:
        with open_reader(reading, gateway=GATEWAY) as reader:
            found = reader.find(POST, stored.interchange_id)
            assert stored == found
            assert (entry,) == tuple(
                msgspec.structs.replace(
                    one, message=msgspec.structs.replace(one.message, body=None)
                )
                for one in reader.trace(item(1).value, limit=10)
            )
            assert message().body == reader.trace(item(1).value, limit=10)[0].message.body
            assert told(1, "/remark").report == reader.report(record, 1)
            assert PROOF == reader.proof(record)
            assert b"<content/>" == reader.raw(record, 0)
            assert reader.raw(record, 1) is None
            assert b"second" == reader.registry()
            assert [(2, b"second"), (1, b"first")] == list(reader.registries())
            assert entry.message == reader.message(record, 1)
            assert losses == reader.losses(since=None)
            assert judged == reader.quality(
                party=POST, since=START.date(), until=START.date(), daily=True
            )
            assert () == reader.refusals(stored.interchange_id, limit=5)

    found = await journal.find(POST, (await journal.trace(item(1).value))[0].message.interchange_id)
    assert found is not None
    stored = found
    (entry,) = await journal.trace(item(1).value)
    losses = await journal.losses()
    judged = await journal.quality(party=POST, since=START.date(), until=START.date(), daily=True)
    await asyncio.to_thread(read)  # it has an event loop of its own


async def asked_as_owner(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_command_does_not_read_the_journal_of_another_gateway(url: str) -> None:
    def read() -> None:
        with open_reader(url, gateway=GATEWAY + 1):
            pass

    with pytest.raises(JournalMismatch, match=f"gateway {GATEWAY}"):
        await asyncio.to_thread(read)
