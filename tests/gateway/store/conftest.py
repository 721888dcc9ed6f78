"""Each test that takes ``journal`` runs on every store: one contract for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.core.ports import Journal
from gateway.store.memory import MemoryJournal
from gateway.store.sqlite import SqliteJournal, open_sqlite
from tests.gateway.store.samples import GATEWAY, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "memory"])
async def journal(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Journal]:
    opened: Journal = (
        await open_sqlite(tmp_path / "journal.db", gateway=GATEWAY, clock=clock)
        if request.param == "sqlite"
        else MemoryJournal(gateway=GATEWAY, clock=clock)
    )
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteJournal]:
    opened = await open_sqlite(tmp_path / "journal.db", gateway=GATEWAY, clock=clock)
    yield opened
    await opened.close()
