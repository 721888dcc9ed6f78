"""Gateways as processes on PostgreSQL: a database that dies and comes back, two nodes on one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import asyncpg
import grpc
import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli.party import party as party_command
from tests.e2e import documents
from tests.e2e.callers import client_context, metric, post, submit
from tests.e2e.network import CONFIG, GatewayProcess
from tests.postgres import Server, in_thread
from tests.samples import s10
from tests.signed import fetched, parameters_of, sign
from trust.keys import KeySigner
from trust.signatures.http.signature_base import Message

FORMAT = "upu.itmatt.1"
HEADERS = {"Luxor-Format": FORMAT}
HANG_SECONDS = 120.0
MESSAGES = 90


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A database server of these tests' own, since they kill it."""
    started = Server()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """A database without anything in it."""
    with server.database(gateway=None) as found:
        yield found


class Nodes:
    """Gateways on one database, each with a folder and ports of its own, and one archive."""

    def __init__(self, folder: Path, certs: Path, url: str, *, further: str = "") -> None:
        self.archive = folder / "archive"
        self.archive.mkdir()
        config = CONFIG.replace('address = "archive"', f'address = "{self.archive}"')
        config += f'\n[journal]\nurl = "{url}"\nanswer_timeout = 10.0\n{further}'
        self.one, self.two = (
            GatewayProcess(folder / name, certs, config) for name in ("one", "two")
        )

    def stop(self) -> None:
        for node in (self.one, self.two):
            node.stop()

    def delivered(self) -> list[tuple[str, str, str]]:
        """Interchange id, item id and message id of all that has arrived."""
        found = []
        for file in self.archive.glob("*.json"):
            (message,) = msgspec.json.decode(file.read_bytes())["messages"]
            provenance = message["provenance"]
            found.append(
                (provenance["interchange_id"], message["item_id"], provenance["message_id"])
            )
        return found

    async def arrive(self, count: int) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while len(list(self.archive.glob("*.json"))) < count:  # noqa: ASYNC110 - processes of their own
                await asyncio.sleep(0.05)


@pytest.fixture
def nodes(tmp_path: Path, certs: Path, url: str) -> Iterator[Nodes]:
    """Two nodes that are not started yet."""
    both = Nodes(tmp_path, certs, url)
    yield both
    both.stop()


def luxor(node: GatewayProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the operator with the configuration of that node."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments, "--config", str(node.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ},
    )


async def ready(node: GatewayProcess) -> bool:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{node.ports.operations}/health/ready") as answer,
    ):
        return answer.status == 200


async def until_ready(node: GatewayProcess, *, wanted: bool = True) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while await ready(node) is not wanted:  # noqa: ASYNC110 - another process gets there
            await asyncio.sleep(0.05)


async def test_a_gateway_accepts_delivers_traces_and_starts_again(nodes: Nodes) -> None:
    """On an empty database: the first start makes the journal."""
    node = nodes.one
    node.start()
    first = await post(node, "post-a", documents.good(1, control="C1"), identifier="i1",
                       headers=HEADERS)  # fmt: skip
    over_grpc = await submit(
        node, "post-a", documents.good(2, control="C2"), identifier="i2", format_id=FORMAT
    )
    assert (202, (grpc.StatusCode.OK, "", [])) == (first.status, over_grpc)
    await nodes.arrive(2)

    traced = luxor(node, "trace", s10(1), "--json")
    status = json.loads(luxor(node, "db", "status", "--json").stdout)
    node.kill()
    node.start()
    again = await post(node, "post-a", documents.good(1, control="C1"), identifier="i1",
                       headers=HEADERS)  # fmt: skip

    assert 0 == traced.returncode, traced.stderr
    (told,) = json.loads(traced.stdout)["messages"]
    assert ("i1", ["delivered"]) == (
        told["interchange_id"],
        [way["state"] for way in told["ways"]],
    )
    assert ("postgresql", 1) == (status["store"], len(status["processes"]))
    assert (202, first.body["receipt"]) == (again.status, again.body["receipt"])
    assert ["i1", "i2"] == sorted(name for name, _, _ in nodes.delivered())


async def test_a_database_that_is_killed_under_load_is_waited_for(
    nodes: Nodes, server: Server
) -> None:
    """503 with a time to come again, not ready, alive; then all goes on without a restart."""
    node, refused = nodes.one, list[tuple[int, str]]()
    node.start()
    pid, receipts = node.pid, dict[str, str]()
    waiting = list(range(1, MESSAGES + 1))
    context = client_context(node, "post-a")

    async def sender(session: aiohttp.ClientSession) -> None:
        while waiting:
            serial = waiting.pop()
            name = f"i{serial}"
            async with session.post(
                f"https://localhost:{node.ports.https}/v1/interchanges",
                data=documents.good(serial, control=name),
                headers={"Luxor-Interchange-Id": name, **HEADERS},
                ssl=context,
            ) as answer:
                body = await answer.json(content_type=None)
            if answer.status in (200, 202):
                receipts[name] = body["receipt"]
                continue
            refused.append((answer.status, answer.headers.get("Retry-After", "")))
            waiting.append(serial)
            await asyncio.sleep(0.2)

    async def outage() -> None:
        while len(receipts) < MESSAGES // 3:  # noqa: ASYNC110 - another process gets there
            await asyncio.sleep(0.01)
        server.kill()
        try:
            await missed()
        finally:
            server.start()  # from this thread: it ends with the one that started it

    async def missed() -> None:
        await until_ready(node, wanted=False)
        status, code, _ = await submit(
            node, "post-a", documents.good(999, control="X"), identifier="x", format_id=FORMAT
        )
        assert grpc.StatusCode.UNAVAILABLE == status
        assert code in ("unavailable", "overload")
        assert 0 == await metric(node, "luxor_journal_usable")
        while not refused:  # noqa: ASYNC110 - another process gets there
            await asyncio.sleep(0.01)

    async with asyncio.timeout(HANG_SECONDS), aiohttp.ClientSession() as session:
        await asyncio.gather(outage(), *(sender(session) for _ in range(8)))
        await until_ready(node)
    await nodes.arrive(MESSAGES)

    assert {503} == {status for status, _ in refused}
    assert all(after and int(after) >= 1 for _, after in refused)
    assert pid == node.pid
    assert len(receipts) == MESSAGES
    assert {(name, 1) for name in receipts} == set(
        Counter(name for name, _, _ in set(nodes.delivered())).items()
    )


