"""Ten minutes off in either direction: refused, and told by how much and what time it is here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from tests.e2e import documents
from tests.e2e.callers import get, post, signed, submit
from tests.e2e.network import GatewayProcess, make_pki
from trust import receipt
from trust.authority import (
    Issuer,
    Validity,
    generate_tls_key,
    issue_tls,
    load_tls_key,
    private_key_pem,
)
from trust.certificates import pem_of
from trust.identity import PartyId
from trust.keys import KeySigner

OFF = 600
SHORT = timedelta(minutes=5)
"""How long before or after now the certificates of this test begin or end."""
PLATFORM, JSON = "platform-shop", "luxor.json.1"
CLOCK = re.compile(r"the clock here says (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


@pytest.fixture(scope="module")
def own_certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with certificates of the post that have just begun, or are about to end."""
    folder = make_pki(tmp_path_factory.mktemp("pki"), age=timedelta(hours=1))
    issuer = Issuer(
        x509.load_pem_x509_certificate((folder / "luxor/issuing.pem").read_bytes()),
        load_tls_key((folder / "luxor/private/issuing.key").read_bytes()),
    )
    now = datetime.now(UTC)
    for name, valid in (
        ("begun", Validity(now - SHORT, now + timedelta(days=1))),
        ("ending", Validity(now - timedelta(days=1), now + SHORT)),
    ):
        key = generate_tls_key("P-256")
        certificate = issue_tls(
            key, issuer=issuer, name=name, party=PartyId("post-a"), validity=valid
        )
        place = folder / "strangers" / name
        place.mkdir(parents=True)
        (place / "tls.pem").write_text(pem_of(certificate))
        (place / "tls.key").write_bytes(private_key_pem(key))
    return folder


@pytest.fixture(scope="module", params=[OFF, -OFF], ids=["fast", "slow"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, own_certs: Path
) -> Iterator[tuple[GatewayProcess, int]]:
    """A gateway whose clock is ten minutes fast or slow; for how many seconds."""
    process = GatewayProcess(
        tmp_path_factory.mktemp("gateway"),
        own_certs,
        entry=("-m", "tests.e2e.clocked", str(request.param)),
    )
    try:
        process.start()
        yield process, request.param
    finally:
        process.stop()


def told_clock(detail: str, off: int) -> bool:
    """Whether a detail tells the time that it is there, to half a minute."""
    found = CLOCK.search(detail)
    assert found is not None, detail
    there = datetime.fromisoformat(found[1])
    return abs((there - datetime.now(UTC)).total_seconds() - off) < 30


def direction(off: int) -> str:
    return "before now" if off > 0 else "after now"


async def test_a_signature_over_https_is_stale_and_the_difference_is_told(
    gateway: tuple[GatewayProcess, int],
) -> None:
    process, off = gateway
    order = documents.order("o-clock")
    signature = signed(process, PLATFORM, order, identifier="clock-1", format_id=JSON)

    answer = await post(
        process,
        PLATFORM,
        order,
        identifier="clock-1",
        headers={"Luxor-Format": JSON, "Luxor-Signature": signature},
    )

    assert (401, "signature.stale") == (answer.status, answer.code)
    detail = answer.body["detail"]
    seconds = int(re.findall(r"made (\d+) seconds", detail)[0])
    assert abs(seconds - OFF) < 30
    assert direction(off) in detail
    assert told_clock(detail, off)


async def test_a_signature_over_grpc_is_stale(gateway: tuple[GatewayProcess, int]) -> None:
    process, _ = gateway
    order = documents.order("o-clock-2")

    status, code, _ = await submit(
        process,
        PLATFORM,
        order,
        identifier="clock-2",
        format_id=JSON,
        signature=signed(process, PLATFORM, order, identifier="clock-2", format_id=JSON),
    )

    assert (grpc.StatusCode.UNAUTHENTICATED, "signature.stale") == (status, code)


async def test_a_certificate_outside_its_time_is_told_from_one_that_is_revoked(
    gateway: tuple[GatewayProcess, int],
) -> None:
    process, off = gateway
    name, code = (
        ("ending", "certificate.expired") if off > 0 else ("begun", "certificate.not-yet-valid")
    )

    answer = await get(process, name, "/v1/formats")

    assert (403, code) == (answer.status, answer.code)
    assert told_clock(answer.body["detail"], off)


async def test_what_needs_no_clock_of_the_sender_is_taken_and_dated_by_the_gateways(
    gateway: tuple[GatewayProcess, int],
) -> None:
    process, off = gateway

    answer = await post(
        process,
        "post-a",
        documents.good(1, control="clock-3"),
        identifier="clock-3",
        headers={"Luxor-Format": "upu.itmatt.1"},
    )

    assert 202 == answer.status
    key = KeySigner.from_pem((process.certs / "luxor/parties/gateway-lx/signing.key").read_bytes())
    claims = receipt.verify(answer.body["receipt"], {key.kid: key.public_key})
    assert abs((claims.received_at - datetime.now(UTC)).total_seconds() - off) < 30
