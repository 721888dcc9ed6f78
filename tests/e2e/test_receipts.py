"""Receipts, keys and evidence of a gateway that runs, stops, and runs again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from lxml import etree

from gateway.cli.main import luxor
from gateway.client import GrpcPartyClient, PartyClient, development
from gateway.client.bundle import bundle_of
from gateway.core.published import PublishedKeys
from gateway.demo.generator import header, items, write
from tests.e2e.network import CONFIG, GatewayProcess, running
from trust import receipt
from trust.authority import generate_key
from trust.keys import (
    KeySigner,
    PublicKey,
    jose_key,
    load_private_key,
    load_public_key,
    verifying_key,
)
from trust.receipt_proof import ReceiptBundle
from trust.signatures.xmldsig.signing import sign_enveloped

ITMATT = "upu.itmatt.1"
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
PASSWORD = "Kaninchen-und-Karotten-4711"
SIGNING = '[signing]\nkey = "{certs}/luxor/parties/gateway-lx/signing.key"\n'
CERTIFIED = f'{SIGNING}certificate = "{{certs}}/luxor/parties/gateway-lx/signing.pem"\n'
ENCRYPTED = '[signing]\nkey = "encrypted.key"\npassword = "env:SIGNING_PASSWORD"\n'
WITH_CERTIFICATE = CONFIG.replace(SIGNING, CERTIFIED)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway whose registered key is encrypted, with its certificate beside it."""
    folder = tmp_path_factory.mktemp("certified")
    pem = (certs / "luxor/parties/gateway-lx/signing.key").read_bytes()
    (folder / "encrypted.key").touch(mode=0o600)
    (folder / "encrypted.key").write_bytes(
        load_private_key(pem).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SIGNING_PASSWORD", PASSWORD)
        with running(folder, certs, WITH_CERTIFICATE.replace(SIGNING, ENCRYPTED)) as process:
            yield process


def document(name: str) -> bytes:
    head = header(name, sender="FRA", recipient="LUA", at=AT)
    return b"".join(write(ITMATT, head, [*items(name, 2, at=AT)]))


def command(*arguments: object) -> Result:
    return CliRunner().invoke(luxor, [str(argument) for argument in arguments])


def submit(gateway: GatewayProcess, content: bytes, name: str, *more: object) -> Path:
    """Send it as the post; the bundle of its receipt."""
    file, bundle = gateway.folder / f"{name}.xml", gateway.folder / f"{name}.json"
    file.write_bytes(content)
    result = command(
        *("submit", file, "--format", ITMATT, "--id", name, "--bundle", bundle, *more),
        *("--certs", gateway.certs, "--as", "post-a"),
        *("--to", f"https://localhost:{gateway.ports.https}"),
    )
    assert 0 == result.exit_code, result.output
    return bundle


async def fetched(gateway: GatewayProcess, name: str) -> dict[str, tuple[ReceiptBundle, bytes]]:
    """The bundle and the list of outcomes as each transport gives them."""
    credentials, peer = development(gateway.certs, "post-a")
    https = PartyClient(f"https://localhost:{gateway.ports.https}", credentials, gateway=peer)
    rpc = GrpcPartyClient(f"localhost:{gateway.ports.grpc}", credentials, gateway=peer)
    found: dict[str, tuple[ReceiptBundle, bytes]] = {}
    async with https, rpc:
        for transport, client in (("https", https), ("grpc", rpc)):
            assert isinstance(client, PartyClient | GrpcPartyClient)
            bundle = bundle_of(await client.receipt(name), await client.keys())
            found[transport] = bundle, await client.outcome_document(name)
    return found


async def accepted(gateway: GatewayProcess, name: str) -> tuple[str, PublishedKeys]:
    """The receipt of something new, and the keys that the gateway publishes with it."""
    credentials, _ = development(gateway.certs, "post-a")
    async with PartyClient(f"https://localhost:{gateway.ports.https}", credentials) as client:
        answer = await client.submit(
            document(name),
            interchange_id=name,
            format=ITMATT,
            signer=credentials.signer(),
            audience="gateway-lx",
        )
        return answer.receipt, await client.keys()


async def test_a_receipt_stays_the_same_over_both_transports_restarts_and_changes_of_key(
    certs: Path, tmp_path: Path
) -> None:
    command("keys", "new", tmp_path / "next.key")
    following = '[[signing.next]]\nkey = "next.key"\nsince = 2026-11-01T00:00:00Z\n'
    with running(tmp_path, certs, WITH_CERTIFICATE) as gateway:
        first, _ = await accepted(gateway, "same")
        before = await fetched(gateway, "same")
        gateway.kill()
        changed = WITH_CERTIFICATE.replace(CERTIFIED, CERTIFIED + following)
        gateway.config.write_text(changed.format(certs=certs))
        gateway.start()
        after = await fetched(gateway, "same")
        second, keys = await accepted(gateway, "another")

    assert before == after
    assert before["https"] == before["grpc"]
    assert before["https"][0].receipt == first
    assert 2 == len(before["https"][0].certificates)
    assert ["current", "previous"] == [key.use for key in keys.keys]
    assert first.partition(".")[0] != second.partition(".")[0]  # another key is named there
    for token in (first, second):
        assert receipt.verify(token, key_of(keys)).gateway == "gateway-lx"


def exported(gateway: GatewayProcess, name: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Exit status, and each step of the proof: how it stands, and what is said."""
    out = gateway.folder / f"{name}.zip"
    root = gateway.certs / "luxor/root.pem"
    taken = command(
        *("evidence", "export", name, "--party", "post-a", "--config", gateway.config),
        *("--out", out),
    )
    assert 0 == taken.exit_code, taken.output
    proved = command("evidence", "verify", out, "--ca", root, "--json")
    steps = msgspec.json.decode(proved.stdout)["steps"]
    return (
        proved.exit_code,
        {step["step"]: step["standing"] for step in steps},
        {step["step"]: step["said"] for step in steps},
    )


def test_a_detached_signature_is_evidence(certified: GatewayProcess) -> None:
    submit(certified, document("by-jws"), "by-jws")

    status, standing, said = exported(certified, "by-jws")

    assert (0, "proved") == (status, standing["sender"])
    assert "a JWS of the key" in said["sender"]


def test_a_signed_request_is_evidence(certified: GatewayProcess) -> None:
    submit(certified, document("by-http"), "by-http", "--sign", "http")

    status, standing, said = exported(certified, "by-http")

    assert (0, "proved") == (status, standing["sender"])
    assert "an HTTP message signature of the key" in said["sender"]
    assert "POST https://localhost:" in said["sender"]


def test_a_signature_inside_the_document_is_evidence(certified: GatewayProcess) -> None:
    key = certified.certs / "luxor/parties/post-a/signing.key"
    signed = etree.fromstring(document("by-xml"))
    sign_enveloped(signed, signer=KeySigner.from_pem(key.read_bytes()))
    content = etree.tostring(signed, xml_declaration=True, encoding="UTF-8")
    submit(certified, content, "by-xml", "--no-sign")

    status, standing, said = exported(certified, "by-xml")

    assert (0, "proved") == (status, standing["sender"])
    assert "a signature inside the document" in said["sender"]


def test_what_was_not_signed_leaves_no_proof_of_its_sender(certified: GatewayProcess) -> None:
    submit(certified, document("unsigned"), "unsigned", "--no-sign")

    status, standing, _ = exported(certified, "unsigned")

    assert (0, "unchecked") == (status, standing["sender"])


def key_of(keys: PublishedKeys) -> dict[str, PublicKey]:
    """Every key that is published, ready to verify."""
    return {
        key.kid: verifying_key(load_public_key(key.public_key.encode()).public_key, kid=key.kid)
        for key in keys.keys
    }


def refused(folder: Path, config: str, certs: Path) -> str:
    """What is said of a configuration that starts nothing."""
    file = folder / "refused.toml"
    file.write_text(config.format(certs=certs))
    (folder / "archive").mkdir(exist_ok=True)
    ended = command("serve", "--config", file, "--check")
    assert 2 == ended.exit_code, ended.output
    return ended.output


def test_a_key_that_others_can_read_stops_the_start(certs: Path, tmp_path: Path) -> None:
    command("keys", "new", tmp_path / "open.key")
    (tmp_path / "open.key").chmod(0o640)
    config = CONFIG.replace(SIGNING, '[signing]\nkey = "open.key"\n')

    said = refused(tmp_path, config, certs)

    assert "signing.key: " in said
    assert f"chmod 600 {tmp_path / 'open.key'}" in said


def pieces(secret: Path | str) -> list[str]:
    """What of a secret must be nowhere: a password, or the lines of a key that are private.

    The number itself stands in the first two (RFC 5915, 3); the public half comes behind it.
    """
    if isinstance(secret, str):
        return [secret]
    return secret.read_text().splitlines()[1:3]


def test_neither_key_nor_password_is_ever_told(
    certified: GatewayProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_PASSWORD", PASSWORD)
    bundle = submit(certified, document("secret"), "secret")
    exported(certified, "secret")
    key, plain = certified.folder / "encrypted.key", tmp_path / "plain.key"
    command("keys", "new", plain)
    secrets = [*pieces(PASSWORD), *pieces(key), *pieces(plain)]
    secrets += pieces(certified.certs / "luxor/parties/gateway-lx/signing.key")
    config, wrong = CONFIG.replace(SIGNING, ENCRYPTED), "not-the-password-0815"
    (tmp_path / "encrypted.key").touch(mode=0o600)
    (tmp_path / "encrypted.key").write_bytes(key.read_bytes())
    said = [
        certified.log.read_text(),
        bundle.read_text(),
        refused(tmp_path, config.replace("env:SIGNING_PASSWORD", PASSWORD), certified.certs),
        *(command("keys", "show", each).output for each in (key, plain)),
        command("keys", "show", key, "--password", "env:SIGNING_PASSWORD", "--json").output,
    ]
    plain.write_text(plain.read_text().replace("PRIVATE", "PRIVATF"))
    monkeypatch.setenv("SIGNING_PASSWORD", wrong)
    said.append(refused(tmp_path, config, certified.certs))
    said.append(refused(tmp_path, config.replace("encrypted", "plain"), certified.certs))

    assert 6 < len(secrets)
    assert [] == [
        (at, secret)
        for at, text in enumerate(said)
        for secret in [*secrets, wrong]
        if secret in text
    ]


def test_a_key_shows_nothing_in_a_traceback_with_its_locals() -> None:
    import traceback

    key = generate_key("P-256")
    signer = KeySigner(key)
    try:
        signer.sign_digest(b"too short")
    except Exception as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    else:
        pytest.fail("a digest of nine bytes was signed")

    secret = key.private_numbers().private_value  # type: ignore[union-attr] # it is of a curve
    forms: list[Any] = [secret, f"{secret:x}", jose_key(key).as_dict(private=True)["d"]]
    assert [] == [form for form in forms if str(form) in shown]
