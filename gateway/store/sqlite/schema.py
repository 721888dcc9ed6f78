"""The tables, and the steps from one version of them to the next (``PRAGMA user_version``).

Evidence only grows: ``interchange``, ``raw``, ``message``, ``body``, ``subject``, ``ref``,
``attempt``, ``reading``, ``report``, ``line``, ``prover``, ``proof``. The queue is ``head`` and
``leg`` and holds unsettled work alone: a leg is deleted when it is settled, so its cost does not
depend on history. Content goes when its time is over (``pruning``), unless there is a ``hold``.
"""

from __future__ import annotations

import sqlite3

from gateway.store.sqlite import (
    awaited,
    destinations,
    proofs,
    pruning,
    quality,
    rates,
    remembered,
    reports,
)

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('record', 0), ('subject', 1), ('leg', 1), ('attempt', 1);
CREATE TABLE process (id TEXT PRIMARY KEY, started_at INTEGER NOT NULL) WITHOUT ROWID;

-- What may be accepted once: interchange ids (kind 0) and control references (kind 1).
CREATE TABLE seen (
  id TEXT NOT NULL, party TEXT NOT NULL, kind INTEGER NOT NULL,
  digest BLOB NOT NULL, record INTEGER NOT NULL,
  PRIMARY KEY (id, party, kind)
) WITHOUT ROWID;

CREATE TABLE interchange (
  record INTEGER PRIMARY KEY, party TEXT NOT NULL, interchange_id TEXT NOT NULL,
  attempt INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('accepted', 'refused')),
  format TEXT NOT NULL, transport TEXT NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL,
  received_at INTEGER NOT NULL, accepted INTEGER NOT NULL, refused INTEGER NOT NULL,
  control_reference TEXT, model INTEGER NOT NULL, leaf BLOB NOT NULL,
  receipt BLOB NOT NULL, outcomes BLOB NOT NULL
);
-- Accepted ones are found through seen.
CREATE INDEX interchange_refused ON interchange (interchange_id, party) WHERE state = 'refused';

CREATE TABLE raw (
  record INTEGER NOT NULL, slice INTEGER NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY (record, slice)
) WITHOUT ROWID;

CREATE TABLE message (
  record INTEGER NOT NULL, ordinal INTEGER NOT NULL, kind TEXT NOT NULL,
  subject INTEGER NOT NULL, version INTEGER NOT NULL, function TEXT NOT NULL,
  subjects TEXT NOT NULL, destinations TEXT NOT NULL, deadline INTEGER,
  regards TEXT, on_behalf_of TEXT, upstream_id TEXT,
  PRIMARY KEY (record, ordinal)
) WITHOUT ROWID;

CREATE TABLE body (
  record INTEGER NOT NULL, ordinal INTEGER NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY (record, ordinal)
) WITHOUT ROWID;

-- value first, so that "this S10, whatever its origin" is a prefix.
CREATE TABLE subject (
  no INTEGER PRIMARY KEY, value TEXT NOT NULL, kind TEXT NOT NULL, origin TEXT NOT NULL,
  first_record INTEGER NOT NULL, last_record INTEGER NOT NULL
);
CREATE UNIQUE INDEX subject_value ON subject (value, kind, origin, first_record);
CREATE TABLE version (
  subject INTEGER NOT NULL, party TEXT NOT NULL, kind TEXT NOT NULL, latest INTEGER NOT NULL,
  PRIMARY KEY (subject, party, kind)
) WITHOUT ROWID;
CREATE TABLE ref (
  subject INTEGER NOT NULL, record INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  PRIMARY KEY (subject, record, ordinal)
) WITHOUT ROWID;

CREATE TABLE leg (
  destination TEXT NOT NULL, key INTEGER NOT NULL, seq INTEGER NOT NULL, lane INTEGER NOT NULL,
  due INTEGER NOT NULL, record INTEGER NOT NULL, ordinal INTEGER NOT NULL, route TEXT NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY (destination, key, seq)
) WITHOUT ROWID;

