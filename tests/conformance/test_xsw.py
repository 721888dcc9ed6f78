"""XML signature wrapping and related forgeries: through the verifier, and through a real gateway.

The suite has signed documents of one schema and what can be done to them; its manifest says which
is to be accepted. A gateway runs with a layout of that schema and the signer's bare public key.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import signed_declarations
from tests.data import cases_of, data_file
from tests.e2e.callers import Answer, get, post
from tests.e2e.network import GatewayProcess, make_pki, running
from translators.xml import XmlError, parse_exactly
from trust.errors import TrustError
from trust.keys import PublicKey, public_keys, signing_key
from trust.signatures.xmldsig.verifying import verify_xml

SUITE = ("trust", "xsw")
SIGNED = (
    b'<Declaration xmlns="urn:ex:decl:1" Id="decl-1"><Party>carrier-A</Party><Item>'
    b'<HS>420222</HS><Value currency="EUR">10.00</Value></Item></Declaration>'
)
"""What the suite's signer has signed."""
FORMAT = {"Luxor-Format": signed_declarations.FORMAT}


def vectors() -> list[Any]:
    """A parameter for each vector: its name, and whether it is to be accepted."""

    def cases(path: Path) -> Iterator[Any]:
        for name, row in json.loads(path.read_text("utf-8")).items():
            yield pytest.param(name, row["kind"] == "valid", id=name)

    return cases_of(*SUITE, "manifest.json", cases=cases, width=2)


@pytest.fixture(scope="module")
def keys() -> Mapping[str, PublicKey]:
    """What a registry holds of the signer: the bare key."""
    return public_keys([signing_key(signed_declarations.signer_pem(), algorithm="RS256")])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A running gateway whose post is the suite's signer."""
    certs = make_pki(tmp_path_factory.mktemp("pki"))
    folder = tmp_path_factory.mktemp("declarations")
    with running(folder, certs, signed_declarations.configured(folder, certs)) as process:
        yield process


async def submitted(gateway: GatewayProcess, content: bytes, identifier: str) -> Answer:
    """What the gateway answers to the signer's party."""
    party = signed_declarations.PARTY
    return await post(gateway, party, content, identifier=identifier, headers=FORMAT)


def content_of(name: str) -> bytes:
    """A document of the suite."""
    return data_file(*SUITE, f"{name}.xml").read_bytes()


def verified(content: bytes, keys: Mapping[str, PublicKey]) -> bytes | None:
    """The octets that the verifier gives out; ``None`` when it, or the parser, refuses."""
    try:
        return verify_xml(parse_exactly(content), keys=keys, now=datetime.now(UTC)).content
    except (TrustError, XmlError):
        return None


@pytest.mark.conformance("XML signature wrapping")
@pytest.mark.parametrize(("name", "valid"), vectors())
async def test_only_what_was_signed_is_accepted(
    name: str, valid: bool, keys: Mapping[str, PublicKey], gateway: GatewayProcess
) -> None:
    content = content_of(name)
    # The same bytes under the same id, as a sender that repeats does: both bases are alike.
    identifier = hashlib.sha256(content).hexdigest()

    octets = verified(content, keys)
    answer = await submitted(gateway, content, identifier)

    if valid:
        assert (octets, answer.status, answer.body["accepted"]) == (SIGNED, 202, 1)
        return
    assert octets is None
    assert answer.status == 401, answer.body
    assert answer.code.startswith("signature.")
    again = await get(gateway, signed_declarations.PARTY, f"/v1/interchanges/{identifier}")
    assert (again.status, again.code) == (404, "interchange.not-found")


async def test_of_all_forgeries_the_journal_has_the_evidence_alone(gateway: GatewayProcess) -> None:
    base, forged = content_of("base-envid"), content_of("tamper-value-envid")
    accepted = hashlib.sha256(base).hexdigest()
    assert (await submitted(gateway, base, accepted)).status == 202
    assert (await submitted(gateway, forged, "one-forgery")).status == 401

    journal = sqlite3.connect(f"file:{gateway.folder / 'data/journal.db'}?mode=ro", uri=True)
    try:
        state = journal.execute(
            "SELECT interchange_id FROM interchange WHERE state = 'accepted'"
        ).fetchall()
        kept = [
            journal.execute(query).fetchone()
            for query in (
                "SELECT count(DISTINCT record) FROM raw",
                "SELECT count(DISTINCT record) FROM message",
            )
        ]
        (method,) = journal.execute(
            "SELECT method FROM proof JOIN prover ON prover = no"
        ).fetchone()
        (refused,) = journal.execute(
            "SELECT count(*) FROM interchange WHERE interchange_id = 'one-forgery'"
        ).fetchone()
    finally:
        journal.close()

    assert [(accepted,)] == state
    assert [(1,), (1,)] == kept
    assert (method, refused) == ("xml-signature", 1)


async def test_what_was_signed_once_is_not_taken_for_another_interchange(
    gateway: GatewayProcess,
) -> None:
    content = content_of("base-envid")
    identifier = hashlib.sha256(content).hexdigest()
    await submitted(gateway, content, identifier)

    moved = [await submitted(gateway, content, f"moved-{number}") for number in (1, 1, 2)]
    repeated = await submitted(gateway, content, identifier)

    assert [(401, "signature.replayed")] * 3 == [(one.status, one.code) for one in moved]
    assert repeated.status == 202


async def test_an_envelope_around_what_was_signed_does_not_make_it_another(
    gateway: GatewayProcess, keys: Mapping[str, PublicKey]
) -> None:
    content = content_of("base-envid")
    spaced = content.replace(b"</ds:SignatureValue>", b"\n</ds:SignatureValue>")
    await submitted(gateway, content, hashlib.sha256(content).hexdigest())

    answer = await submitted(gateway, spaced, "spaced")

    assert verified(spaced, keys) == SIGNED
    assert (answer.status, answer.code) == (401, "signature.replayed")
