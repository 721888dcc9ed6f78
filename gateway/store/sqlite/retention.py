"""Retention and holds over an opened journal: a connection of its own, one run at a time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from gateway.core.identifiers import RecordNumber, record_time
from gateway.core.retention import (
    SEEN,
    Budget,
    Hold,
    Pruned,
    Removal,
    Rule,
    Rules,
    Size,
    check_hold,
    horizon,
    walking,
)
from gateway.store.leaf import instant, microseconds
from gateway.store.sqlite import holds, pruning, sizes
from gateway.store.sqlite.connection import transaction
from gateway.store.sqlite.pool import Pool
from gateway.store.sqlite.turnstile import Turnstile

_LEFT_OVER = "SELECT record FROM left_over WHERE rule = ? AND record > ? ORDER BY record LIMIT ?"
_FORGET_LEFT = "DELETE FROM left_over WHERE rule = ? AND record = ?"
_COUNT_LEFT = "SELECT count(DISTINCT record) FROM left_over"
_REMOVAL = """
SELECT days, at FROM removal WHERE rule = ?1 AND first <= ?2 AND past > ?2
ORDER BY past - first LIMIT 1
"""
_POSITION = "SELECT position FROM pruning WHERE rule = ?"
_PARTIES = """
WITH RECURSIVE p(party) AS (
 SELECT min(party) FROM {0} UNION ALL
 SELECT (SELECT min(party) FROM {0} WHERE party > p.party) FROM p WHERE p.party IS NOT NULL
)
SELECT party FROM p WHERE party IS NOT NULL
"""
_OLD_REMEMBERED = """
DELETE FROM remembered WHERE digest IN
 (SELECT digest FROM remembered WHERE until <= ? ORDER BY until LIMIT ?)
