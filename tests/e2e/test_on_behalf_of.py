"""A platform that sends for a post, through a running gateway, from the delegation to its end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner

from gateway.cli.party import party as party_command
from tests.e2e import documents
from tests.e2e.callers import GATEWAY, Answer, channel, get, post
from tests.e2e.network import GatewayProcess, running
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from trust.authority import generate_tls_key, private_key_pem
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached

SHOP, POST, ITMATT = "platform-shop", "post-a", "upu.itmatt.1"
BOUND_SECONDS = 30.0
"""A hang bound; the configured poll is 0.2 s."""
GRANT = f"""
[[party.grant]]
formats = ["upu.*"]
kinds = ["ItemDeclaration"]
countries = ["*"]
on_behalf_of = ["{POST}"]
"""


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway whose registry lets the platform send for the post, once that one has said so."""
    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    registry = own / "luxor/registry.toml"
    text = registry.read_text("utf-8")
    shop = text.index(f'id = "{SHOP}"')
    following = text.find("\n[[party]]", shop)
    registry.write_text(text[:following] + GRANT + text[following:], "utf-8")
    with running(tmp_path / "gateway", own) as process:
        yield process


def ran(*arguments: object) -> str:
    """What a command of ``luxor party`` prints."""
    result = CliRunner().invoke(party_command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


async def sent(
    gateway: GatewayProcess,
    number: int,
    *,
    signed_for: str | None = POST,
    claimed: str | None = POST,
) -> Answer:
    """One item of the platform, signed and sent in somebody's name."""
    identifier, content = f"obo-{number}", documents.good(number, control=f"c-{number}")
    pem = (gateway.certs / "luxor/parties" / SHOP / "signing.key").read_bytes()
    headers = {
        "Luxor-Format": ITMATT,
        "Luxor-Signature": sign_detached(
            content,
            signer=KeySigner.from_pem(pem),
            interchange_id=identifier,
            format=ITMATT,
            audience=GATEWAY,
            now=datetime.now(UTC),
            on_behalf_of=signed_for,
        ),
    }
    if claimed is not None:
        headers["Luxor-On-Behalf-Of"] = claimed
    return await post(gateway, SHOP, content, identifier=identifier, headers=headers)


async def until_answered(gateway: GatewayProcess, code: str, number: int) -> Answer:
    """Send until the answer has that code: a registry comes into force within its poll."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            number += 1
            answer = await sent(gateway, number)
            if answer.code == code:
                return answer


async def test_a_delegation_lets_send_and_ends_when_it_is_withdrawn(
    gateway: GatewayProcess,
) -> None:
    registry = gateway.certs / "luxor/registry.toml"
    before = await sent(gateway, 1)
    assert (before.status, before.code) == (403, "permission.on-behalf-of")

    key = gateway.certs / "luxor/parties" / POST / "signing.key"
    token = gateway.folder / "delegation.jwt"
    ran(
        *("delegate", POST, SHOP, "--gateway", GATEWAY, "--kind", "ItemDeclaration"),
        *("--sign-with", key, "--id", "d-1", "--out", token),
    )
    ran("accept-delegation", token, "--registry", registry)

    accepted = await until_answered(gateway, "interchange.accepted", 100)
    assert accepted.status == 202
    wrong = await sent(gateway, 2, signed_for=None)
    assert (wrong.status, wrong.code) == (401, "signature.principal")
    wrong = await sent(gateway, 3, claimed=None)
    assert (wrong.status, wrong.code) == (401, "signature.principal")

    value = accepted.body["outcomes"][0]["key"]
    for who in (SHOP, POST):
        (message,) = (await get(gateway, who, f"/v1/trace/{value}")).body["messages"]
        assert (message["sent_by"], message["on_behalf_of"]) == (SHOP, POST)

    assert await by_grpc(gateway, 4) == "OK"
    ran("withdraw-delegation", POST, "d-1", "--registry", registry)
    refused = await until_answered(gateway, "permission.on-behalf-of", 200)
    assert refused.status == 403
    assert await by_grpc(gateway, 5) == "PERMISSION_DENIED permission.on-behalf-of"


async def by_grpc(gateway: GatewayProcess, number: int) -> str:
    """The status of a submission over gRPC in the name of the post, and the code of its problem."""
    identifier, content = f"grpc-{number}", documents.good(1_000 + number, control=f"g-{number}")
    pem = (gateway.certs / "luxor/parties" / SHOP / "signing.key").read_bytes()
    given: dict[str, Any] = {"interchange_id": identifier, "format": ITMATT}
    submission = exchange_pb2.Submission(
        **given,
        content=content,
        on_behalf_of=POST,
        signature=sign_detached(
            content,
            signer=KeySigner.from_pem(pem),
            **given,
            audience=GATEWAY,
            now=datetime.now(UTC),
            on_behalf_of=POST,
        ),
    )
    async with channel(gateway, SHOP) as connection:
        stub = exchange_pb2_grpc.ExchangeStub(connection)
        try:
            await stub.Submit(submission, timeout=30)
        except grpc.aio.AioRpcError as error:
            packed = dict(error.trailing_metadata() or ())["luxor-problem-bin"]
            assert isinstance(packed, bytes)
            return f"{error.code().name} {exchange_pb2.Problem.FromString(packed).code}"
    return "OK"


async def test_keys_follow_each_other_while_the_gateway_runs(gateway: GatewayProcess) -> None:
    registry = gateway.certs / "luxor/registry.toml"
    folder = gateway.certs / "luxor/parties" / POST
    keys = [folder / "signing.key"]
    for generation in ("second", "third"):
        new = folder / f"{generation}.key"
        new.touch(mode=0o600)
        new.write_bytes(private_key_pem(generate_tls_key("P-256")))
        token = folder / f"{generation}.jwt"
        ran("announce", POST, "--key", new, "--sign-with", keys[-1], "--out", token)
        ran("accept-key", token, "--registry", registry)
        keys.append(new)
    signers = [KeySigner.from_pem(key.read_bytes()) for key in keys]

    statuses = [
        await until_signed(gateway, signer, 300 + 50 * number)
        for number, signer in enumerate(signers)
    ]

    assert statuses == [202, 202, 202]


async def until_signed(gateway: GatewayProcess, signer: KeySigner, number: int) -> int:
    """Send, signed with that key, until the gateway knows it; the last status."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            number += 1
            content = documents.good(number, control=f"k-{number}")
            answer = await post(
                gateway,
                POST,
                content,
                identifier=f"k-{number}",
                headers={
                    "Luxor-Format": ITMATT,
                    "Luxor-Signature": sign_detached(
                        content,
                        signer=signer,
                        interchange_id=f"k-{number}",
                        format=ITMATT,
                        audience=GATEWAY,
                        now=datetime.now(UTC),
                    ),
                },
            )
            if answer.code != "signature.key-unknown":
                return answer.status
