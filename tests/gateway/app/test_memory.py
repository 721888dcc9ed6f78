"""What stands is not looked at for garbage, and what has been replaced goes all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from gateway.app.memory import YOUNG, settle


class _Setup:
    """Refers to itself, as functions that were compiled do by their globals."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_stands_is_left_out_and_the_young_are_left_alone_for_longer(
    thresholds: tuple[int, int, int],
) -> None:
    standing = _Setup()
    settle()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (YOUNG, *thresholds[1:])
    assert all(one is not standing for one in gc.get_objects())


def test_what_was_replaced_goes_when_the_next_has_settled(
    thresholds: tuple[int, int, int],
) -> None:
    setup = _Setup()
    gone = weakref.ref(setup)
    settle()
    del setup
    gc.collect()
    assert gone() is not None, "frozen: a collection does not see it"
    settle()
    assert gone() is None
