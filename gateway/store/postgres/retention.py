"""Retention and holds on PostgreSQL: one connection for a run, which is the only one of all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from gateway.core.identifiers import RecordNumber, record_time
from gateway.core.retention import (
    SEEN,
    Budget,
    Due,
    Hold,
    Pruned,
    Removal,
    Rule,
    Rules,
    Sample,
    Size,
    TableSize,
    check_hold,
    horizon,
    walking,
)
from gateway.store.leaf import instant, microseconds
from gateway.store.postgres import pruning
from gateway.store.postgres.connection import Connection, Pool, Row
from gateway.store.postgres.partitions import bounds, window
from translators.canonical import KINDS

_LOCK = 0x7072756E65  # "prune": one run on a database at a time
_LEFT_OVER = """
SELECT record FROM left_over WHERE rule = $1 AND record > $2 ORDER BY record LIMIT $3
"""
_REMOVAL = """
SELECT days, at FROM removal WHERE rule = $1 AND first <= $2 AND past > $2
ORDER BY past - first LIMIT 1
"""
_REMEMBERED = """
DELETE FROM remembered WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM remembered WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
_REGISTRIES = """
DELETE FROM registry WHERE version <= (SELECT max(version) FROM registry) - $1::bigint
"""
_SIZES = """
SELECT coalesce(pg_partition_root(c.oid), c.oid)::regclass::text,
 sum(pg_total_relation_size(c.oid))::bigint, sum(greatest(c.reltuples, 0))::bigint
FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
GROUP BY 1 ORDER BY 2 DESC, 1
"""
_OLDEST = "SELECT record FROM body WHERE kind = $1 ORDER BY record LIMIT 1"
_DUE = """
SELECT count(*) FROM message AS m WHERE record >= $1 AND record < $2
 AND (kind = ANY ($3::text[])) = $4
"""
_KEPT_SAMPLES = 120 * 86_400_000_000
_GRACE = timedelta(minutes=1)
_LEFT_AT_ONCE = 200


class PostgresRetention:
    """A :class:`gateway.core.retention.Retention`. ``prune`` has one connection, for runs alone."""

    def __init__(self, *, prune: Pool, read: Pool) -> None:
        self._prune, self._read = prune, read

    async def prune(
        self,
        rules: Rules,
        *,
        now: datetime,
        budget: Budget,
        told: Callable[[str, Pruned], None] | None = None,
    ) -> Pruned:
        """See the port."""
        async with self._prune.connection() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                return Pruned(busy=True, over=False)
            try:
                run = _Run(connection, now=now, budget=budget, told=told)
                total = await run.windows(rules)
                for rule in walking(rules):
                    total += await run.apply(rule)
                total += await run.sweep(rules)
                return msgspec.structs.replace(
                    total, left=await run.finish(rules), over=not run.late
                )
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)

    async def size(
        self, *, now: datetime, rules: Rules | None = None, tables: bool = False
    ) -> Size:
        """See the port. Rows are the server's estimates; the log is the server's own affair."""
        async with self._read.connection() as connection:
            found = [
                TableSize(name=row[0], bytes=row[1], rows=row[2])
                for row in await connection.fetch(_SIZES)
            ]
            samples = await connection.fetch("SELECT at, used FROM measured ORDER BY at")
            oldest = [
                record
                for kind in KINDS
                if (record := await connection.fetchval(_OLDEST, kind)) is not None
            ]
            return Size(
                used=sum(table.bytes for table in found),
                free=0,
                log=0,
                oldest=record_time(min(oldest)) if oldest else None,
                samples=tuple(Sample(at=instant(row[0]), used=row[1]) for row in samples),
                tables=tuple(found) if tables else (),
                due=() if rules is None else await _due(connection, rules, now, found),
                messages=next((one.rows for one in found if one.name == "message"), None),
            )

    async def removal(self, record: RecordNumber, rule: str) -> Removal | None:
        """See the port."""
        async with self._read.connection() as connection:
            return await removal(connection, record, rule)

    async def forgotten(self) -> datetime | None:
        """See the port."""
        async with self._read.connection() as connection:
            found = await connection.fetchval("SELECT position FROM pruning WHERE rule = $1", SEEN)
        return record_time(found) if found else None


async def removal(connection: Connection, record: int, rule: str) -> Removal | None:
    """When the content of a message of that class was removed."""
    row = await connection.fetchrow(_REMOVAL, rule, record)
    if row is None:
        return None
    return Removal(rule=rule, days=row[0], on=instant(row[1]).astimezone(UTC).date())


