"""The leaf hash commits to every field that evidence needs, by a fixed encoding."""

from __future__ import annotations

import hashlib
from datetime import timedelta, timezone

import msgspec
import pytest

from gateway.core.identifiers import RecordNumber
from gateway.core.records import State
from gateway.store.leaf import instant, leaf_hash, microseconds
from tests.gateway.store.samples import PLATFORM, RECEIPT, START, acceptance, digest

GIVEN = acceptance(RecordNumber(42))


def test_the_encoding_is_the_documented_one() -> None:
    parts = [
        "luxor.leaf.1",
        "42",
        "post-a",
        "first",
        "1",
        "accepted",
        digest(b"<content/>"),
        "1795262400000000",
        digest(b'[{"ordinal":1,"status":"accepted"}]'),
        digest(RECEIPT.encode()),
    ]
    encoding = b"".join(len(p).to_bytes(4, "big") + p.encode() for p in parts)
    assert leaf_hash(GIVEN) == hashlib.sha256(b"\x00" + encoding).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"record": 43},
        {"party": PLATFORM},
        {"interchange_id": "second"},
        {"attempt": 2},
        {"state": State.REFUSED},
        {"digest": digest(b"other")},
        {"received_at": START + timedelta(microseconds=1)},
        {"outcomes": b"[]"},
        {"receipt": "other"},
    ],
)
def test_each_field_changes_the_leaf(changes: dict[str, object]) -> None:
    assert leaf_hash(msgspec.structs.replace(GIVEN, **changes)) != leaf_hash(GIVEN)


def test_the_offset_of_a_time_does_not_change_the_leaf() -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    moved = msgspec.structs.replace(GIVEN, received_at=elsewhere)
    assert leaf_hash(moved) == leaf_hash(GIVEN)


def test_instants_survive_as_numbers_to_the_microsecond() -> None:
    at = START + timedelta(microseconds=123_457)
    assert instant(microseconds(at)) == at
