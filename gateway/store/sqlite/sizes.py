"""How large the file is, and its tables. Page counts cost nothing; tables read the whole file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.core.identifiers import record_time
from gateway.core.retention import Due, Rules, Sample, Size, TableSize, horizon
from gateway.store.leaf import instant
from gateway.store.sqlite import pruning
from gateway.store.sqlite.rows import listed

# https://www.sqlite.org/dbstat.html: a table without rowid has rows on its inner pages too.
_TABLES = """
SELECT t.tbl_name, sum(d.pgsize),
 sum(CASE WHEN t.type <> 'table' THEN 0 WHEN t.sql LIKE '%WITHOUT ROWID%' THEN d.ncell
  WHEN d.pagetype = 'leaf' THEN d.ncell ELSE 0 END)
FROM dbstat AS d CROSS JOIN sqlite_master AS t ON t.name = d.name
GROUP BY t.tbl_name ORDER BY 2 DESC, 1
"""
_SAMPLES = "SELECT at, used FROM measured ORDER BY at"
_OLDEST = "SELECT record FROM body ORDER BY record LIMIT 1"
_DUE = """
SELECT count(*) FROM message WHERE record >= ? AND record < ?
 AND (kind IN (SELECT value FROM json_each(?))) = ?
"""
_KEPT_SAMPLES = 120 * 86_400_000_000
"""Microseconds for which measurements are kept."""


def measure(connection: sqlite3.Connection, now: int) -> None:
    """Within a write transaction: write down the bytes in use."""
    used, _ = _pages(connection)
    connection.execute("INSERT OR REPLACE INTO measured VALUES (?, ?)", (now, used))
    connection.execute("DELETE FROM measured WHERE at < ?", (now - _KEPT_SAMPLES,))


def size(
    connection: sqlite3.Connection, path: Path, *, now: int, rules: Rules | None, tables: bool
) -> Size:
    """The file and its disk as they are now."""
    used, free = _pages(connection)
    oldest = connection.execute(_OLDEST).fetchone()
    found: tuple[TableSize, ...] = ()
    if tables:
        found = tuple(
            TableSize(name=name, bytes=size, rows=rows)
            for name, size, rows in connection.execute(_TABLES)
        )
    due = () if rules is None else tuple(_due(connection, rules, now, found))
    log = path.with_name(f"{path.name}-wal")
    return Size(
        used=used,
        free=free,
        log=log.stat().st_size if log.exists() else 0,
        room=_room(connection, path, used + free),
        oldest=None if oldest is None else record_time(oldest[0]),
        samples=tuple(Sample(at=instant(at), used=n) for at, n in connection.execute(_SAMPLES)),
        tables=found,
        due=due,
        messages=next((table.rows for table in found if table.name == "message"), None),
    )


def _pages(connection: sqlite3.Connection) -> tuple[int, int]:
    """Bytes in use, and of free pages."""
    page, count, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    return (count - free) * page, free * page


def _room(connection: sqlite3.Connection, path: Path, present: int) -> int:
    """By how much the file may still grow: the disk, or the bound on its pages."""
    disk = os.statvfs(path)
    page: int
    most: int
    page, most = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "max_page_count")
    )
    return max(0, min(disk.f_bavail * disk.f_frsize, most * page - present))


def _due(
    connection: sqlite3.Connection, rules: Rules, now: int, tables: tuple[TableSize, ...]
) -> Iterator[Due]:
    content = [table for table in tables if table.name in ("body", "raw")]
    each = sum(table.bytes / table.rows for table in content if table.rows)
    for rule in rules.classes:
        first = pruning.position(connection, rule)
        end = horizon(instant(now), rule.days)
        (count,) = connection.execute(
            _DUE, (first, end, listed(rule.kinds), not rule.others)
        ).fetchone()
        yield Due(rule=rule.name, messages=count, bytes=round(count * each))
