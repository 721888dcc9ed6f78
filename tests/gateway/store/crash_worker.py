"""A process that accepts and dispatches as hard as it can until it is killed.

``python -m tests.gateway.store.crash_worker JOURNAL FOLDER NAME``, where JOURNAL is a file or the
URL of a database. What it has been told and has done goes, line by line, into files of FOLDER that
every worker appends to: ``acknowledged`` (id and record of each interchange it got an answer for),
``reserved`` (record numbers), ``delivered``. When the journal cannot be used it tries again.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.core.errors import Unavailable
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Journal
from gateway.core.records import Delivery, Lease, Result, Settlement, Stored
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import (
    GATEWAY,
    POST,
    acceptance,
    item,
    legs,
    message,
    settled,
)

DESTINATIONS = ("risk", "revenue")
KEYS = 20
ACCEPTORS = 6
LARGE = "large"
LEASE_SECONDS = 2.0
PAUSE_SECONDS = 0.02


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Diary:
    """Files to which whole lines are appended; a killed writer leaves no half line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, int] = {}

    def write(self, name: str, *words: object) -> None:
        """Append one line."""
        if name not in self._files:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._files[name] = os.open(self._folder / name, flags, 0o600)
        os.write(self._files[name], (" ".join(map(str, words)) + "\n").encode())

    def read(self, name: str) -> list[list[str]]:
        """All lines, by words."""
        path = self._folder / name
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


async def accept(journal: Journal, diary: Diary, name: str) -> None:
    """Send interchange after interchange; what was sent but not answered is sent again."""
    answered = {words[0] for words in diary.read("acknowledged")}
    chance = random.Random(name)
    n = 0
    while True:
        n += 1
        interchange_id, key, large = f"{name}-{n}", chance.randrange(KEYS), chance.random() < 0.1
        while interchange_id not in answered:
            with suppress(Unavailable):
                stored = await send(journal, diary, interchange_id, key, large=large)
                diary.write("acknowledged", interchange_id, stored.record)
                break
            await asyncio.sleep(PAUSE_SECONDS)


async def send(
    journal: Journal, diary: Diary, interchange_id: str, key: int, *, large: bool
) -> Stored:
    """Send one interchange, a large one in two pieces."""
    record = await journal.reserve()
    diary.write("reserved", record)
    about = item(key)
    planned = [message(1, about=about, legs=legs(*DESTINATIONS, lane=key % 4))]
    if large:
        await journal.stage(
            record,
            party=POST,
            interchange_id=InterchangeId(interchange_id),
            raw=(b"<large>",),
            messages=planned,
        )
        planned = [message(2, about=about, legs=legs(*DESTINATIONS))]
    return await journal.commit(
        acceptance(
            record,
            interchange_id,
            content=interchange_id.encode(),
            messages=planned,
            staged=large,
            received_at=now(),
        )
    )


def deliver(diary: Diary, delivery: Delivery) -> None:
    """What a receiver sees."""
    found = delivery.message
    diary.write(
        "delivered",
        delivery.destination,
        found.key.value,
        found.version,
        found.message_id,
        f"{found.interchange_id}/{found.ordinal}",
    )


def attempt(diary: Diary, lease: Lease, chance: random.Random) -> Iterable[Settlement]:
    """Deliver a lease in order; now and then a delivery fails, and its key stops there."""
    stopped: set[int] = set()
    for delivery in lease.deliveries:
        if delivery.key in stopped or now() > lease.until - timedelta(seconds=0.5):
            yield settled(delivery, Result.RETURNED)
        elif chance.random() < 0.05:
            stopped.add(delivery.key)
            yield settled(delivery, Result.RETRY, not_before=now() + timedelta(milliseconds=20))
        else:
            deliver(diary, delivery)
            yield settled(delivery)


async def dispatch(journal: Journal, diary: Diary, destination: str, chance: random.Random) -> None:
    """Lease, deliver, settle; sometimes the settlement is forgotten."""
    while True:
        try:
            lease = await journal.lease(destination, limit=8, seconds=LEASE_SECONDS, now=now())
            if lease is None:
                await asyncio.sleep(0.005)
                continue
            done = list(attempt(diary, lease, chance))
            if chance.random() < 0.95:
                await journal.settle(lease, done, now=now())
        except Unavailable:
            await asyncio.sleep(PAUSE_SECONDS)


async def tick(journal: Journal) -> None:
    """Let time pass."""
    while True:
        with suppress(Unavailable):
            await journal.tick(now=now())
        await asyncio.sleep(0.02)


async def opened(place: str) -> Journal:
    """The journal in a file or a database; waits for the database."""
    if not place.startswith("postgresql:"):
        return await open_sqlite(Path(place), gateway=GATEWAY, clock=now)
    while True:
        with suppress(Unavailable):
            return await open_postgres(place, gateway=GATEWAY, clock=now)
        await asyncio.sleep(PAUSE_SECONDS)


async def work(place: str, folder: Path, name: str) -> None:
    """Everything at once, until the process is killed."""
    journal = await opened(place)
    diary = Diary(folder)
    diary.write("started", name)
    async with asyncio.TaskGroup() as group:
        group.create_task(tick(journal))
        for number in range(ACCEPTORS):
            group.create_task(accept(journal, diary, f"{name}{number}"))
        for destination in DESTINATIONS:
            chance = random.Random(f"{name}{destination}{os.getpid()}")
            group.create_task(dispatch(journal, diary, destination, chance))


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
