"""What is measured: a program that serves, how it is asked, and what it is set to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from bench.load.https import Place
from bench.load.pump import Request


class Open(msgspec.Struct, frozen=True):
    """A server on the loopback address without TLS."""

    port: int
    host: str = "127.0.0.1"

    def context(self) -> None:
        """None."""


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is ready."""

    pid: int
    """Of the process that was started; whatever is below it belongs to it."""
    place: Place
    requests: Callable[[int, int], Sequence[Request]]
    """Those from this number on, so many; each number is asked once."""
    done: Callable[[int], str]
    """Waits until so many requests are worked off, whoever waits for them; why not, or nothing."""


def at_once(count: int) -> str:
    """For a server that has done everything when it answers."""
    del count
    return ""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One program in one arrangement."""

    id: str
    title: str
    does: str
    """What it does for each request, in one sentence."""
    settings: str
    """How it is set up, in one sentence."""
    version: Callable[[], str]
    """The versions that are installed; raises ``OSError`` when they are not."""
    serve: Callable[[Path], AbstractContextManager[Serving]]
    """Runs it with this empty folder; raises `processes.NotStarted`."""
    quickest: float
    """Requests a second that it will hardly exceed: a bound of what is made beforehand."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Programs that do the same job, or nearly."""

    title: str
    peer: str
    """The id of what people would use instead."""
    ours: tuple[str, ...]
    """Ours that stand beside it; the first does what is nearest."""
    fairness: str
    """What the one does that the other does not."""
