"""Start-up after a crash: what processes that are gone have left half-done is put right."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from gateway.store.sqlite import staging
from gateway.store.sqlite.members import Membership, gone

LASTING = "lasting"
"""Owner of leases that outlive a process: their holder is somebody outside (an inbox page)."""


def join(connection: sqlite3.Connection, folder: Path, *, started_at: int) -> Membership:
    """Enter this process, under a name never used before, and clear up after those gone.

    Within a write transaction. Staged chunks of the gone are deleted and their leases ended: they
    send nothing any more, and what they had sent is known to its receiver by its message id.
    """
    for (name,) in connection.execute("SELECT id FROM process").fetchall():
        if gone(folder, name):
            _clear(connection, name)
    name = secrets.token_hex(6)
    connection.execute("INSERT INTO process VALUES (?, ?)", (name, started_at))
    return Membership(folder, name)


def leave(connection: sqlite3.Connection, name: str) -> None:
    """End this process's entry, within a write transaction, as if it were gone."""
    _clear(connection, name)


def _clear(connection: sqlite3.Connection, name: str) -> None:
    for (record,) in connection.execute(
        "SELECT record FROM staged WHERE owner = ?", (name,)
    ).fetchall():
        staging.discard(connection, record)
    connection.execute(
        "UPDATE head SET state = 0, wake = 0, token = ''"
        " WHERE state IN (1, 2) AND state = 1 AND token >= ?1 || '.' AND token < ?1 || '/'",
        (name,),
    )
    connection.execute("DELETE FROM process WHERE id = ?", (name,))
