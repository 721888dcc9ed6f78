"""Opening and closing: the file, its connections and threads, this process's place among others."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from gateway.core.errors import Unavailable
from gateway.core.identifiers import GATEWAY_BITS
from gateway.core.ports import Clock
from gateway.store.codec import Codec
from gateway.store.leaf import microseconds
from gateway.store.sqlite import recovery
from gateway.store.sqlite.connection import (
    OLDEST_SQLITE,
    Concern,
    connect,
    mapped,
    transaction,
)
from gateway.store.sqlite.glance import Glance
from gateway.store.sqlite.messages import Messages
from gateway.store.sqlite.pool import Pool
from gateway.store.sqlite.schema import migrate
from gateway.store.sqlite.turnstile import Turnstile
from gateway.store.sqlite.writer import GroupWriter
from gateway.store.wakeups import Wakeups


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a journal."""

    waiting: int = 4_096
    """Acceptances, and other calls by concern, that may wait before ``Unavailable`` is raised."""
    group_messages: int = 512
    """Messages in one transaction, unless a single interchange has more."""
    lease_bytes: int = 16 << 20
    """Stored bytes of the bodies of one lease, unless a single one has more."""
    linger_seconds: float = 0.025
    """How long a group may wait to become larger, at most; see ``pace``."""
    readers: int = 2
    """Threads that read."""
    busy_seconds: float = 30.0
    """How long a write waits for other writers."""
    cache_bytes: int = 128 << 20
    """Pages of the file that accepting may keep in memory; dispatching half of it, a reader an
    eighth."""
    max_bytes: int | None = None
    """What the file may grow to; then accepting counts as on a full disk, all else goes on."""


class Opened:
    """Everything that an open journal holds; ``close`` gives it back."""

    def __init__(self, path: Path, *, gateway: int, clock: Clock, limits: Limits) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise RuntimeError(f"SQLite {sqlite3.sqlite_version} is too old, 3.35 is needed")
        if not 0 <= gateway < 1 << GATEWAY_BITS:
            raise ValueError("gateway number out of range")
        self.limits = limits
        self.path = path
        # Closed in the reverse order of opening, also when opening fails half-way.
        self._closing = ExitStack()
        with self._closing as stack:
            self._open(stack, gateway=gateway, clock=clock)
            self._closing = stack.pop_all()

    def _open(self, stack: ExitStack, *, gateway: int, clock: Clock) -> None:
        folder = self.locks = self.path.with_name(f"{self.path.name}.locks")
        folder.mkdir(mode=0o700, exist_ok=True)
        # Personal data lies in it; SQLite gives its side files the same mode.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.turnstile = Turnstile(folder, seconds=self.limits.busy_seconds)
        stack.callback(self.turnstile.close)
        accept = self._connect(Concern.ACCEPT)
        stack.callback(accept.close)
        with self.turnstile.turn():
            migrate(accept, gateway=gateway)
        with transaction(accept, self.turnstile):
            self.membership = recovery.join(accept, folder, started_at=microseconds(clock()))
        stack.callback(self.membership.close)
        stack.callback(self._leave, accept)
        self.codec = Codec()
        self.messages = Messages(gateway, self.codec)
        self.wakeups = Wakeups()
        waiting = self.limits.waiting
        near = self._connect(Concern.READ)
        self.read = Pool(
            "journal-read",
            [self._connect(Concern.READ) for _ in range(self.limits.readers)],
            limit=waiting,
        )
        self.glance = Glance(near, self.read)
        stack.callback(self.glance.close)
        stack.callback(self.read.close)
        self.dispatch = Pool("journal-dispatch", [self._connect(Concern.DISPATCH)], limit=waiting)
        stack.callback(self.dispatch.close)
        self.prune = Pool("journal-prune", [self._connect(Concern.PRUNE)], limit=waiting)
        stack.callback(self.prune.close)
        self.writer = GroupWriter(
            accept,
            self.turnstile,
            self.codec,
            limit=waiting,
            largest=self.limits.group_messages,
            linger=self.limits.linger_seconds,
            touched=self.wakeups.add,
        )
        stack.callback(self.writer.close)

    def _connect(self, concern: Concern) -> sqlite3.Connection:
        return connect(
            self.path,
            concern,
            busy_seconds=self.limits.busy_seconds,
            cache_bytes=self.limits.cache_bytes,
            # What is accepted already is delivered, settled and removed whatever the bound says.
            max_bytes=self.limits.max_bytes if concern is Concern.ACCEPT else None,
        )

    def _leave(self, connection: sqlite3.Connection) -> None:
        # What cannot be cleared up now, the next start will.
        with suppress(Unavailable), mapped(), transaction(connection, self.turnstile):
            recovery.leave(connection, self.membership.name)

    def close(self) -> None:
        """Write what waits, end the threads, leave. Blocks; may be called twice."""
        self._closing.close()


def open_now(path: Path, *, gateway: int, clock: Clock, limits: Limits) -> Opened:
    """Open or create a journal; blocks. Raises ``Unavailable`` or ``JournalMismatch``."""
    with mapped():
        return Opened(path, gateway=gateway, clock=clock, limits=limits)
