"""How it was proved who said something: beside the received bytes, enough to prove it again.

A party proves mostly in the same way, with the same key on the same connection; each way is stored
once, and an interchange has its number and the signature.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence

import msgspec

from gateway.core.records import Proof, ProofMethod
from gateway.store.codec import Codec
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


class Packed(msgspec.Struct, frozen=True):
    """A proof as it is stored: its way of proving, the digest of that, the packed signature."""

    record: int
    digest: bytes
    way: tuple[str, str, str, str, str]
    signature: bytes


def pack(record: int, proof: Proof, codec: Codec) -> Packed:
    """The rows of a proof, as far as they are known without the store."""
    way = (proof.method.value, proof.kid, proof.algorithm, proof.public_key, proof.fingerprint)
    digest = hashlib.sha256(msgspec.msgpack.encode(way)).digest()
    token = proof.method is ProofMethod.JWS and proof.signature.isascii()
    signature = codec.pack_token(proof.signature.decode()) if token else codec.pack(proof.signature)
    return Packed(record, digest, way, signature)


def write(connection: sqlite3.Connection, packed: Sequence[Packed]) -> None:
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
    if row is None:
        return None
    method, kid, algorithm, public_key, fingerprint, signature = row
    return Proof(
        method=ProofMethod(method),
        kid=kid,
        algorithm=algorithm,
        public_key=public_key,
        fingerprint=fingerprint,
        signature=codec.unpack(signature),
    )
