"""Parts of a process: what fails is told of, makes the process unready, and is begun again."""

from __future__ import annotations

import asyncio

import pytest

from gateway.app import parts as module
from gateway.app.parts import Parts
from tests.fakes import Seen

BOUND_SECONDS = 10.0


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)


async def test_a_part_that_fails_is_begun_again_and_the_process_is_unready_meanwhile(
    seen: Seen,
) -> None:
    parts = Parts(seen.telemetry)
    ready: list[bool] = []
    working = asyncio.Event()

    async def part() -> None:
        ready.append(parts.sound)
        if len(ready) < 3:
            raise RuntimeError("a mistake of ours")
        working.set()
        await asyncio.Event().wait()

    looked: list[bool] = []
    task = parts.keep(part, "work")
    async with asyncio.timeout(BOUND_SECONDS):
        while not working.is_set():
            looked.append(parts.sound)
            await asyncio.sleep(0)
    sound = parts.sound
    await parts.stop()

    assert [True, True, True] == ready, "it is tried as a part that works"
    assert False in looked
    assert sound
    assert task.done()
    assert ["work", "work"] == [event["part"] for event in seen.events("part.failed")]


async def test_a_part_that_is_not_kept_stays_failed(seen: Seen) -> None:
    parts = Parts(seen.telemetry)

    async def part() -> None:
        raise RuntimeError("a mistake of ours")

    await asyncio.wait([parts.start(part(), "once")])
    await asyncio.sleep(0)

    assert not parts.sound
    await parts.stop()


async def test_a_part_that_ends_is_not_begun_again(seen: Seen) -> None:
    parts = Parts(seen.telemetry)
    begun: list[int] = []

    async def part() -> None:
        begun.append(1)

    await parts.keep(part, "once")

    assert [1] == begun
    assert parts.sound
