"""``kill -9`` under load: nothing acknowledged is lost, nothing doubled, order per key kept."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg

from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Journal
from gateway.core.records import Result
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.crash_worker import DESTINATIONS, Diary, deliver, now
from tests.gateway.store.samples import GATEWAY, POST, settled
from tests.gateway.store.test_model import BROKEN, broken
from tests.postgres import Server

ROUNDS = ("ab", "a", "b", "ab", "a", "ab")  # which workers are killed
DATABASE = "d"
ROUNDS_OF_NODES = ("a", "d", "b", "dab")  # and the database itself
ENOUGH = 100  # answers that each round waits for
PATIENCE_SECONDS = 60  # a bound for a machine that is very busy

MESSAGES = """
SELECT i.interchange_id || '/' || m.ordinal FROM message AS m JOIN interchange AS i
 ON i.record = m.record
"""
LEFTOVERS = """
SELECT record FROM staged UNION ALL SELECT record FROM plan UNION ALL
SELECT record FROM raw WHERE record NOT IN (SELECT record FROM interchange) UNION ALL
SELECT record FROM body WHERE record NOT IN (SELECT record FROM interchange)
"""
"""Rows of interchanges that were never committed."""

Workers = dict[str, subprocess.Popen[bytes]]


@contextmanager
def workers() -> Iterator[Workers]:
    """The running workers; whoever is missing is started by :func:`start`."""
    running: Workers = {}
    try:
        yield running
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def start(running: Workers, journal: Path | str, folder: Path) -> None:
    for name in "ab":
        if name not in running:
            running[name] = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.gateway.store.crash_worker",
                    str(journal),
                    str(folder),
                    name,
                ]
            )


def wait_for_answers(running: Workers, diary: Diary) -> None:
    """Until each worker has got some answers more."""
    begun = {name: answers(diary, name) for name in running}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(answers(diary, name) < begun[name] + ENOUGH for name in running):
        assert all(process.poll() is None for process in running.values())
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(diary: Diary, name: str) -> int:
    return sum(words[0].startswith(name) for words in diary.read("acknowledged"))


async def drain(journal: Journal, diary: Diary) -> None:
    """Deliver what is left, with the leases and retries of the dead run out."""
    later = now() + timedelta(hours=1)
    while ready := await journal.tick(now=later):
        for destination in ready:
            lease = await journal.lease(destination, limit=100, seconds=60, now=later)
            assert lease is not None
            for delivery in lease.deliveries:
                deliver(diary, delivery)
            done = [settled(delivery, Result.DELIVERED) for delivery in lease.deliveries]
            await journal.settle(lease, done, now=later)


async def test_killed_processes_lose_nothing_double_nothing_and_keep_the_order(
    tmp_path: Path,
) -> None:
    path, diary = tmp_path / "journal.db", Diary(tmp_path)
    with workers() as running:
        for killed in ROUNDS:
            start(running, path, tmp_path)
            wait_for_answers(running, diary)
            kill(running, killed)
    journal = await open_sqlite(path, gateway=GATEWAY, clock=now)
    assert broken(path) == []
    kept = sqlite3.connect(path)
    assert kept.execute(LEFTOVERS).fetchall() == []
    await drain(journal, diary)
    assert await journal.backlog() == ()
    await check_acknowledged(journal, diary)
    await journal.close()
    assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    check_delivered([name for (name,) in kept.execute(MESSAGES)], diary)
    kept.close()


async def test_killed_nodes_and_databases_lose_nothing_double_nothing_and_keep_the_order(
    tmp_path: Path,
) -> None:
    diary = Diary(tmp_path)
    server = Server()
    server.start()
    with ExitStack() as stack:
        stack.callback(server.stop)
        url = stack.enter_context(server.database())
        running = stack.enter_context(workers())
        for killed in ROUNDS_OF_NODES:
            start(running, url, tmp_path)
            wait_for_answers(running, diary)
            if DATABASE in killed:
                server.kill()
                server.start()
            kill(running, killed.replace(DATABASE, ""))
        assert running == {}
        # One after the other: each start clears up after those that are gone.
        journal = await open_postgres(url, gateway=GATEWAY, clock=now)
        kept = await asyncpg.connect(url)
        assert await kept.fetch(BROKEN) == []
        assert await kept.fetch(LEFTOVERS) == []
        await drain(journal, diary)
        assert await journal.backlog() == ()
        await check_acknowledged(journal, diary)
        await journal.close()
        check_delivered([row[0] for row in await kept.fetch(MESSAGES)], diary)
        await kept.close()


def kill(running: Workers, names: str) -> None:
    for name in names:
        process = running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()


async def check_acknowledged(journal: Journal, diary: Diary) -> None:
    acknowledged = diary.read("acknowledged")
    assert len(acknowledged) >= min(len(ROUNDS), len(ROUNDS_OF_NODES)) * ENOUGH
    for interchange_id, record in acknowledged:
        stored = await journal.find(POST, InterchangeId(interchange_id))
        assert stored is not None
        assert str(stored.record) == record


def check_delivered(messages: Sequence[str], diary: Diary) -> None:
    """Lost, doubled and disordered, as the receivers see it."""
    ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    applied: set[tuple[str, str]] = set()
    versions: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for destination, key, version, message_id, source in diary.read("delivered"):
        ids[destination, source].add(message_id)
        if (destination, message_id) not in applied:
            applied.add((destination, message_id))
            versions[destination, key].append(int(version))
    assert {(d, source) for d in DESTINATIONS for source in messages} == set(ids)
    assert all(len(found) == 1 for found in ids.values())
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    reserved = [words[0] for words in diary.read("reserved")]
    assert len(reserved) == len(set(reserved))
