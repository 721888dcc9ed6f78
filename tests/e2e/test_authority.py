"""The whole way of a network with an authority of its own, as its people walk it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor
from tests.e2e import documents
from tests.e2e.callers import GATEWAY
from tests.e2e.network import CONFIG, START_SECONDS, STOP_SECONDS, GatewayProcess
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached

BOUND_SECONDS = 30.0
"""A hang bound; lists are looked at every 0.2 s, answers are asked for again after one."""
PARTIES = """
[[party]]
id = "acme-post"
authorities = ["acme"]
must_sign = true

[[party.grant]]
formats = ["*"]
kinds = ["*"]
countries = ["*"]

[[party]]
id = "acme-shop"
authorities = ["acme"]

[[party.grant]]
formats = ["*"]
kinds = ["*"]
countries = ["*"]
"""


def run(*arguments: object) -> Any:
    """A command of `luxor` that succeeds; what it prints as JSON."""
    result = CliRunner().invoke(luxor, [*map(str, arguments), "--json"])
    assert 0 == result.exit_code, result.output
    return json.loads(result.output)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """`luxor authority serve` as a process of its own; its port."""
    ports, log = folder.parent / "authority-ports.json", folder.parent / "authority.log"
    command = [sys.executable, "-m", "gateway", "authority", "serve", "--dir", str(folder)]
    command += ["--port", "0", "--ports-file", str(ports), "--per-second", "0"]
    with log.open("ab") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        until_ = time.monotonic() + START_SECONDS
        while not ports.exists():
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until_, log.read_text("utf-8")
            time.sleep(0.02)
        yield json.loads(ports.read_bytes())["authority"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(STOP_SECONDS)
        ports.unlink()


class Walk:
    """Who plays: the authority, a gateway, two parties."""

    def __init__(self, folder: Path, certs: Path) -> None:
        self.folder = folder
        self.authority = folder / "authority"
        self.registry = certs / "luxor/registry.toml"
        self.gateway = GatewayProcess(folder / "gateway", certs, CONFIG)
        self._root = certs / "luxor/root.pem"
        self._numbers = iter(range(1, 1_000_000))

    def file(self, name: str) -> Path:
        """A file of one of the parties."""
        return self.folder / name

    def enrol(self, party: str, *more: object, purpose: str = "tls", stem: str = "") -> Any:
        """A key and a certificate for it."""
        stem = stem or f"{party}-{purpose}"
        key, csr = self.file(f"{stem}.key"), self.file(f"{stem}.csr")
        run("certs", "request", party, "--purpose", purpose, "--key", key, "--out", csr)
        arguments = ("--csr", csr, "--authority-dir", self.authority, "--purpose", purpose)
        return run(
            *("party", "enrol", party, *arguments, "--registry", self.registry),
            *("--out", self.file(f"{stem}.pem"), *more),
        )

    def context(self, stem: str) -> Any:
        """TLS with that certificate."""
        import ssl

        context = ssl.create_default_context(cafile=str(self._root))
        context.load_cert_chain(self.file(f"{stem}.pem"), self.file(f"{stem}.key"))
        return context

    def session(self, stem: str) -> aiohttp.ClientSession:
        """One connection that is kept."""
        connector = aiohttp.TCPConnector(limit=1, ssl=self.context(stem))
        return aiohttp.ClientSession(connector=connector)

    def signature(self, content: bytes, identifier: str) -> str:
        """A detached JWS with the enrolled signing key of the post."""
        return sign_detached(
            content,
            signer=KeySigner.from_pem(self.file("acme-post-signing.key").read_bytes()),
            interchange_id=identifier,
            format="upu.itmatt.1",
            audience=GATEWAY,
            now=datetime.now(UTC),
        )

    async def post(self, session: aiohttp.ClientSession, *, signed: bool = True) -> tuple[int, str]:
        """Submit one more interchange; status and code."""
        number = next(self._numbers)
        identifier = f"w-{number}"
        content = documents.good(number, control=identifier)
        headers = {"Luxor-Interchange-Id": identifier, "Luxor-Format": "upu.itmatt.1"}
        if signed:
            headers["Luxor-Signature"] = self.signature(content, identifier)
        url = f"https://localhost:{self.gateway.ports.https}/v1/interchanges"
        async with session.post(url, data=content, headers=headers) as answer:
            body = await answer.json(content_type=None)
            return answer.status, str(body.get("code", ""))

    async def call(self, stem: str) -> grpc.StatusCode:
        """The same over gRPC, unsigned."""
        number = next(self._numbers)
        credentials = grpc.ssl_channel_credentials(
            root_certificates=self._root.read_bytes(),
            private_key=self.file(f"{stem}.key").read_bytes(),
            certificate_chain=self.file(f"{stem}.pem").read_bytes(),
        )
        address = f"localhost:{self.gateway.ports.grpc}"
        async with grpc.aio.secure_channel(address, credentials) as channel:
            submission = exchange_pb2.Submission(
                interchange_id=f"w-{number}",
                format="upu.itmatt.1",
                content=documents.good(number, control=f"w-{number}"),
            )
            try:
                await exchange_pb2_grpc.ExchangeStub(channel).Submit(submission, timeout=30)
            except grpc.aio.AioRpcError as error:
                return error.code()
        return grpc.StatusCode.OK

    async def until_refused(self, session: aiohttp.ClientSession) -> str:
        """Submit until one is refused; the code."""
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                status, code = await self.post(session)
                if status != 202:
                    assert 403 == status
                    return code
                await asyncio.sleep(0.05)


@pytest.fixture
def walk(tmp_path: Path, certs: Path) -> Iterator[Walk]:
    """An authority that was just founded; its gateway is not started yet."""
    import shutil

    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    found = Walk(tmp_path, own)
    run("authority", "init", "--dir", found.authority, "--id", "acme", "--title", "Acme")
    yield found
    found.gateway.stop()


@pytest.mark.parametrize("evidence", ["lists", "answers"])
async def test_enrolled_accepted_revoked_refused_renewed_accepted(
    walk: Walk, evidence: str
) -> None:
    with serving(walk.authority) as port:
        profile = walk.authority / "authority.toml"
        text = profile.read_text("utf-8")
        profile.write_text(text.replace('url = ""', f'url = "http://127.0.0.1:{port}"'), "utf-8")
        online = ("--online",) if evidence == "answers" else ()
        block = CliRunner().invoke(
            luxor, ["authority", "registry", "--dir", str(walk.authority), *online]
        )
        registry = walk.registry.read_text("utf-8")
        unsigned = PARTIES.replace("must_sign = true\n", "")  # until its key is there
        walk.registry.write_text(f"{registry}\n{block.output}\n{unsigned}", "utf-8")

        walk.enrol("acme-post")
        walk.enrol("acme-shop")
        assert walk.enrol("acme-post", purpose="signing")["in_registry"] is True
        registry = walk.registry.read_text("utf-8")
        walk.registry.write_text(
            registry.replace('id = "acme-post"', 'id = "acme-post"\nmust_sign = true'), "utf-8"
        )
        walk.gateway.start("registry.refresh=1", "registry.answer_timeout=10")

        async with walk.session("acme-post-tls") as post, walk.session("acme-shop-tls") as shop:
            assert (202, "") == await walk.post(post)
            assert (202, "") == await walk.post(shop, signed=False)
            assert (401, "signature.missing") == await walk.post(post, signed=False)
            assert grpc.StatusCode.OK == await walk.call("acme-shop-tls")

            run(
                *("party", "revoke", "acme-post", "--purpose", "tls", "--reason", "key-compromise"),
                *("--authority-dir", walk.authority),
            )
            assert "certificate.revoked" == await walk.until_refused(post)
            assert (202, "") == await walk.post(shop, signed=False)
            assert grpc.StatusCode.PERMISSION_DENIED == await walk.call("acme-post-tls")

            key, csr = walk.file("new.key"), walk.file("new.csr")
            run("certs", "request", "acme-post", "--key", key, "--out", csr)
            run(
                *("party", "renew", "acme-post", "--csr", csr, "--out", walk.file("new.pem")),
                *("--authority-dir", walk.authority),
            )
            async with walk.session("new") as renewed:
                assert (202, "") == await walk.post(renewed)
            assert (403, "certificate.revoked") == await walk.post(post)
    standings = [
        row["standing"]
        for row in run("party", "certificates", "acme-post", "--authority-dir", walk.authority)
    ]
    assert ["revoked (key-compromise)", "good", "good"] == standings


async def test_a_gateway_says_what_is_about_to_expire(walk: Walk) -> None:
    block = CliRunner().invoke(luxor, ["authority", "registry", "--dir", str(walk.authority)])
    registry = walk.registry.read_text("utf-8")
    walk.registry.write_text(f"{registry}\n{block.output}\n{PARTIES}", "utf-8")
    walk.registry.write_text(
        walk.registry.read_text("utf-8").replace("must_sign = true\n", ""), "utf-8"
    )
    walk.enrol("acme-post", "--days", 5, purpose="signing")

    walk.gateway.start()

    async with asyncio.timeout(BOUND_SECONDS):
        while "expiry.near" not in walk.gateway.log.read_text("utf-8"):  # noqa: ASYNC110 - another process tells through its log
            await asyncio.sleep(0.05)
    events = [json.loads(line) for line in walk.gateway.log.read_text("utf-8").splitlines()]
    (near,) = [event for event in events if event["event"] == "expiry.near"]
    assert ("key", "acme-post", "urgent", 4) == (
        near["kind"],
        near["name"],
        near["urgency"],
        near["days"],
    )
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{walk.gateway.ports.operations}/metrics"
        async with session.get(url) as answer:
            lines = (await answer.text()).splitlines()
    (line,) = [line for line in lines if 'expiry_seconds{kind="key",name="acme-post"}' in line]
    assert 4 * 86_400 < float(line.rsplit(" ", 1)[1]) < 5 * 86_400
