"""Gateways as processes on PostgreSQL: a database that dies and comes back, two nodes on one."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import asyncpg
import grpc
import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import luxor as luxor_command
from gateway.cli.party import party as party_command
from tests.e2e import documents
from tests.e2e.callers import client_context, get, metric, post, submit
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
    """Gateways on one database, each with a folder and ports of its own, and one archive.

    The registry's file is the first one's; the second has only what the database has.
    """

    def __init__(self, folder: Path, certs: Path, url: str) -> None:
        self.archive = folder / "archive"
        self.archive.mkdir()
        config = CONFIG.replace('address = "archive"', f'address = "{self.archive}"')
        config += f'\n[journal]\nurl = "{url}"\nanswer_timeout = 10.0\n'
        config += '\n[ingress.signed]\nport = 0\nnames = ["gw.example"]\n'
        file = 'file = "{certs}/luxor/registry.toml"\n'
        assert file in config
        self.one = GatewayProcess(folder / "one", certs, config)
        self.two = GatewayProcess(folder / "two", certs, config.replace(file, ""))

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

    async def arrive(self, names: Iterable[str]) -> None:
        """Wait until something of each of these interchanges has arrived."""
        wanted = set(names)
        async with asyncio.timeout(HANG_SECONDS):
            while not wanted <= {name for name, _, _ in self.delivered()}:  # noqa: ASYNC110 - processes of their own
                await asyncio.sleep(0.05)


@pytest.fixture
def nodes(tmp_path: Path, certs: Path, url: str) -> Iterator[Nodes]:
    """Two nodes that are not started yet."""
    both = Nodes(tmp_path, certs, url)
    yield both
    both.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, certs: Path, server: Server) -> Iterator[Nodes]:
    """Two nodes that run, with a PKI of their own, which a test changes."""
    folder = tmp_path_factory.mktemp("pair")
    shutil.copytree(certs, folder / "certs")
    with server.database(gateway=None) as url:
        both = Nodes(folder, folder / "certs", url)
        try:
            both.one.start()
            both.two.start()
            yield both
        finally:
            both.stop()


def luxor(node: GatewayProcess, *arguments: str) -> Result:
    """A command of the operator with the configuration of that node."""
    return CliRunner().invoke(luxor_command, [*arguments, "--config", str(node.config)])


async def beside(node: GatewayProcess, *arguments: str) -> Result:
    """The same, from a test that has an event loop: commands have their own."""
    return await asyncio.to_thread(luxor, node, *arguments)


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
    await nodes.arrive(("i1", "i2"))

    traced = await beside(node, "trace", s10(1), "--json")
    status = json.loads((await beside(node, "db", "status", "--json")).output)
    node.kill()
    node.start()
    again = await post(node, "post-a", documents.good(1, control="C1"), identifier="i1",
                       headers=HEADERS)  # fmt: skip

    assert 0 == traced.exit_code, traced.output
    (told,) = json.loads(traced.output)["messages"]
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
        while await metric(node, "luxor_journal_usable"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
        while not refused:  # noqa: ASYNC110 - another process gets there
            await asyncio.sleep(0.01)

    async with asyncio.timeout(HANG_SECONDS), aiohttp.ClientSession() as session:
        await asyncio.gather(outage(), *(sender(session) for _ in range(8)))
        await until_ready(node)
    await nodes.arrive(receipts)

    assert {503} == {status for status, _ in refused}
    assert all(after and int(after) >= 1 for _, after in refused)
    assert pid == node.pid
    assert len(receipts) == MESSAGES
    assert {(name, 1) for name in receipts} == set(
        Counter(name for name, _, _ in set(nodes.delivered())).items()
    )


async def test_what_one_node_has_accepted_another_delivers(pair: Nodes) -> None:
    """The one that accepted is killed before it may deliver."""
    one, two = pair.one, pair.two
    names = [f"i{serial}" for serial in range(1, 21)]
    off = await beside(one, "destinations", "off", "archive", "--reason", "a test")
    assert 0 == off.exit_code, off.output
    await asyncio.sleep(1.0)  # both have looked how it stands
    for serial, name in enumerate(names, 1):
        content = documents.good(serial, control=name)
        answer = await post(one, "post-a", content, identifier=name, headers=HEADERS)
        assert 202 == answer.status
    again = await post(two, "post-a", content, identifier=names[-1], headers=HEADERS)
    assert [] == pair.delivered()
    one.kill()
    try:
        on = await beside(two, "destinations", "on", "archive")
        assert 0 == on.exit_code, on.output
        await pair.arrive(names)
    finally:
        one.start()

    assert (202, answer.body["receipt"]) == (again.status, again.body["receipt"])
    assert sorted(names) == sorted(name for name, _, _ in pair.delivered())


async def test_a_signed_request_is_no_use_at_another_node(pair: Nodes) -> None:
    """What was sent to one node is replayed at the other, which goes by the same name."""
    pem = (pair.one.certs / "luxor/parties/platform-shop/signing.key").read_bytes()
    signer = KeySigner.from_pem(pem)
    created = int(datetime.now(UTC).timestamp())
    given = parameters_of(signer, "platform-shop", created=created, expires=created + 300)
    request = sign(fetched(), signer, parameters=given)

    answers = [await ask(node, request) for node in (pair.one, pair.two, pair.one)]

    assert [(200, None), (401, "signature.replayed"), (401, "signature.replayed")] == answers


async def ask(node: GatewayProcess, request: Message) -> tuple[int, str | None]:
    """Status and problem of a signed question, without a client certificate."""
    context = ssl.create_default_context(cafile=str(node.certs / "luxor/root.pem"))
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


async def test_a_change_of_the_registry_reaches_every_node(pair: Nodes) -> None:
    """One node has the file; the other has only the database."""

    async def asked(node: GatewayProcess) -> str:
        answer = await get(node, "customs-revenue", "/v1/inbox?limit=1")
        return "" if answer.status == 200 else answer.code

    before = [await asked(node) for node in (pair.one, pair.two)]
    registry = str(pair.one.certs / "luxor/registry.toml")
    done = CliRunner().invoke(party_command, ["suspend", "customs-revenue", "--registry", registry])
    assert 0 == done.exit_code, done.output
    async with asyncio.timeout(HANG_SECONDS):
        for node in (pair.one, pair.two):
            while await asked(node) != "party.suspended":  # noqa: ASYNC110 - another process gets there
                await asyncio.sleep(0.05)

    assert ["", ""] == before


def test_a_start_without_the_database_names_the_mistake(nodes: Nodes, server: Server) -> None:
    text = nodes.one.config.read_text("utf-8").replace(f":{server.port}/", ":1/")
    nodes.one.config.write_text(text, "utf-8")

    checked = luxor(nodes.one, "serve", "--check")
    started = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--config", str(nodes.one.config)],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )

    assert (2, 2) == (checked.exit_code, started.returncode)
    for said in (checked.stderr, started.stderr):
        assert "journal.url: " in said
        assert "the journal cannot be reached" in said
        assert "Traceback" not in said


def test_a_journal_of_an_earlier_program_is_not_changed_under_other_nodes(
    nodes: Nodes, server: Server, url: str
) -> None:
    """``luxor serve`` makes a journal, but whoever upgrades the nodes brings it up to date."""
    assert 0 == luxor(nodes.one, "db", "migrate").exit_code
    in_thread(lambda: executed(url, "UPDATE meta SET value = value - 1 WHERE name = 'schema'"))

    done = luxor(nodes.one, "serve", "--check")

    assert 2 == done.exit_code
    assert "journal.url: " in done.stderr
    assert "see luxor db migrate" in done.stderr


async def executed(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