-- state: 0 ready, 1 leased, 2 waiting, 3 held. next: seq of the first unsettled leg; last: of the
-- lease's last; urgent: of the leg whose lane and due the head has inherited, 0 for none.
CREATE TABLE head (
  destination TEXT NOT NULL, key INTEGER NOT NULL, state INTEGER NOT NULL, lane INTEGER NOT NULL,
  due INTEGER NOT NULL, wake INTEGER NOT NULL, token TEXT NOT NULL, next INTEGER NOT NULL,
  last INTEGER NOT NULL, urgent INTEGER NOT NULL,
  PRIMARY KEY (destination, key)
) WITHOUT ROWID;
CREATE INDEX head_ready ON head (destination, lane, due) WHERE state = 0;
CREATE INDEX head_wake ON head (wake) WHERE state IN (1, 2);
CREATE INDEX head_held ON head (destination, next) WHERE state = 3;

-- no keeps two reports of the same try apart: after a redelivery both are evidence.
CREATE TABLE attempt (
  record INTEGER NOT NULL, ordinal INTEGER NOT NULL, no INTEGER NOT NULL,
  destination TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, result TEXT NOT NULL,
  code TEXT NOT NULL, detail TEXT NOT NULL, dropped TEXT NOT NULL, evidence BLOB,
  process TEXT NOT NULL,
  PRIMARY KEY (record, ordinal, no)
) WITHOUT ROWID;

-- Large interchanges while they are read: their raw slices and bodies stand in raw and body, which
-- nobody reads before a message or interchange names them.
CREATE TABLE staged (
  record INTEGER PRIMARY KEY, party TEXT NOT NULL, interchange_id TEXT NOT NULL,
  owner TEXT NOT NULL, slices INTEGER NOT NULL
);
CREATE TABLE plan (
  record INTEGER NOT NULL, ordinal INTEGER NOT NULL, plan BLOB NOT NULL,
  PRIMARY KEY (record, ordinal)
) WITHOUT ROWID;

CREATE TABLE destination (
  id TEXT PRIMARY KEY, switch TEXT NOT NULL, breaker TEXT NOT NULL, open_until INTEGER NOT NULL,
  probe_owner TEXT NOT NULL, probe_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE hold (
  no INTEGER PRIMARY KEY, subject INTEGER, record INTEGER, reason TEXT NOT NULL, until INTEGER
);
CREATE TABLE registry (version INTEGER PRIMARY KEY, document BLOB NOT NULL);
"""

MIGRATIONS = (
    _FIRST,
    quality.TABLES,
    reports.TABLES,
    remembered.TABLE,
    proofs.TABLES,
    rates.TABLE,
    destinations.TABLE,
    pruning.TABLES,
    awaited.TABLE,
)
"""Step n leads from version n to n + 1. Steps are only ever appended."""


class JournalMismatch(Exception):
    """The file is no journal of this gateway: another program's, a later version's, another's."""


def migrate(connection: sqlite3.Connection, *, gateway: int) -> None:
    """Bring the open file to the newest version, or raise :class:`JournalMismatch`.

    Runs under the caller's write lock, outside of a transaction. ``gateway`` is written into a new
    journal and must equal it ever after: message ids are made of it, and must not change.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise JournalMismatch(f"the journal has version {version}, newer than this program")
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise JournalMismatch("the file is a database, but not a journal")
    for step in range(version, len(MIGRATIONS)):
        # executescript would commit first; a script that begins and ends its own transaction is
        # applied whole or, after a crash, not at all.
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[step]}; PRAGMA user_version = {step + 1}; COMMIT"
        )
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('gateway', ?)", (gateway,))
    (stored,) = connection.execute("SELECT value FROM meta WHERE name = 'gateway'").fetchone()
    if stored != gateway:
        raise JournalMismatch(f"the journal belongs to gateway {stored}, not to {gateway}")
