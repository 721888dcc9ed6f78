"""What remembering costs: microseconds of CPU of a value, values a second, bytes of the journal.

``python -m bench.remembering [VALUES]``. With so many values there already, asked one after the
other and 64 at a time; every flush waits for the disk.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.store.sqlite import SqliteJournal, open_sqlite

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
USUAL = 50_000
"""Values."""


async def asked(journal: SqliteJournal, values: range, *, at_once: int, days: int = 0) -> str:
    """Ask for each value; what one costs."""
    now = AT + timedelta(days=days)
    waiting = iter(values)

    async def one_after_the_other() -> None:
        for number in waiting:
            until = now + timedelta(seconds=300)
            assert await journal.remember("http-signature:bench", str(number), until=until, now=now)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return f"{cpu / len(values) * 1e6:5.0f} µs of CPU, {len(values) / wall:6.0f} a second"


async def run(count: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = await open_sqlite(path, gateway=1, clock=lambda: AT)
        print("first values, 64 at once:  ", await asked(journal, range(count), at_once=64))
        few = range(count, count + 1_000)
        print("one after the other:       ", await asked(journal, few, at_once=1))
        fresh = range(count * 2, count * 3)
        print("while old ones are removed:", await asked(journal, fresh, at_once=64, days=1))
        await journal.close()
        print(f"the file, {count + 1_000} values at most: {path.stat().st_size >> 10} KiB")


def show() -> None:
    """Print the figures of the usual size."""
    asyncio.run(run(USUAL))


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL))
