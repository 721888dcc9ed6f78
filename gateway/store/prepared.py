"""What can be done before anybody holds the write lock: checks, hashes, packing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.core.identifiers import RecordNumber
from gateway.core.records import Acceptance, MessageReport, PlannedMessage, State
from gateway.store.codec import Codec
from gateway.store.contract import check_acceptance, check_messages, check_reports
from gateway.store.leaf import leaf_hash, microseconds
from gateway.store.proofs import PackedProof, pack_proof
from gateway.store.reports import Told, prepare_reports
from gateway.store.tally import Tally

Row = tuple[Any, ...]
"""Values in the order of a table's columns."""
Key = tuple[str, str, int]
"""What may be used once: an id, whose it is, and which of the two kinds it is."""
_ID, _CONTROL_REFERENCE = 0, 1


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An acceptance with its rows as far as they are known without the store."""

    acceptance: Acceptance
    digest: bytes
    keys: tuple[Key, ...]
    """Its id, which must be free, and for an accepted one its control reference."""
    interchange: Row
    raw: tuple[bytes, ...]
    bodies: tuple[bytes, ...]
    reports: tuple[Told, ...]
    tally: Tally
    proof: PackedProof | None


class PreparedChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of a staged interchange: packed raw slices, bodies and plans by ordinal."""

    record: RecordNumber
    party: str
    interchange_id: str
    raw: tuple[bytes, ...]
    bodies: tuple[Row, ...]
    plans: tuple[Row, ...]
    reports: tuple[Told, ...]


def prepare(acceptance: Acceptance, codec: Codec, *, model_version: int) -> Prepared:
    """Check and pack an acceptance; raises ``ValueError`` for what no store may take."""
    check_acceptance(acceptance)
    digest = bytes.fromhex(acceptance.digest)
    return Prepared(
        acceptance=acceptance,
        digest=digest,
        keys=_keys(acceptance),
        interchange=(
            acceptance.record,
            acceptance.party,
            acceptance.interchange_id,
            acceptance.attempt,
            acceptance.state.value,
            acceptance.format,
            acceptance.transport,
            digest,
            acceptance.size,
            microseconds(acceptance.received_at),
            acceptance.accepted,
            acceptance.refused,
            acceptance.control_reference,
            model_version,
            leaf_hash(acceptance),
            codec.pack_token(acceptance.receipt),
            codec.pack(acceptance.outcomes),
        ),
        raw=tuple(codec.pack(piece) for piece in acceptance.raw),
        bodies=tuple(codec.pack(message.body) for message in acceptance.messages),
        reports=prepare_reports(acceptance.record, acceptance.reports, codec),
        tally=Tally.of(acceptance),
        proof=None
        if acceptance.proof is None
        else pack_proof(acceptance.record, acceptance.proof, codec),
    )


def _keys(acceptance: Acceptance) -> tuple[Key, ...]:
    own = (acceptance.interchange_id, acceptance.party, _ID)
    if acceptance.state is State.ACCEPTED and acceptance.control_reference is not None:
        return own, (acceptance.control_reference, acceptance.referring, _CONTROL_REFERENCE)
    return (own,)


def prepare_chunk(
    record: RecordNumber,
    *,
    party: str,
    interchange_id: str,
    raw: Sequence[bytes],
    messages: Sequence[PlannedMessage],
    reports: Sequence[MessageReport],
    codec: Codec,
) -> PreparedChunk:
    """Check and pack a chunk. The plan of a message is all of it but its body."""
    check_messages(messages)
    check_reports(reports)
    return PreparedChunk(
        record=record,
        party=party,
        interchange_id=interchange_id,
        raw=tuple(codec.pack(piece) for piece in raw),
        bodies=tuple((record, m.ordinal, codec.pack(m.body)) for m in messages),
        plans=tuple(
            (record, m.ordinal, msgspec.msgpack.encode(msgspec.structs.replace(m, body=b"")))
            for m in messages
        ),
        reports=prepare_reports(record, reports, codec),
    )
