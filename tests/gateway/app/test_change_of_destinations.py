"""Destinations change one by one: what stays is left alone, what changes ends before it begins."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gateway.app.dispatching import Changes, Dispatching, Wanted
from gateway.app.parts import Parts
from gateway.core.ports import Destination
from gateway.core.records import Outgoing
from gateway.pipeline.outbound import Dispatcher
from tests.fakes import Seen

HANG_SECONDS = 10.0


class Place:
    """A destination that nothing is brought to; it says what happens to it."""

    def __init__(self, name: str, story: list[str]) -> None:
        self.id = name
        self._story = story

    async def deliver(self, outgoing: Outgoing) -> str | None:
        raise AssertionError("nobody delivers here")

    async def close(self) -> None:
        self._story.append(f"{self.id} closed")


class Worker:
    """Stands for a dispatcher: ends when it is told to and ``gate`` is open."""

    def __init__(self, name: str, story: list[str], gate: asyncio.Event) -> None:
        self._name, self._story, self._gate = name, story, gate
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        self._story.append(f"{self._name} begun")
        await self._stopping.wait()
        await self._gate.wait()
        self._story.append(f"{self._name} ended")

    def stop(self) -> None:
        self._stopping.set()


class Stumbling(Worker):
    """A dispatcher that meets a mistake of ours."""

    async def run(self) -> None:
        self._story.append(f"{self._name} failed")
        raise ExceptionGroup("dispatch", [LookupError("ours")])


class World:
    def __init__(self) -> None:
        self.story: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.stumbles: dict[str, int] = {}
        self.parts = Parts(Seen().telemetry)
        self.dispatching = Dispatching(self.parts)

    def wanted(self, likes: dict[str, str], *, drain: float = HANG_SECONDS) -> dict[str, Wanted]:
        return {name: self._one(name, like, drain) for name, like in likes.items()}

    def _one(self, name: str, like: str, drain: float) -> Wanted:
        title = f"{name}/{like}"
        gate = self.gates.setdefault(title, asyncio.Event())

        def make(_: Destination) -> Dispatcher:
            left = self.stumbles.get(title, 0)
            self.stumbles[title] = left - 1
            kind = Stumbling if left > 0 else Worker
            return cast("Dispatcher", kind(title, self.story, gate))

        return Wanted(like=like, drain=drain, open=lambda: Place(title, self.story), make=make)

    async def change(self, **likes: str) -> Changes:
        changes = await self.dispatching.change(self.wanted(likes))
        await asyncio.sleep(0)  # what was started begins
        return changes

    def open(self, *titles: str) -> None:
        for title in titles:
            self.gates.setdefault(title, asyncio.Event()).set()


@pytest.fixture
async def world() -> Any:
    found = World()
    yield found
    for gate in found.gates.values():
        gate.set()
    await found.dispatching.stop()
    await found.parts.stop()


async def test_what_is_the_same_notices_nothing(world: World) -> None:
    await world.change(a="1", b="1")
    world.open("b/1")
    changes = await world.change(a="1", b="2", c="1")

    assert Changes(started=("c",), reopened=("b",), stopped=()) == changes
    assert not [line for line in world.story if line.startswith("a/") and line != "a/1 begun"]


async def test_a_destination_whose_dispatcher_fails_gets_another_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.dispatching.AGAIN_S", 0.0)
    world.stumbles["a/1"] = 2
    await world.change(a="1")
    async with asyncio.timeout(HANG_SECONDS):
        while "a/1 begun" not in world.story:  # noqa: ASYNC110 - the story has no event
            await asyncio.sleep(0.001)

    assert ["a/1 failed", "a/1 failed", "a/1 begun"] == world.story
    assert world.parts.sound


async def test_a_destination_whose_dispatcher_failed_can_be_left(world: World) -> None:
    world.stumbles["a/1"] = 1
    await world.change(a="1")
    async with asyncio.timeout(HANG_SECONDS):
        await world.change()

    assert ["a/1 failed", "a/1 closed"] == world.story


async def test_what_changes_ends_and_is_closed_before_it_begins_anew(world: World) -> None:
    await world.change(a="1")
    change = asyncio.ensure_future(world.change(a="2"))
    await asyncio.sleep(0.01)
    before = list(world.story)
    world.open("a/1")
    async with asyncio.timeout(HANG_SECONDS):
        await change

    assert ["a/1 begun"] == before
    assert ["a/1 begun", "a/1 ended", "a/1 closed", "a/2 begun"] == world.story


async def test_one_that_hangs_holds_up_none_of_the_others(world: World) -> None:
    await world.change(a="1", b="1", c="1")
    world.open("b/1", "c/1")
    change = asyncio.ensure_future(world.change(a="2", b="2", d="1"))
    async with asyncio.timeout(HANG_SECONDS):
        while not {"b/2 begun", "c/1 closed", "d/1 begun"} <= set(world.story):  # noqa: ASYNC110 - fakes tell nobody
            await asyncio.sleep(0)
    hanging = "a/1 ended" not in world.story and not change.done()
    world.open("a/1")
    async with asyncio.timeout(HANG_SECONDS):
        changes = await change

    assert hanging
    assert (("d",), ("a", "b"), ("c",)) == (changes.started, changes.reopened, changes.stopped)


async def test_what_takes_longer_than_it_may_is_cut_off(world: World) -> None:
    await world.dispatching.change(world.wanted({"a": "1"}, drain=0.01))
    async with asyncio.timeout(HANG_SECONDS):
        changes = await world.change()

    assert ("a",) == changes.stopped
    assert "a/1 closed" == world.story[-1]


async def test_a_stop_in_the_middle_of_a_change_begins_nothing_and_closes_all(
    world: World,
) -> None:
    await world.change(a="1", b="1")
    change = asyncio.ensure_future(world.change(a="2", b="1"))
    await asyncio.sleep(0)
    stop = asyncio.ensure_future(world.dispatching.stop())
    await asyncio.sleep(0.01)
    world.open("a/1", "b/1")
    async with asyncio.timeout(HANG_SECONDS):
        await asyncio.gather(change, stop)

    assert {"a/1 closed", "b/1 closed"} <= set(world.story)
    assert "a/2 begun" not in world.story
    assert 0 == len(world.dispatching)
