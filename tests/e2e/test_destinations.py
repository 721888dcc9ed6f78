"""Destinations that refuse, hang and go away, seen from both ends of a running gateway."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from gateway.ingress.tls import ServerTls, https_context
from tests.e2e import documents
from tests.e2e.callers import get, post
from tests.e2e.network import CONFIG, GatewayProcess
from tests.samples import s10

HANG_SECONDS = 60.0
ITMATT = {"Luxor-Format": "upu.itmatt.1"}
RECEIVER = """
[dispatch]
timeout = 0.5
lease = 2
longest_pause = 0.5

[[destination]]
id = "receiver"
party = "customs-revenue"
transport = "https"
address = "https://localhost:{port}/take"
ca = "{certs}/luxor/root.pem"
format = "luxor.json.1"
receipt = "none"

[[route]]
name = "received"
kinds = ["ItemDeclaration"]
destination_countries = ["FR"]
to = ["receiver"]
"""


class Receiver:
    """A plain receiver that can be told to refuse, to hang on, or to fail what has a word in it."""

    def __init__(self, certs: Path) -> None:
        party = certs / "luxor/parties/customs-revenue"
        self._tls = ServerTls(
            certificate=party / "tls.pem",
            key=party / "tls.key",
            authorities=(certs / "luxor/root.pem").read_text(),
        )
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.got: list[dict[str, Any]] = []
        self.refuses = self.hangs = "nothing"

    async def take(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        (message,) = msgspec.json.decode(content)["messages"]
        if self.hangs.encode() in content:
            await asyncio.sleep(HANG_SECONDS)
        if self.refuses.encode() in content:
            fault = {"code": "x.y", "path": "/pieces/0/description", "detail": "not here"}
            return web.json_response({"code": "interchange.refused", "faults": [fault]}, status=422)
        self.got.append(message)
        return web.Response(status=204)

    @property
    def ids(self) -> list[str]:
        """Items in the order in which their messages were first taken."""
        seen = dict.fromkeys(m["provenance"]["message_id"] for m in self.got)
        items = {m["provenance"]["message_id"]: m["item_id"] for m in self.got}
        return [items[message_id] for message_id in seen]

    async def start(self) -> None:
        """Listen, at the port of the first start."""
        application = web.Application()
        application.router.add_post("/take", self.take)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self.port, ssl_context=https_context(self._tls)
        )
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be gone."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def until(self, number: int) -> None:
        """Wait until so many messages were taken."""
        async with asyncio.timeout(HANG_SECONDS):
            while len(self.ids) < number:  # noqa: ASYNC110 - the receiver is told by a socket
                await asyncio.sleep(0.02)


@pytest.fixture
async def receiver(certs: Path) -> AsyncIterator[Receiver]:
    receiver = Receiver(certs)
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
def gateway(tmp_path: Path, certs: Path, receiver: Receiver) -> Iterator[GatewayProcess]:
    config = CONFIG + RECEIVER.replace("{port}", str(receiver.port))
    process = GatewayProcess(tmp_path / "gateway", certs, config)
    try:
        process.start()
        yield process
    finally:
        process.stop()


async def send(gateway: GatewayProcess, name: str, serial: int, *, says: str = "socks") -> None:
    content = documents.itmatt(
        documents.item(s10(serial), country="FR", description=says), control=name
    )
    answer = await post(gateway, "post-a", content, identifier=name, headers=ITMATT)
    assert 202 == answer.status, answer.body


async def leg(gateway: GatewayProcess, name: str) -> str:
    status = await get(gateway, "post-a", f"/v1/interchanges/{name}")
    (found,) = status.body["legs"]
    return str(found["state"])


async def test_what_is_refused_is_buried_told_to_its_sender_and_holds_its_key_only(
    gateway: GatewayProcess, receiver: Receiver
) -> None:
    receiver.refuses = "forbidden"
    await send(gateway, "first", 1, says="forbidden fruit")
    await send(gateway, "later", 1)
    await send(gateway, "other", 2)
    await receiver.until(1)

    inbox = await get(gateway, "post-a", "/v1/inbox?wait=20")
    (message,) = inbox.body["messages"]
    (notice,) = msgspec.json.decode(base64.b64decode(message["content"]))["messages"]
    assert ("DeliveryFailed", "first") == (notice["type"], notice["interchange_id"])
    assert [{"code": "x.y", "path": "/pieces/0/description", "detail": "not here"}] == notice[
        "reasons"
    ]
    assert [s10(2)] == receiver.ids
    assert ["buried", "waiting", "delivered"] == [
        await leg(gateway, name) for name in ("first", "later", "other")
    ]


async def test_what_came_while_the_receiver_was_gone_arrives_in_order_also_after_a_crash(
    gateway: GatewayProcess, receiver: Receiver
) -> None:
    await receiver.stop()
    for number in range(30):
        await send(gateway, f"gone-{number}", number % 3)
    gateway.kill()
    gateway.start()
    await receiver.start()
    await receiver.until(30)

    for serial in range(3):
        names = [
            m["provenance"]["interchange_id"] for m in receiver.got if m["item_id"] == s10(serial)
        ]
        first = list(dict.fromkeys(names))
        assert [f"gone-{number}" for number in range(serial, 30, 3)] == first


async def test_a_message_on_which_the_receiver_hangs_holds_up_its_key_only(
    gateway: GatewayProcess, receiver: Receiver
) -> None:
    receiver.hangs = "hanging"
    await send(gateway, "hanging", 1, says="hanging garden")
    for number in range(5):
        await send(gateway, f"fine-{number}", 2 + number)
    await receiver.until(5)

    assert sorted(s10(2 + number) for number in range(5)) == sorted(receiver.ids)
    receiver.hangs = "nothing"
    await receiver.until(6)


async def test_an_operator_tries_buried_messages_again_beside_the_running_gateway(
    gateway: GatewayProcess, receiver: Receiver
) -> None:
    receiver.refuses = "forbidden"
    await send(gateway, "first", 1, says="forbidden fruit")
    await send(gateway, "later", 1)
    async with asyncio.timeout(HANG_SECONDS):
        while await leg(gateway, "first") != "buried":  # noqa: ASYNC110 - another process buries
            await asyncio.sleep(0.05)

    (row,) = await luxor("deliveries", "list", "--config", str(gateway.config), "--json")
    receiver.refuses = "nothing"
    (retried,) = await luxor(
        "deliveries", "retry", "receiver", "--config", str(gateway.config), "--json"
    )
    await receiver.until(2)

    assert ("receiver", "interchange.refused") == (row["destination"], row["code"])
    assert ("receiver", 1) == (retried["destination"], retried["retried"])
    assert ["first", "later"] == [m["provenance"]["interchange_id"] for m in receiver.got]
    assert [] == await luxor("deliveries", "list", "--config", str(gateway.config), "--json")


async def luxor(*arguments: str) -> list[Any]:
    """What a command prints as JSON, line by line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return [msgspec.json.decode(line) for line in output.splitlines()]
