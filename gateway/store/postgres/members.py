"""Which processes have the journal open: a row each, with a sign of life.

A process on the same machine is known to be gone as soon as it is: its row says which one it was.
Of one on another machine silence is all that can be noticed. What it had staged is removed then;
its leases run out by themselves, since it may still be sending.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gateway.store.postgres import staging
from gateway.store.postgres.connection import Connection

LASTING = "lasting"
"""Owner of leases that outlive a process: their holder is somebody outside (an inbox page)."""
SILENT_SECONDS = 60
"""After so long without a sign of life a process counts as gone."""

_JOIN = """
INSERT INTO process VALUES ($1, $2, $3, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET seen = excluded.seen
"""
_OTHERS = f"""
SELECT id, presence, seen < clock_timestamp() - interval '{SILENT_SECONDS} seconds'
FROM process WHERE id <> $1 ORDER BY id FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - a number
_END_LEASES = """
UPDATE head SET state = 0, wake = 0, token = '' WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM head WHERE state IN (1, 2) AND state = 1
 AND token >= $1::text || '.' AND token < $1::text || '/' ORDER BY destination, key FOR UPDATE))
"""


class Member:
    """This process among those that have the journal open, under a name never used before."""

    def __init__(self, *, started_at: int) -> None:
        self.name = secrets.token_hex(6)
        self._started_at = started_at

    async def live(self, connection: Connection) -> None:
        """Within a transaction: give a sign of life, and clear up after those that are gone."""
        await connection.execute(_JOIN, self.name, _presence(os.getpid()), self._started_at)
        for name, presence, silent in await connection.fetch(_OTHERS, self.name):
            if _gone(presence):
                await _clear(connection, name, leases=True)
            elif silent:
                await _clear(connection, name, leases=False)

    async def leave(self, connection: Connection) -> None:
        """Within a transaction: end this process's entry, as if it were gone."""
        await _clear(connection, self.name, leases=True)


async def _clear(connection: Connection, name: str, *, leases: bool) -> None:
    for (record,) in await connection.fetch("SELECT record FROM staged WHERE owner = $1", name):
        await staging.discard(connection, record)
    if leases:
        await connection.execute(_END_LEASES, name)
    await connection.execute("DELETE FROM process WHERE id = $1", name)


def _presence(pid: int) -> str:
    """Boot of the machine, space of process ids, id and start of a process; empty for none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/pid").readlink().name
        # proc(5): field 22 is the start time; the name in parentheses may contain anything.
        start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
    return f"{boot} {space} {pid} {start}"


def _gone(presence: str) -> bool:
    """True when that process was on this machine and has ended."""
    words, here = presence.split(), _presence(os.getpid()).split()
    if len(words) != 4 or len(here) != 4 or words[:2] != here[:2]:
        return False
    pid = int(words[2])
    found = _presence(pid)
    return found != presence if found else not _runs(pid)


def _runs(pid: int) -> bool:
    """Whether there is such a process: of other users the system may show nothing but that."""
    try:
        os.kill(pid, 0)  # kill(2): signal 0 is not sent
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