async def test_what_one_node_has_accepted_another_delivers(nodes: Nodes) -> None:
    """The one that accepted is killed before it may deliver."""
    one, two = nodes.one, nodes.two
    one.start()
    two.start()
    off = luxor(one, "destinations", "off", "archive", "--reason", "a test")
    assert 0 == off.returncode, off.stderr + off.stdout
    await asyncio.sleep(1.0)  # both have looked how it stands
    for serial in range(1, 21):
        answer = await post(one, "post-a", documents.good(serial, control=f"C{serial}"),
                            identifier=f"i{serial}", headers=HEADERS)  # fmt: skip
        assert 202 == answer.status
    again = await post(two, "post-a", documents.good(20, control="C20"), identifier="i20",
                       headers=HEADERS)  # fmt: skip
    assert [] == nodes.delivered()
    one.kill()
    on = luxor(two, "destinations", "on", "archive")
    assert 0 == on.returncode, on.stderr + on.stdout
    await nodes.arrive(20)

    assert (202, answer.body["receipt"]) == (again.status, again.body["receipt"])
    assert sorted(f"i{serial}" for serial in range(1, 21)) == sorted(
        name for name, _, _ in nodes.delivered()
    )


async def test_a_signed_request_is_no_use_at_another_node(
    tmp_path: Path, certs: Path, url: str
) -> None:
    """What was sent to one node is replayed at the other, which goes by the same name."""
    signed_port = '\n[ingress.signed]\nport = 0\nnames = ["gw.example"]\n'
    nodes = Nodes(tmp_path, certs, url, further=signed_port)
    try:
        nodes.one.start()
        nodes.two.start()
        pem = (certs / "luxor/parties/platform-shop/signing.key").read_bytes()
        signer = KeySigner.from_pem(pem)
        created = int(datetime.now(UTC).timestamp())
        request = sign(
            fetched(),
            signer,
            parameters=parameters_of(
                signer, "platform-shop", created=created, expires=created + 300
            ),
        )
        answers = [await ask(node, certs, request) for node in (nodes.one, nodes.two, nodes.one)]
    finally:
        nodes.stop()

    assert [(200, None), (401, "signature.replayed"), (401, "signature.replayed")] == answers


async def ask(node: GatewayProcess, certs: Path, request: Message) -> tuple[int, str | None]:
    """Status and problem of a signed question, without a client certificate."""
    context = ssl.create_default_context(cafile=str(certs / "luxor/root.pem"))
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"https://localhost:{node.ports.signed}{request.target}",
            headers=dict(request.fields),
            ssl=context,
        ) as answer,
    ):
        body = await answer.json(content_type=None)
        return answer.status, body.get("code")


async def test_a_change_of_the_registry_reaches_every_node(
    tmp_path: Path, certs: Path, url: str
) -> None:
    """One node has the file; the other has only the database."""
    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    nodes = Nodes(tmp_path, own, url)
    file = f'file = "{own}/luxor/registry.toml"\n'
    config = nodes.two.config.read_text("utf-8")
    assert file in config
    nodes.two.config.write_text(config.replace(file, ""), "utf-8")

    async def submitted(node: GatewayProcess, serial: int) -> str:
        content = documents.good(serial, control=f"C{serial}")
        answer = await post(node, "post-a", content, identifier=f"i{serial}", headers=HEADERS)
        return answer.code

    try:
        nodes.one.start()
        nodes.two.start()
        before = [await submitted(nodes.one, 1), await submitted(nodes.two, 2)]
        registry = str(own / "luxor/registry.toml")
        done = CliRunner().invoke(party_command, ["suspend", "post-a", "--registry", registry])
        assert 0 == done.exit_code, done.output
        serial = 2
        async with asyncio.timeout(HANG_SECONDS):
            for node in (nodes.one, nodes.two):
                code = ""
                while code != "party.suspended":
                    serial += 1
                    code = await submitted(node, serial)
    finally:
        nodes.stop()

    assert ["interchange.accepted"] * 2 == before


def test_a_start_without_the_database_names_the_mistake(nodes: Nodes, server: Server) -> None:
    text = nodes.one.config.read_text("utf-8").replace(f":{server.port}/", ":1/")
    nodes.one.config.write_text(text, "utf-8")

    for further in ((), ("--check",)):
        done = luxor(nodes.one, "serve", *further)

        assert 2 == done.returncode
        assert "journal.url: " in done.stderr
        assert "the journal cannot be reached" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_journal_of_an_earlier_program_is_not_changed_under_other_nodes(
    nodes: Nodes, server: Server, url: str
) -> None:
    """``luxor serve`` makes a journal, but whoever upgrades the nodes brings it up to date."""
    assert 0 == luxor(nodes.one, "db", "migrate").returncode
    in_thread(lambda: executed(url, "UPDATE meta SET value = value - 1 WHERE name = 'schema'"))

    done = luxor(nodes.one, "serve")

    assert 2 == done.returncode
    assert "journal.url: " in done.stderr
    assert "see luxor db migrate" in done.stderr


async def executed(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
