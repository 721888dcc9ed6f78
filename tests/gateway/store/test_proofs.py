"""The proof of a signature is kept with its interchange, byte by byte."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.core.identifiers import RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import Proof, ProofMethod
from gateway.store.sqlite import SqliteJournal
from gateway.store.sqlite.reader import open_reader
from tests.gateway.store.samples import GATEWAY, accept, acceptance, message, refusal

TOKEN = b"eyJhbGciOiJFUzI1NiIsImI2NCI6ZmFsc2V9..c2lnbmF0dXJlIG9mIHRoZSBzZW5kZXI"
PROOF = Proof(
    method=ProofMethod.JWS,
    kid="post-a-2026",
    public_key="-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
    algorithm="ES256",
    fingerprint="ab" * 32,
    signature=TOKEN,
)
SIGNATURES = (TOKEN, b"", b"a..b", b"a.b.c.", b"...", b"\xff\x00" * 40, TOKEN + b"=", b"x" * 9_000)


@pytest.mark.parametrize("method", ProofMethod)
@pytest.mark.parametrize("signature", SIGNATURES)
async def test_what_was_kept_comes_back(
    journal: Journal, method: ProofMethod, signature: bytes
) -> None:
    given = replace(PROOF, method=method, signature=signature)
    stored = await accept(journal, proof=given)
    assert await journal.proof(stored.record) == given


async def test_an_interchange_without_a_signature_has_no_proof(journal: Journal) -> None:
    stored = await accept(journal)
    assert await journal.proof(stored.record) is None
    assert await journal.proof(RecordNumber(1)) is None


async def test_a_refused_interchange_keeps_its_proof(journal: Journal) -> None:
    stored = await journal.commit(refusal(await journal.reserve(), proof=PROOF))
    assert await journal.proof(stored.record) == PROOF


async def test_a_repeat_leaves_the_first_proof(journal: Journal) -> None:
    first = await accept(journal, proof=PROOF)
    again = await accept(journal, proof=replace(PROOF, signature=b"another"))
    assert again.repeated
    assert await journal.proof(first.record) == PROOF


async def test_a_large_interchange_keeps_its_proof(journal: Journal) -> None:
    record = await journal.reserve()
    large = acceptance(record, "large", messages=(), staged=True, proof=PROOF)
    await journal.stage(
        record, party=large.party, interchange_id=large.interchange_id, messages=[message(1)]
    )
    assert await journal.proof(record) is None
    await journal.commit(large)
    assert await journal.proof(record) == PROOF


async def test_keys_are_kept_once_and_none_is_taken_for_another(
    sqlite: SqliteJournal, tmp_path: Path
) -> None:
    proofs = [
        PROOF,
        replace(PROOF, signature=b"another"),
        replace(PROOF, kid="other"),
        replace(PROOF, public_key="other"),
        replace(PROOF, fingerprint=""),
        replace(PROOF, algorithm="PS256"),
        replace(PROOF, method=ProofMethod.HTTP_SIGNATURE),
        replace(PROOF, kid=PROOF.kid + PROOF.algorithm, algorithm=""),
    ]
    for number, proof in enumerate(proofs):
        stored = await accept(sqlite, f"i{number}", proof=proof)
        assert await sqlite.proof(stored.record) == proof
    connection = sqlite3.connect(tmp_path / "journal.db")
    assert connection.execute("SELECT count(*) FROM prover").fetchone() == (len(proofs) - 1,)
    connection.close()


async def test_an_operator_reads_it_beside_the_gateway(
    sqlite: SqliteJournal, tmp_path: Path
) -> None:
    stored = await accept(sqlite, proof=PROOF)
    with open_reader(tmp_path / "journal.db", gateway=GATEWAY) as reader:
        assert reader.proof(stored.record) == PROOF
        assert reader.proof(stored.record + 1) is None
