"""How it was proved who said something, in two tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.core.records import Proof
from gateway.store.codec import Codec
from gateway.store.proofs import PackedProof, proof_of
from gateway.store.sqlite.rows import insert

TABLES = """
-- digest: over all that follows, so that each way of proving is there once.
CREATE TABLE prover (
  no INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, method TEXT NOT NULL, kid TEXT NOT NULL,
  algorithm TEXT NOT NULL, public_key TEXT NOT NULL, fingerprint TEXT NOT NULL
);
CREATE TABLE proof (
  record INTEGER PRIMARY KEY, prover INTEGER NOT NULL, signature BLOB NOT NULL
);
"""
"""A step of ``schema.MIGRATIONS``."""

_PROVER = "SELECT no FROM prover WHERE digest = ?"
_NEW_PROVER = """
INSERT INTO prover (digest, method, kid, algorithm, public_key, fingerprint)
VALUES (?, ?, ?, ?, ?, ?)
"""
_PROOF = """
SELECT w.method, w.kid, w.algorithm, w.public_key, w.fingerprint, p.signature
FROM proof AS p CROSS JOIN prover AS w ON w.no = p.prover WHERE p.record = ?
"""


def write(connection: sqlite3.Connection, packed: Sequence[PackedProof]) -> None:
    """Within a write transaction: store the proofs of interchanges."""
    numbers: dict[bytes, int] = {}
    for one in packed:
        if one.digest not in numbers:
            found = connection.execute(_PROVER, (one.digest,)).fetchone()
            if found is None:
                found = (connection.execute(_NEW_PROVER, (one.digest, *one.way)).lastrowid,)
            numbers[one.digest] = found[0]
    rows = [(one.record, numbers[one.digest], one.signature) for one in packed]
    insert(connection, "proof", rows)


def read(connection: sqlite3.Connection, codec: Codec, record: int) -> Proof | None:
    """The proof of an interchange, when one is kept."""
    row = connection.execute(_PROOF, (record,)).fetchone()
    return None if row is None else proof_of(row, codec)