async def _due(
    connection: Connection, rules: Rules, now: datetime, tables: Sequence[TableSize]
) -> tuple[Due, ...]:
    content = [table for table in tables if table.name in ("body", "raw")]
    each = sum(table.bytes / table.rows for table in content if table.rows)
    due: list[Due] = []
    for rule in rules.classes:
        first, end = await pruning.position(connection, rule), int(horizon(now, rule.days))
        count = await connection.fetchval(_DUE, first, end, list(rule.kinds), not rule.others)
        due.append(Due(rule=rule.name, messages=count, bytes=round(count * each)))
    return tuple(due)


class _Run:
    """One run: its time is up after ``budget.seconds``, its steps are short and far between."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: datetime,
        budget: Budget,
        told: Callable[[str, Pruned], None] | None,
    ) -> None:
        self._connection, self._budget, self._told = connection, budget, told
        self._at, self._now = now, microseconds(now)
        self._until = time.monotonic() + budget.seconds

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._until

    async def windows(self, rules: Rules) -> Pruned:
        """Drop the content of windows of which everything is over, nothing open and nothing held.

        So goes what has become very old at once: after a pause of months, or with shorter rules.
        """
        total = Pruned()
        content = walking(rules)[: len(rules.classes) + 1]
        end = min(int(horizon(self._at, rule.days)) for rule in content)
        positions = [await pruning.position(self._connection, rule) for rule in content]
        oldest = await self._connection.fetchval("SELECT min(record) FROM raw")
        if oldest is None:
            return total
        for number in range(window(oldest), window(end)):
            first, past = bounds(number)
            if self.late or min(positions) >= past:
                continue
            if await pruning.is_over(self._connection, first, past, self._now):
                total += await self._step("windows", lambda n=number: self._window(n, content))  # type: ignore[misc] # bound now
        return total

    async def _window(self, number: int, rules: Sequence[Rule]) -> Pruned:
        first, past = bounds(number)
        async with pruning.holds_kept(self._connection):
            if not await pruning.is_over(self._connection, first, past, self._now):
                return Pruned()  # something was put on hold just now
            return await self._empty(number, rules)

    async def _empty(self, number: int, rules: Sequence[Rule]) -> Pruned:
        first, past = bounds(number)
        bodies = contents = 0
        for name, parent in await pruning.attached(self._connection, number):
            count = await self._connection.fetchval(
                f"SELECT count(*) FROM {name}"  # noqa: S608 - a name of ours
                + (" WHERE slice = 0" if parent == "raw" else "")
            )
            if not await self._drop(name, parent):
                continue
            bodies, contents = (
                (bodies, contents + count) if parent == "raw" else (bodies + count, contents)
            )
        async with self._connection.transaction():
            details = await pruning.window_details(self._connection, first, past)
            for rule in rules:
                if bodies or contents:
                    await pruning.tell(self._connection, rule, first, past, now=self._now)
        return Pruned(bodies=bodies, contents=contents, details=details)

    async def _drop(self, name: str, parent: str) -> bool:
        """Whether a partition could be dropped; if not, its rows are deleted instead."""
        try:
            await pruning.drop(self._connection, name, parent)
        except (asyncpg.LockNotAvailableError, asyncpg.ObjectNotInPrerequisiteStateError):
            return False
        return True

    async def apply(self, rule: Rule) -> Pruned:
        """What is left over of a rule, then all that has become due since."""
        total = await self._again(rule)
        end = int(horizon(self._at, rule.days))
        while not self.late and await pruning.position(self._connection, rule) < end:
            total += await self._step(rule.name, lambda: self._range(rule, end))
        return total

    async def _again(self, rule: Rule) -> Pruned:
        total, after = Pruned(), -1
        while not self.late:
            rows = await self._connection.fetch(_LEFT_OVER, rule.name, after, _LEFT_AT_ONCE)
            if not rows:
                break
            after = rows[-1][0]
            records = [row[0] for row in rows]
            total += await self._step(rule.name, lambda r=records: self._left(rule, r))  # type: ignore[misc] # bound now
        return total

    async def _range(self, rule: Rule, horizon: int) -> Pruned:
        first = await pruning.position(self._connection, rule)
        end = await pruning.past(self._connection, rule, first, horizon, self._budget.rows)
        still_open = await pruning.unsettled(self._connection, first, end)
        async with self._connection.transaction():
            pruned, left = await pruning.remove(
                self._connection, rule, first, end, still_open=still_open, now=self._now
            )
            await pruning.advance(self._connection, rule, first, end, pruned, left, now=self._now)
        return pruned

    async def _left(self, rule: Rule, records: Sequence[int]) -> Pruned:
        total = Pruned()
        async with self._connection.transaction():
            for record in records:
                still_open = await pruning.unsettled(self._connection, record, record + 1)
                pruned, left = await pruning.remove(
                    self._connection,
                    rule,
                    record,
                    record + 1,
                    still_open=still_open,
                    now=self._now,
                )
                if not left:
                    await self._connection.execute(
                        "DELETE FROM left_over WHERE rule = $1 AND record = $2", rule.name, record
                    )
                if pruned:
                    await pruning.tell(self._connection, rule, record, record + 1, now=self._now)
                total += pruned
        return total

    async def sweep(self, rules: Rules) -> Pruned:
        """What does not go by record numbers: counts, what is remembered, old registries."""
        if self.late:
            return Pruned()
        before = (self._at - timedelta(days=rules.quality)).date()
        total = Pruned()
        for table in ("quality_judged", "quality_found"):
            statement = f"DELETE FROM {table} WHERE day < $1"  # noqa: S608 - two names
            total += await self._others(statement, before)
        total += await self._others(_REGISTRIES, rules.registries)
        over = microseconds(self._at - _GRACE)
        while not self.late:
            gone = await self._others(_REMEMBERED, over, self._budget.rows)
            total += gone
            if not gone:
                break
        return total

    async def _others(self, statement: str, *arguments: object) -> Pruned:
        async def job() -> Pruned:
            tag = await self._connection.execute(statement, *arguments)
            return Pruned(others=int(tag.rpartition(" ")[2]))

        return await self._step("others", job)

    async def finish(self, rules: Rules) -> int:
        """Give back the disk of windows that are empty, and measure. What is left over."""
        done = [await pruning.position(self._connection, rule) for rule in rules.classes]
        last = window(min(done))
        # A window is looked at for as long as it may just have become empty.
        for number in range(max(0, last - 64), last):
            for name, parent in await pruning.attached(self._connection, number):
                if not await pruning.rows_in(self._connection, name):
                    await self._drop(name, parent)
        used = sum(row[1] for row in await self._connection.fetch(_SIZES))
        async with self._connection.transaction():
            await self._connection.execute(
                "INSERT INTO measured VALUES ($1, $2)"
                " ON CONFLICT (at) DO UPDATE SET used = excluded.used",
                self._now,
                used,
            )
            await self._connection.execute(
                "DELETE FROM measured WHERE at < $1", self._now - _KEPT_SAMPLES
            )
        return int(await self._connection.fetchval("SELECT count(DISTINCT record) FROM left_over"))

    async def _step(self, name: str, job: Callable[[], Awaitable[Pruned]]) -> Pruned:
        began = time.perf_counter()
        pruned = await job()
        if self._told is not None and pruned:
            self._told(name, pruned)
        if self._budget.rest:
            await asyncio.sleep(self._budget.rest * (time.perf_counter() - began))
        return pruned


class PostgresHolds:
    """A :class:`gateway.core.retention.Holds`."""

    def __init__(self, *, write: Pool, read: Pool) -> None:
        self._write, self._read = write, read

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
        row = (
            value,
            record,
            ordinal,
            reason,
            by,
            microseconds(now),
            None if until is None else microseconds(until),
        )
        async with self._write.transaction() as connection:
            await pruning.keep_holds(connection)
            no = await connection.fetchval(
                "INSERT INTO hold (value, record, ordinal, reason, placed_by, since, until)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING no",
                *row,
            )
        return _hold((no, *row))

    async def all(self) -> Sequence[Hold]:
        """See the port."""
        async with self._read.connection() as connection:
            rows = await connection.fetch(
                "SELECT no, value, record, ordinal, reason, placed_by, since, until FROM hold"
                " ORDER BY no"
            )
        return tuple(_hold(tuple(row)) for row in rows)

    async def release(self, no: int) -> bool:
        """See the port."""
        async with self._write.transaction() as connection:
            return bool(
                await connection.fetchval("DELETE FROM hold WHERE no = $1 RETURNING true", no)
            )


def _hold(row: Row) -> Hold:
    no, value, record, ordinal, reason, by, since, until = row
    return Hold(
        no=no,
        value=value,
        record=None if record is None else RecordNumber(record),
        ordinal=ordinal,
        reason=reason,
        by=by,
        since=instant(since),
        until=None if until is None else instant(until),
    )
