"""The leaf hash of an interchange: what a verifiable log will commit to.

``leaf = SHA-256(0x00 || encoding)`` (RFC 9162, 2.1.1: the prefix tells leaves from nodes). The
encoding is the sequence of the fields below, each as four bytes of length (big-endian) and UTF-8
text: ``luxor.leaf.1``, record number, party, interchange id, attempt, state, digest of the
content, time of receipt in microseconds since 1970-01-01 UTC, SHA-256 of the outcome list, SHA-256
of the receipt. Numbers are decimal, digests lower-case hexadecimal. It covers nothing that
retention removes, only digests of it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from gateway.core.records import Acceptance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An aware instant as microseconds since 1970-01-01 UTC, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    """The instant that :func:`microseconds` made a number of, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def leaf_hash(acceptance: Acceptance) -> bytes:
    """The 32 bytes of the leaf for an interchange that is about to be committed."""
    fields = (
        "luxor.leaf.1",
        str(int(acceptance.record)),
        acceptance.party,
        acceptance.interchange_id,
        str(acceptance.attempt),
        acceptance.state.value,
        acceptance.digest,
        str(microseconds(acceptance.received_at)),
        hashlib.sha256(acceptance.outcomes).hexdigest(),
        hashlib.sha256(acceptance.receipt.encode()).hexdigest(),
    )
    encoded = [field.encode() for field in fields]
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
    return hashlib.sha256(b"\x00" + framed).digest()
