"""Each test that takes ``journal`` runs on every store: one contract for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.ports import Journal
from gateway.store.memory import MemoryJournal
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import SqliteJournal, open_sqlite
from tests.gateway.store.samples import GATEWAY, ManualClock
from tests.postgres import database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "memory", "postgres"])
async def journal(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Journal]:
    async with opened(request.param, tmp_path, clock) as journal:
        yield journal


@asynccontextmanager
async def opened(store: str, folder: Path, clock: ManualClock) -> AsyncIterator[Journal]:
    """An empty journal in that kind of store."""
    with ExitStack() as stack:
        journal: Journal
        if store == "sqlite":
            journal = await open_sqlite(folder / "journal.db", gateway=GATEWAY, clock=clock)
        elif store == "postgres":
            url = stack.enter_context(database())
            journal = await open_postgres(url, gateway=GATEWAY, clock=clock)
        else:
            journal = MemoryJournal(gateway=GATEWAY, clock=clock)
        try:
            yield journal
        finally:
            await journal.close()


@pytest.fixture
async def sqlite(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteJournal]:
    opened = await open_sqlite(tmp_path / "journal.db", gateway=GATEWAY, clock=clock)
    yield opened
    await opened.close()
