"""Opening and closing: the pools of each concern, and this process's place among others."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

import msgspec

from gateway.core.errors import Unavailable
from gateway.core.identifiers import GATEWAY_BITS
from gateway.core.ports import Clock
from gateway.store.codec import Codec
from gateway.store.leaf import microseconds
from gateway.store.postgres.connection import Concern, Pool, open_pool
from gateway.store.postgres.finding import Finding
from gateway.store.postgres.listening import Listener
from gateway.store.postgres.members import Member
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.remembered import Remembering
from gateway.store.postgres.schema import check
from gateway.store.postgres.upkeep import Upkeep, Windows
from gateway.store.postgres.writer import GroupWriter
from gateway.store.wakeups import Wakeups


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a journal in PostgreSQL."""

    waiting: int = 4_096
    """Acceptances, and other calls by concern, that may wait before ``Unavailable`` is raised."""
    group_messages: int = 512
    """Messages in one transaction, unless a single interchange has more."""
    lease_bytes: int = 16 << 20
    """Stored bytes of the bodies of one lease, unless a single one has more."""
    linger_seconds: float = 0.025
    """How long a group may wait to become larger, at most; see ``pace``."""
    readers: int = 2
    """Connections that read."""
    writers: int = 2
    """Connections for durable writes beside that of acceptances: chunks, nonces, numbers."""
    claimers: int = 2
    """Connections that claim."""
    settlers: int = 2
    """Connections that settle."""
    answer_seconds: float = 30.0
    """How long a statement, a lock or a connection is waited for."""


class Opened:
    """Everything that an open journal holds; ``close`` gives it back.

    ``write`` commits durably; ``settle`` leaves the flush to the server, so a crash of the machine
    may undo the last moments of it. Both probe indexes and never walk through a table.
    """

    read: Pool
    write: Pool
    claim: Pool
    settle: Pool
    prune: Pool
    writer: GroupWriter
    listener: Listener
    remembering: Remembering
    finding: Finding

    def __init__(self, *, gateway: int, clock: Clock, limits: Limits) -> None:
        if not 0 <= gateway < 1 << GATEWAY_BITS:
            raise ValueError("gateway number out of range")
        self.gateway, self.clock, self.limits = gateway, clock, limits
        self.codec = Codec()
        self.messages = Messages(gateway, self.codec)
        self.wakeups = Wakeups()
        self.member = Member(started_at=microseconds(clock()))
        self._closing = AsyncExitStack()

    async def open(self, url: str, *, password: str | None) -> None:
        """Connect. Raises ``Unavailable`` or ``JournalMismatch``; nothing is left open then."""
        async with self._closing as stack:
            await self._open(stack, url, password)
            self._closing = stack.pop_all()

    async def _open(self, stack: AsyncExitStack, url: str, password: str | None) -> None:
        limits = self.limits

        async def pool(concern: Concern, size: int) -> Pool:
            opened = await open_pool(
                url,
                concern,
                size=size,
                limit=limits.waiting,
                seconds=limits.answer_seconds,
                password=password,
            )
            stack.push_async_callback(opened.close)
            return opened

        self.write = await pool(Concern.ACCEPT, limits.writers)
        async with self.write.connection() as connection:
            await check(connection, gateway=self.gateway)
        self._windows = windows = Windows(self.write)
        await windows.cover_ahead(self.clock)
        async with self.write.transaction() as connection:
            await self.member.live(connection)
        stack.push_async_callback(self._leave)
        self.read = await pool(Concern.READ, limits.readers)
        self.claim = await pool(Concern.CLAIM, limits.claimers)
        self.settle = await pool(Concern.SETTLE, limits.settlers)
        self.finding = Finding(self.read, self.codec, limit=limits.waiting)
        stack.push_async_callback(self.finding.close)
        self.prune = await pool(Concern.PRUNE, 1)
        seconds = limits.answer_seconds
        self.listener = Listener(url, self.wakeups, seconds=seconds, password=password)
        stack.push_async_callback(self.listener.close)
        upkeep = Upkeep(self.write, self.member, windows, clock=self.clock)
        stack.push_async_callback(upkeep.close)
        self.remembering = Remembering(self.write, limit=limits.waiting)
        stack.push_async_callback(self.remembering.close)
        self.writer = GroupWriter(
            await pool(Concern.ACCEPT, 1),
            self.codec,
            windows,
            limit=limits.waiting,
            largest=limits.group_messages,
            linger=limits.linger_seconds,
            touched=self.listener.touched,
        )
        stack.push_async_callback(self.writer.close)

    async def cover(self, record: int) -> None:
        """Make the partitions of a record that is staged long before or after its time."""
        await self._windows.cover((record,))

    async def _leave(self) -> None:
        # What cannot be cleared up now, another process will.
        with suppress(Unavailable):
            async with self.write.transaction() as connection:
                await self.member.leave(connection)

    async def close(self) -> None:
        """Write what waits, end the tasks, leave. May be called twice."""
        await self._closing.aclose()