"""
_OLD_REGISTRIES = """
DELETE FROM registry WHERE version <= (SELECT max(version) FROM registry) - ?
"""
_GRACE = timedelta(minutes=1)
"""That what is over stays remembered: clocks of processes differ."""
_LEFT_AT_ONCE = 200


class SqliteRetention:
    """A :class:`gateway.core.retention.Retention`."""

    def __init__(
        self, path: Path, folder: Path, *, prune: Pool, read: Pool, turnstile: Turnstile
    ) -> None:
        self._path, self._lock = path, folder / "prune"
        self._prune, self._read, self._turnstile = prune, read, turnstile

    async def prune(
        self,
        rules: Rules,
        *,
        now: datetime,
        budget: Budget,
        told: Callable[[str, Pruned], None] | None = None,
    ) -> Pruned:
        """See the port."""
        with _alone(self._lock) as mine:
            if not mine:
                return Pruned(busy=True, over=False)
            run = _Run(self._prune, self._turnstile, now=now, budget=budget, told=told)
            total = Pruned()
            for rule in walking(rules):
                total += await run.apply(rule)
            total += await run.sweep(rules)
            return msgspec.structs.replace(total, left=await run.finish(), over=not run.late)

    async def size(
        self, *, now: datetime, rules: Rules | None = None, tables: bool = False
    ) -> Size:
        """See the port."""
        at = microseconds(now)
        return await self._read.run(
            lambda c: sizes.size(c, self._path, now=at, rules=rules, tables=tables)
        )

    async def removal(self, record: RecordNumber, rule: str) -> Removal | None:
        """See the port."""
        return await self._read.run(lambda c: removal(c, record, rule))

    async def forgotten(self) -> datetime | None:
        """See the port."""
        return await self._read.run(forgotten)


def removal(connection: sqlite3.Connection, record: int, rule: str) -> Removal | None:
    """When the content of a message of that class was removed."""
    row = connection.execute(_REMOVAL, (rule, record)).fetchone()
    return None if row is None else Removal(rule=rule, days=row[0], on=_day(row[1]))


def _day(at: int) -> date:
    return instant(at).astimezone(UTC).date()


def forgotten(connection: sqlite3.Connection) -> datetime | None:
    """Up to when interchange ids have been forgotten."""
    row = connection.execute(_POSITION, (SEEN,)).fetchone()
    return None if row is None or row[0] == 0 else record_time(row[0])


class _Run:
    """One run: its time is up after ``budget.seconds``, its steps are short and far between."""

    def __init__(
        self,
        pool: Pool,
        turnstile: Turnstile,
        *,
        now: datetime,
        budget: Budget,
        told: Callable[[str, Pruned], None] | None,
    ) -> None:
        self._pool, self._turnstile, self._budget, self._told = pool, turnstile, budget, told
        self._at = now
        self._now = microseconds(now)
        self._until = time.monotonic() + budget.seconds
        self._any = False

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._until

    async def apply(self, rule: Rule) -> Pruned:
        """What is left over of a rule, then all that has become due since."""
        total = await self._again(rule)
        end = int(horizon(self._at, rule.days))
        while not self.late and await self._pool.run(lambda c: pruning.position(c, rule)) < end:
            total += await self._step(rule.name, lambda c: self._range(c, rule, end))
        return total

    async def _again(self, rule: Rule) -> Pruned:
        total, after = Pruned(), -1
        while not self.late:
            records = await self._pool.run(
                lambda c, after=after: c.execute(  # type: ignore[misc] # the default binds it now
                    _LEFT_OVER, (rule.name, after, _LEFT_AT_ONCE)
                ).fetchall()
            )
            if not records:
                break
            after = records[-1][0]
            wanted = [record for (record,) in records]
            total += await self._step(rule.name, lambda c, w=wanted: self._left(c, rule, w))  # type: ignore[misc] # as above
        return total

    def _range(self, connection: sqlite3.Connection, rule: Rule, horizon: int) -> Pruned:
        """The next range of a rule. What is settled stays so: that is judged before the lock."""
        first = pruning.position(connection, rule)
        end = pruning.past(connection, rule, first, horizon, self._budget.rows)
        still_open = pruning.unsettled(connection, first, end)
        with transaction(connection, self._turnstile):
            if pruning.position(connection, rule) != first:
                return Pruned()
            pruned, left = pruning.remove(
                connection, rule, first, end, still_open=still_open, now=self._now
            )
            pruning.advance(connection, rule, first, end, pruned, left, now=self._now)
        return pruned

    def _left(self, connection: sqlite3.Connection, rule: Rule, records: Sequence[int]) -> Pruned:
        total = Pruned()
        still_open = {r: pruning.unsettled(connection, r, r + 1) for r in records}
        with transaction(connection, self._turnstile):
            for record in records:
                pruned, left = pruning.remove(
                    connection,
                    rule,
                    record,
                    record + 1,
                    still_open=still_open[record],
                    now=self._now,
                )
                if not left:
                    connection.execute(_FORGET_LEFT, (rule.name, record))
                if pruned:
                    pruning.tell(connection, rule, record, record + 1, now=self._now)
                total += pruned
        return total

    async def sweep(self, rules: Rules) -> Pruned:
        """What does not go by record numbers: counts, what is remembered, old registries."""
        if self.late:
            return Pruned()
        total = await self._step("quality", lambda c: self._counts(c, rules.quality))
        total += await self._step("registry", lambda c: self._registries(c, rules.registries))
        over = microseconds(self._at - _GRACE)
        while not self.late:
            gone = await self._step("remembered", lambda c: self._remembered(c, over))
            total += gone
            if not gone:
                break
        return total

    def _counts(self, connection: sqlite3.Connection, days: int) -> Pruned:
        before = (self._at - timedelta(days=days)).date().isoformat()
        count = 0
        with transaction(connection, self._turnstile):
            for table in ("quality_judged", "quality_found"):
                for (party,) in connection.execute(_PARTIES.format(table)).fetchall():
                    count += connection.execute(
                        f"DELETE FROM {table} WHERE party = ? AND day < ?",  # noqa: S608 - two names
                        (party, before),
                    ).rowcount
        return Pruned(others=count)

    def _registries(self, connection: sqlite3.Connection, kept: int) -> Pruned:
        with transaction(connection, self._turnstile):
            return Pruned(others=connection.execute(_OLD_REGISTRIES, (kept,)).rowcount)

    def _remembered(self, connection: sqlite3.Connection, over: int) -> Pruned:
        with transaction(connection, self._turnstile):
            return Pruned(
                others=connection.execute(_OLD_REMEMBERED, (over, self._budget.rows)).rowcount
            )

    async def finish(self) -> int:
        """Measure the file; what was removed leaves the write-ahead log as well. What is left."""

        def job(connection: sqlite3.Connection) -> int:
            with transaction(connection, self._turnstile):
                sizes.measure(connection, self._now)
            if self._any:
                # Old pages in the log still hold what was removed. Without waiting for readers:
                # what they keep from happening, the next run does.
                with self._turnstile.turn(), suppress(sqlite3.OperationalError):
                    connection.execute("PRAGMA busy_timeout = 0")
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return int(connection.execute(_COUNT_LEFT).fetchone()[0])

        return await self._pool.run(job)

    async def _step(self, name: str, job: Callable[[sqlite3.Connection], Pruned]) -> Pruned:
        began = time.perf_counter()
        pruned = await self._pool.run(job)
        self._any = self._any or bool(pruned)
        if self._told is not None and pruned:
            self._told(name, pruned)
        if self._budget.rest:
            await asyncio.sleep(self._budget.rest * (time.perf_counter() - began))
        return pruned


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether nobody else has the lock, which the kernel takes from a process that dies."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


class SqliteHolds:
    """A :class:`gateway.core.retention.Holds`."""

    def __init__(self, *, prune: Pool, read: Pool, turnstile: Turnstile) -> None:
        self._prune, self._read, self._turnstile = prune, read, turnstile

    async def add(
        self,
        *,
        reason: str,
        by: str,
        now: datetime,
        until: datetime | None = None,
        value: str | None = None,
        record: RecordNumber | None = None,
        ordinal: int | None = None,
    ) -> Hold:
        """See the port."""
        check_hold(value, record, ordinal)
        hold = Hold(
            no=0,
            reason=reason,
            by=by,
            since=now,
            until=until,
            value=value,
            record=record,
            ordinal=ordinal,
        )

        def job(connection: sqlite3.Connection) -> Hold:
            with transaction(connection, self._turnstile):
                return holds.add(connection, hold)

        return await self._prune.run(job)

    async def all(self) -> Sequence[Hold]:
        """See the port."""
        return await self._read.run(holds.all_of)

    async def release(self, no: int) -> bool:
        """See the port."""

        def job(connection: sqlite3.Connection) -> bool:
            with transaction(connection, self._turnstile):
                return holds.release(connection, no)

        return await self._prune.run(job)
