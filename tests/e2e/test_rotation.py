"""Three generations of a signing key under load: no message lost, each proved by the right key."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import pytest

from gateway.core.identifiers import InterchangeId
from gateway.store.sqlite import open_sqlite
from tests.e2e import documents
from tests.e2e.callers import GATEWAY, client_context
from tests.e2e.network import GatewayProcess, running
from trust.authority import generate_key, private_key_pem
from trust.identity import PartyId
from trust.keys import KeySigner, public_key_pem
from trust.signatures.jws import sign_detached

HANG_SECONDS = 90.0
PLATFORM, JSON = PartyId("platform-shop"), "luxor.json.1"
KEY = '[[party.key]]\npublic_key = "parties/platform-shop/signing.pub"\n'
SENDERS = 3
EACH = 8
"""Orders that each generation signs at least, while it counts alone and while two count."""


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway with a registry of its own, which the test changes."""
    shutil.copytree(certs, tmp_path / "certs")
    with running(tmp_path / "gateway", tmp_path / "certs") as process:
        yield process


class Shop:
    """A platform that sends orders all the time, each signed with the key that it uses now.

    What is refused is sent again under its id, with the key of that time: as a platform would.
    """

    def __init__(self, gateway: GatewayProcess, signer: KeySigner) -> None:
        self.signer = signer
        self.proved: dict[str, str] = {}
        self.codes: list[str] = []
        self.stopping = False
        self._gateway = gateway
        self._number = 0

    async def send(self) -> None:
        """Until it is told to stop."""
        context = client_context(self._gateway, PLATFORM)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            while not self.stopping:
                self._number += 1
                name = f"order-{self._number}"
                while not await self._accepted(session, context, name):  # noqa: ASYNC110 - it is asked, not waited for
                    await asyncio.sleep(0.05)

    async def _accepted(self, session: aiohttp.ClientSession, context: object, name: str) -> bool:
        content, signer = documents.order(name), self.signer
        signature = sign_detached(
            content,
            signer=signer,
            interchange_id=name,
            format=JSON,
            audience=GATEWAY,
            now=datetime.now(UTC),
        )
        async with session.post(
            f"https://localhost:{self._gateway.ports.https}/v1/interchanges",
            data=content,
            headers={
                "Luxor-Interchange-Id": name,
                "Luxor-Format": JSON,
                "Luxor-Signature": signature,
            },
            ssl=context,  # type: ignore[arg-type] # an SSLContext
        ) as answer:
            body = await answer.json(content_type=None)
        if answer.status == 202:
            self.proved[name] = signer.kid
            return True
        self.codes.append(body["code"])
        return False

    def count(self, signer: KeySigner) -> int:
        """How many orders were accepted under a key."""
        return sum(kid == signer.kid for kid in self.proved.values())


def registered(gateway: GatewayProcess, *generations: str) -> None:
    """Have exactly these keys of the platform registered; the file appears whole."""
    home = gateway.certs / "luxor"
    text = (home / "registry.first.toml").read_text("utf-8")
    assert 1 == text.count(KEY)
    keys = "\n".join(KEY.replace("signing.pub", f"{name}.pub") for name in generations)
    part = home / "registry.part"
    part.write_text(text.replace(KEY, keys), "utf-8")
    part.replace(home / "registry.toml")


def new_key(gateway: GatewayProcess, name: str) -> KeySigner:
    """A key whose public half lies where the registry can name it."""
    key = generate_key("P-256")
    file = gateway.certs / "luxor/parties/platform-shop" / f"{name}.pub"
    file.write_bytes(public_key_pem(key))
    return KeySigner.from_pem(private_key_pem(key))


async def until_sent(shop: Shop, signer: KeySigner, more: int) -> None:
    """Until so many more orders have been accepted under a key."""
    wanted = shop.count(signer) + more
    while shop.count(signer) < wanted:  # noqa: ASYNC110 - senders of the same loop count them
        await asyncio.sleep(0.05)


async def test_three_generations_of_a_key_roll_under_load_and_nothing_is_lost(
    gateway: GatewayProcess,
) -> None:
    home = gateway.certs / "luxor"
    shutil.copy(home / "registry.toml", home / "registry.first.toml")
    first = KeySigner.from_pem((home / "parties/platform-shop/signing.key").read_bytes())
    second, third = new_key(gateway, "second"), new_key(gateway, "third")
    shop = Shop(gateway, first)

    async with asyncio.timeout(HANG_SECONDS):
        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(shop.send())
            await until_sent(shop, first, EACH)
            for old, new, both, alone in (
                (first, second, ("signing", "second"), ("second",)),
                (second, third, ("second", "third"), ("third",)),
            ):
                registered(gateway, *both)
                await until_sent(shop, old, EACH)
                shop.signer = new
                await until_sent(shop, new, EACH)
                registered(gateway, *alone)
                await until_sent(shop, new, EACH)
            await refused(gateway, shop, first)
            shop.stopping = True

    sent = shop.proved
    assert {first.kid, second.kid, third.kid} == set(sent.values())
    # A key that is used before the gateway has read the registry is unknown until then.
    assert set(shop.codes) <= {"signature.key-unknown"}
    assert await arrived(gateway, len(sent)) == sorted(sent)
    gateway.stop()
    assert sent == await proofs(gateway, list(sent))


async def refused(gateway: GatewayProcess, shop: Shop, old: KeySigner) -> None:
    """The key that was given up proves nothing any more."""
    stranger = Shop(gateway, old)
    context = client_context(gateway, PLATFORM)
    async with aiohttp.ClientSession() as session:
        assert not await stranger._accepted(session, context, "order-old-key")
    assert ["signature.key-unknown"] == stranger.codes
    assert "order-old-key" not in shop.proved


async def arrived(gateway: GatewayProcess, number: int) -> list[str]:
    """The orders in the archive once there are so many."""
    archive = gateway.folder / "archive"
    async with asyncio.timeout(HANG_SECONDS):
        while len(list(archive.glob("*.json"))) < number:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.05)
    return sorted(
        msgspec.json.decode(file.read_bytes())["messages"][0]["order_id"]
        for file in archive.glob("*.json")
    )


async def proofs(gateway: GatewayProcess, names: list[str]) -> dict[str, str]:
    """The name of the key that proved each interchange, from the journal; each proof holds."""
    journal = await open_sqlite(
        gateway.folder / "data/journal.db", gateway=1, clock=lambda: datetime.now(UTC)
    )
    try:
        found = {}
        for name in names:
            stored = await journal.find(PLATFORM, InterchangeId(name))
            assert stored is not None
            proof = await journal.proof(stored.record)
            assert proof is not None
            assert "jws" == proof.method
            found[name] = proof.kid
        return found
    finally:
        await journal.close()
