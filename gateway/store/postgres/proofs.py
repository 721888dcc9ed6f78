"""How it was proved who said something, in two tables."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.records import Proof
from gateway.store.codec import Codec
from gateway.store.postgres.connection import Connection, columns
from gateway.store.proofs import PackedProof, proof_of

_NEW = """
INSERT INTO prover (digest, method, kid, algorithm, public_key, fingerprint)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT DO NOTHING
"""
# Those whose way of proving is there.
_PROOFS = """
INSERT INTO proof SELECT j.record, w.no, j.signature
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS j(record, digest, signature)
JOIN prover AS w ON w.digest = j.digest RETURNING record
"""
_PROOF = """
SELECT w.method, w.kid, w.algorithm, w.public_key, w.fingerprint, p.signature
FROM proof AS p JOIN prover AS w ON w.no = p.prover WHERE p.record = $1
"""


async def write(connection: Connection, packed: Sequence[PackedProof]) -> None:
    """Within a transaction, after the rows that callers wait for: store proofs of interchanges."""
    if not packed:
        return
    rows = [(one.record, one.digest, one.signature) for one in packed]
    stored = {row[0] for row in await connection.fetch(_PROOFS, *columns(rows, 3))}
    new = {one.digest: one.way for one in packed if one.record not in stored}
    if new:
        # Sorted, so that two that meet at a new way of proving wait in one direction.
        ways = [(digest, *way) for digest, way in sorted(new.items())]
        await connection.execute(_NEW, *columns(ways, 6))
        rows = [row for row in rows if row[0] not in stored]
        await connection.execute(_PROOFS, *columns(rows, 3))


async def read(connection: Connection, codec: Codec, record: int) -> Proof | None:
    """The proof of an interchange, when one is kept."""
    row = await connection.fetchrow(_PROOF, record)
    if row is None:
        return None
    method, kid, algorithm, public_key, fingerprint, signature = row
    return proof_of((method, kid, algorithm, public_key, fingerprint, signature), codec)
