"""How hard the journal is to write to, by a clock of our own."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.errors import Unavailable
from gateway.pipeline.strain import TROUBLE_SECONDS, TRY_SECONDS, Strain


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def strain(clock: Clock) -> Strain:
    return Strain(clock)


async def failing() -> None:
    raise Unavailable("the disk is full")


async def nothing() -> int:
    return 7


async def test_the_oldest_write_counts_until_it_has_ended(strain: Strain, clock: Clock) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    first = asyncio.create_task(strain.during(gates[0].wait()))
    await asyncio.sleep(0)
    clock.now += 2
    second = asyncio.create_task(strain.during(gates[1].wait()))
    await asyncio.sleep(0)
    clock.now += 1

    both = (strain.waiting, strain.oldest)
    gates[0].set()
    await first
    one = (strain.waiting, strain.oldest)
    gates[1].set()
    await second

    assert (2, 3.0) == both
    assert (1, 1.0) == one
    assert (0, 0.0) == (strain.waiting, strain.oldest)


async def test_a_failed_write_is_remembered_for_a_while(strain: Strain, clock: Clock) -> None:
    with pytest.raises(Unavailable):
        await strain.during(failing())

    assert ("the disk is full", "the disk is full") == (strain.trouble, strain.hopeless)
    clock.now += TRY_SECONDS
    assert ("the disk is full", None) == (strain.trouble, strain.hopeless)
    clock.now += TROUBLE_SECONDS
    assert strain.trouble is None
    assert 0 == strain.waiting


async def test_a_write_that_succeeds_ends_the_trouble(strain: Strain) -> None:
    with pytest.raises(Unavailable):
        await strain.during(failing())

    assert 7 == await strain.during(nothing())
    assert strain.trouble is None
