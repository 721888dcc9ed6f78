"""Change without restart: a new configuration is read and judged whole, then put in force whole.

Whatever is wrong with it, or can not change while the process runs, leaves the one before in force.
Messages are judged by the one or by the other, never by parts of both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

import msgspec

from gateway.app.dispatching import Changes
from gateway.app.folders import Folders
from gateway.app.setup import Setup
from gateway.config import Config, ConfigError, Mistake
from gateway.config.changeable import restarts
from gateway.config.check import check
from gateway.config.directory import Directory
from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.routing import INBOX
from gateway.telemetry import Telemetry
from trust.party import Registry

TOLD = 20
"""Mistakes in an event; the answer of the control has all of them."""


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A destination that the configuration no longer has, though something waits for it.

    ``keys`` are items, orders and the like with unsettled deliveries.
    """

    destination: str
    keys: int


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """Which configuration this process works by, and what became of the last one it was given."""

    file: str
    digest: str
    loaded_at: datetime
    refused_at: datetime | None = None
    refused: tuple[Mistake, ...] = ()
    orphans: tuple[Orphan, ...] = ()


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a configuration. ``digest`` is that of the one in force afterwards."""

    result: Literal["loaded", "judged", "refused"]
    digest: str
    loaded_at: datetime
    mistakes: tuple[Mistake, ...] = ()
    changes: Changes = Changes()
    orphans: tuple[Orphan, ...] = ()


class _Judged(msgspec.Struct, frozen=True):
    setup: Setup
    registry: Registry
    source: str


class Reloading:
    """Takes over configurations, one after the other."""

    def __init__(
        self,
        *,
        read: Callable[[], Config],
        current: Callable[[], Setup],
        install: Callable[[Setup], None],
        deliver: Callable[[Setup], Awaitable[Changes]],
        folders: Callable[[], Folders | None],
        directory: Directory,
        journal: Journal,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        """``install`` puts a setup in force for messages, ``deliver`` for destinations."""
        self._read = read
        self._current = current
        self._install = install
        self._deliver = deliver
        self._folders = folders
        self._directory = directory
        self._journal = journal
        self._metrics = telemetry.metrics
        self._log = telemetry.of("configuration")
        self._clock = clock
        self._turn = asyncio.Lock()
        self._loaded_at = clock()
        self._refused: tuple[datetime, tuple[Mistake, ...]] | None = None
        self._metrics.configuration_loaded.set(self._loaded_at.timestamp())

    async def reload(self, *, only_judge: bool = False) -> Reloaded:
        """Read, judge and put in force; what was wrong is in the answer, and nothing has changed.

        Destinations that go or change have finished what was under way on return. Raises
        ``Unavailable`` when the store can not take over the registry now; nothing has changed then.
        """
        async with self._turn:
            try:
                judged = await self._judge()
            except ConfigError as error:
                return self._refuse(error, only_judge=only_judge)
            if only_judge:
                return self._told("judged")
            try:
                await self._directory.adopt(judged.registry, judged.source)
            except Unavailable as unavailable:
                self._log.warning("configuration.not-loaded", reason=unavailable.reason)
                raise
            # From here to the next await nobody else runs: registry and setup change as one.
            self._install(judged.setup)
            self._loaded_at, self._refused = self._clock(), None
            self._metrics.configuration_loaded.set(self._loaded_at.timestamp())
            self._metrics.configuration_refused.set(0)
            changes = await self._follow(judged.setup)
            return await self._loaded(changes)

    async def in_force(self) -> InForce:
        """What this process works by now; raises ``Unavailable``."""
        setup, refused = self._current(), self._refused
        return InForce(
            file=setup.config.file,
            digest=setup.digest,
            loaded_at=self._loaded_at,
            refused_at=None if refused is None else refused[0],
            refused=() if refused is None else refused[1],
            orphans=await self.orphans(),
        )

    async def orphans(self) -> tuple[Orphan, ...]:
        """Destinations without a section, for which something waits; raises ``Unavailable``."""
        known = self._current().destinations
        return tuple(
            Orphan(
                destination=entry.destination,
                keys=entry.ready + entry.leased + entry.waiting + entry.held,
            )
            for entry in await self._journal.backlog()
            if entry.destination not in known and not entry.destination.startswith(INBOX)
        )

    async def hang_up(self) -> None:
        """The reload of a signal: nobody waits for its answer, so the events tell it."""
        try:
            await self.reload()
        except Unavailable:
            return  # told already, and the old configuration stays
        except Exception as error:
            self._log.error("configuration.failed", error=error)

    async def _judge(self) -> _Judged:
        """All that can be known before anything changes; raises ``ConfigError``."""
        setup = await asyncio.to_thread(lambda: Setup.of(self._read()))
        mistakes = restarts(self._current().config, setup.config)
        if mistakes:
            raise ConfigError(setup.config.file, mistakes)
        registry, source = await self._directory.foresee()
        mistakes = await asyncio.to_thread(
            check, setup.config, formats=setup.formats, parties=registry
        )
        if mistakes:
            raise ConfigError(setup.config.file, mistakes)
        folders = self._folders()
        if folders is not None:
            folders.prepare(setup.config)
        return _Judged(setup, registry, source)

    async def _follow(self, setup: Setup) -> Changes:
        """Folders and destinations go where messages went already."""
        folders = self._folders()
        if folders is not None:
            try:
                await folders.change(setup.config)
            except OSError as error:  # it was made a moment ago
                self._log.error("folder.not-watched", error=error)
        return await self._deliver(setup)

    async def _loaded(self, changes: Changes) -> Reloaded:
        try:
            orphans = await self.orphans()
        except Unavailable:
            orphans = ()
        told = self._told("loaded", changes=changes, orphans=orphans)
        self._log.info(
            "configuration.loaded",
            digest=told.digest,
            started=list(changes.started),
            reopened=list(changes.reopened),
            stopped=list(changes.stopped),
        )
        for orphan in orphans:
            self._log.warning(
                "configuration.orphan", destination=orphan.destination, keys=orphan.keys
            )
        return told

    def _refuse(self, error: ConfigError, *, only_judge: bool) -> Reloaded:
        if not only_judge:
            self._refused = self._clock(), error.mistakes
            self._metrics.configuration_refused.set(1)
            self._log.error(
                "configuration.refused",
                digest=self._current().digest,
                mistakes=[
                    {"path": mistake.path, "text": mistake.text}
                    for mistake in error.mistakes[:TOLD]
                ],
            )
        return self._told("refused", mistakes=error.mistakes)

    def _told(
        self,
        result: Literal["loaded", "judged", "refused"],
        *,
        mistakes: tuple[Mistake, ...] = (),
        changes: Changes | None = None,
        orphans: tuple[Orphan, ...] = (),
    ) -> Reloaded:
        return Reloaded(
            result=result,
            digest=self._current().digest,
            loaded_at=self._loaded_at,
            mistakes=mistakes,
            changes=changes or Changes(),
            orphans=orphans,
        )
