"""Parties without a client certificate at a running gateway: the page's example, the command."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gateway.client import Credentials, PartyClient, ProblemError, peer
from gateway.core.identifiers import RecordNumber
from gateway.core.records import Proof, ProofMethod
from gateway.store.sqlite import open_sqlite
from tests.e2e.network import CONFIG, GatewayProcess, running
from trust.identity import PartyId
from trust.keys import public_key, signing_key
from trust.signatures.http.evidence import prove_evidence

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "http-signatures.md"
ORDER = ROOT / "examples" / "messages" / "order.json"
SIGNED = f"{CONFIG}\n[ingress.signed]\nport = 0\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway with both listeners, and a registry that the tests may change."""
    folder = tmp_path_factory.mktemp("signed")
    shutil.copytree(certs, folder / "certs")
    with running(folder / "gateway", folder / "certs", SIGNED) as process:
        yield process


def luxor(gateway: GatewayProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command without a certificate, as ``platform-shop``."""
    parts = gateway.certs / "luxor/parties/platform-shop"
    return subprocess.run(
        [
            sys.executable, "-m", "gateway", *arguments, "--sign", "http",
            "--as", "platform-shop", "--sign-key", str(parts / "signing.key"),
            "--ca", str(gateway.certs / "luxor/root.pem"), "--gateway", "gateway-lx",
            "--gateway-key", str(gateway.certs / "luxor/parties/gateway-lx/signing.pub"),
            "--to", f"https://localhost:{gateway.ports.signed}", "--json",
        ],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ},
    )  # fmt: skip


def client(
    gateway: GatewayProcess, party: str, *, minutes: float = 0, certified: bool = False
) -> PartyClient:
    """A party that signs its requests, by a clock that may be off; perhaps with a certificate."""
    port = gateway.ports.https if certified else gateway.ports.signed
    parties = gateway.certs / "luxor/parties"
    return PartyClient(
        f"https://localhost:{port}",
        Credentials(
            certificate=parties / party / "tls.pem" if certified else None,
            key=parties / party / "tls.key" if certified else None,
            authority=gateway.certs / "luxor/root.pem",
            signing_key=parties / party / "signing.key",
            name=PartyId(party),
        ),
        gateway=peer("gateway-lx", parties / "gateway-lx/signing.pub"),
        clock=lambda: datetime.fromtimestamp(datetime.now(UTC).timestamp() + 60 * minutes, UTC),
        sign_requests=True,
    )


async def proof_of(gateway: GatewayProcess, record: int) -> Proof:
    """What the journal keeps of a signature."""
    journal = await open_sqlite(
        gateway.folder / "data/journal.db", gateway=1, clock=lambda: datetime.now(UTC)
    )
    try:
        proof = await journal.proof(RecordNumber(record))
    finally:
        await journal.close()
    assert proof is not None
    return proof


def test_the_example_of_the_page_works(gateway: GatewayProcess, tmp_path: Path) -> None:
    where, what = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    party = gateway.certs / "luxor/parties/platform-shop"
    given = {
        "HOST, PORT": ("localhost", gateway.ports.signed),
        "PARTY, FORMAT": ("platform-shop", "luxor.json.1"),
        "KEY_FILE": str(party / "signing.key"),
        "AUTHORITY_FILE": str(gateway.certs / "luxor/root.pem"),
        "CONTENT_FILE": str(ORDER),
    }
    assert list(given) == [line.partition(" = ")[0] for line in where.splitlines()]
    script = tmp_path / "example.py"
    lines = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    script.write_text(lines + what, "utf-8")

    for _ in range(2):  # the second time it is a repeat, signed anew
        done = subprocess.run(
            [sys.executable, "-I", str(script)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "" == done.stderr
        assert ["202 accepted", "200 True"] == done.stdout.splitlines()


def test_the_command_submits_and_asks(gateway: GatewayProcess, tmp_path: Path) -> None:
    submitted = luxor(
        gateway, "submit", str(ORDER), "--format", "luxor.json.1", "--id", "by-command"
    )
    assert 0 == submitted.returncode, submitted.stdout + submitted.stderr
    again = luxor(gateway, "submit", str(ORDER), "--format", "luxor.json.1", "--id", "by-command")
    assert 0 == again.returncode
    first, second = (msgspec.json.decode(done.stdout) for done in (submitted, again))
    assert first["receipt"] == second["receipt"]

    asked = luxor(gateway, "quality")
    assert 0 == asked.returncode, asked.stdout + asked.stderr


async def test_what_must_be_signed_is_signed_so_and_kept(gateway: GatewayProcess) -> None:
    """``platform-shop`` must sign: no JWS came, and the journal has what proves it."""
    async with client(gateway, "platform-shop") as shop:
        answer = await shop.submit(ORDER.read_bytes(), interchange_id="kept", format="luxor.json.1")
        assert answer.proved
        page = await shop.inbox(limit=1)
        assert page.messages == ()

    proof = await proof_of(gateway, answer.claims.record)
    assert "" == proof.fingerprint
    assert ProofMethod.HTTP_SIGNATURE == proof.method
    key = public_key(signing_key(proof.public_key, kid=proof.kid))
    assert "kept" == prove_evidence(proof.signature, key)["luxor-interchange-id"]


async def test_beside_a_certificate_the_signed_request_is_the_signature(
    gateway: GatewayProcess,
) -> None:
    async with client(gateway, "platform-shop", certified=True) as shop:
        answer = await shop.submit(
            ORDER.read_bytes(), interchange_id="beside", format="luxor.json.1"
        )

    proof = await proof_of(gateway, answer.claims.record)
    assert ProofMethod.HTTP_SIGNATURE == proof.method
    assert 64 == len(proof.fingerprint)


async def test_who_is_registered_for_certificates_alone_is_told_so(
    gateway: GatewayProcess,
) -> None:
    async with client(gateway, "post-a") as post:
        with pytest.raises(ProblemError) as caught:
            await post.status("anything")

    assert (403, "party.identification") == (caught.value.status, caught.value.code)


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_ten_minutes_off_is_told_the_time_here(
    gateway: GatewayProcess, minutes: float
) -> None:
    async with client(gateway, "platform-shop", minutes=minutes) as shop:
        with pytest.raises(ProblemError) as caught:
            await shop.submit(ORDER.read_bytes(), interchange_id="late", format="luxor.json.1")

    assert "signature.stale" == caught.value.code
    told = re.search(r"the clock here says (\S+)", caught.value.detail)
    assert told is not None
    here = datetime.fromisoformat(told[1])
    assert abs((datetime.now(UTC) - here).total_seconds()) < 60


async def test_a_suspension_bites_a_connection_that_stands(gateway: GatewayProcess) -> None:
    """And only the holder of the key is told of it."""
    registry = str(gateway.certs / "luxor/registry.toml")

    def party(what: str) -> None:
        command = [sys.executable, "-m", "gateway", "party", what, "platform-shop"]
        subprocess.run([*command, "--registry", registry], check=True, capture_output=True)

    async def code(shop: PartyClient) -> str:
        try:
            await shop.quality()
        except ProblemError as error:
            return error.code
        return ""

    async def until(shop: PartyClient, wanted: str) -> None:
        async with asyncio.timeout(20):
            while await code(shop) != wanted:  # noqa: ASYNC110 - the registry is polled, too
                await asyncio.sleep(0.05)

    async with client(gateway, "platform-shop") as shop:
        assert "" == await code(shop)
        party("suspend")
        try:
            await until(shop, "party.suspended")
        finally:
            party("resume")
        await until(shop, "")
