"""The tables that every back end's ledger has."""

from __future__ import annotations

SCHEMA_VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    party TEXT NOT NULL,
    interchange_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    digest TEXT NOT NULL,
    format TEXT NOT NULL,
    received_at TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    outcomes BLOB NOT NULL,
    UNIQUE (party, interchange_id)
);
-- Refused attempts: evidence only, an id is consumed by acceptance.
CREATE TABLE IF NOT EXISTS refusals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    party TEXT NOT NULL,
    interchange_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    received_at TEXT NOT NULL,
    code TEXT NOT NULL,
    outcomes BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS refusals_by_id ON refusals (party, interchange_id);
CREATE TABLE IF NOT EXISTS messages (
    message_id TEXT PRIMARY KEY,
    inbox INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    party TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER,
    disposition TEXT NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_by_key ON messages (key);
-- The version applied per sender, kind and key.
CREATE TABLE IF NOT EXISTS heads (
    party TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER,
    message_id TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    PRIMARY KEY (party, kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    interchange_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    regards TEXT,
    content BLOB NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'acknowledged', 'refused', 'superseded')),
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    receipt TEXT,
    settled_at TEXT
);
-- What waits, by key: the lowest number of each key goes out, the others after it.
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (key, number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS outbox_order ON outbox (number) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
"""
