"""The steps of a test, each with what was found or why it failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tested. ``ms`` is how long it took, in milliseconds."""

    name: str
    result: Literal["ok", "failed", "skipped"]
    detail: str
    ms: float | None = None


class Failed(Exception):
    """Why a step did not succeed."""


class Probe:
    """Steps in the order in which they were made; what follows a failure is skipped."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.steps: list[Step] = []
        self._clock = clock

    @property
    def failed(self) -> bool:
        """True when a step failed."""
        return any(step.result == "failed" for step in self.steps)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Make a step; what is put into the list is told of it. ``Failed`` ends here."""
        told: list[str] = []
        began = self._clock()
        try:
            yield told
        except Failed as error:
            self.add(name, "failed", str(error), began)
        else:
            self.add(name, "ok", "; ".join(told), began)

    def add(
        self,
        name: str,
        result: Literal["ok", "failed", "skipped"],
        detail: str,
        began: float | None = None,
    ) -> None:
        """Note a step."""
        ms = None if began is None else round((self._clock() - began) * 1_000, 1)
        self.steps.append(Step(name=name, result=result, detail=detail, ms=ms))
