"""How it was proved who said something, in two tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.core.records import Proof
from gateway.store.codec import Codec
from gateway.store.postgres.connection import Connection, columns
from gateway.store.proofs import PackedProof, proof_of

_KNOWN = "SELECT digest, no FROM prover WHERE digest = ANY ($1::bytea[])"
_NEW = """
INSERT INTO prover (digest, method, kid, algorithm, public_key, fingerprint)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT DO NOTHING
"""
_PROOFS = """
INSERT INTO proof SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])
"""
_PROOF = """
SELECT w.method, w.kid, w.algorithm, w.public_key, w.fingerprint, p.signature
FROM proof AS p JOIN prover AS w ON w.no = p.prover WHERE p.record = $1
"""


async def write(connection: Connection, packed: Sequence[PackedProof]) -> None:
    """Within a transaction, after the rows that callers wait for: store proofs of interchanges."""
    if not packed:
        return
    wanted = {one.digest: one.way for one in packed}
    known = await _known(connection, wanted)
    # Sorted, so that two that meet at a new way of proving wait for each other in one direction.
    new = [(digest, *way) for digest, way in sorted(wanted.items()) if digest not in known]
    if new:
        await connection.execute(_NEW, *columns(new, 6))
        known = await _known(connection, wanted)
    rows = [(one.record, known[one.digest], one.signature) for one in packed]
    await connection.execute(_PROOFS, *columns(rows, 3))


async def _known(connection: Connection, wanted: Iterable[bytes]) -> dict[bytes, int]:
    return {row[0]: row[1] for row in await connection.fetch(_KNOWN, list(wanted))}


async def read(connection: Connection, codec: Codec, record: int) -> Proof | None:
    """The proof of an interchange, when one is kept."""
    row = await connection.fetchrow(_PROOF, record)
    if row is None:
        return None
    method, kid, algorithm, public_key, fingerprint, signature = row
    return proof_of((method, kid, algorithm, public_key, fingerprint, signature), codec)
