"""The lean client at real servers, the documents that it sends, and the command."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.web_request import BaseRequest
from click.testing import CliRunner

from bench import empty, serving
from bench.accepting import TAKEN
from bench.load.__main__ import main
from bench.load.documents import item_bodies, order_bodies
from bench.load.generating import Failed, Generators, Load, after, split
from bench.load.https import HttpsSender, content_length
from bench.load.mixes import MIXES, SEEDED, Maker, Papers
from bench.load.pump import Call, Request
from bench.load.target import Target, is_loopback
from bench.serving import summed
from tests.e2e.network import make_pki
from translators.canonical import ItemDeclaration, Order
from translators.registry import standard
from translators.translator import Entry, FormatId
from translators.xml import parse_exactly
from trust.keys import KeySigner, PublicKey
from trust.signatures.jws import verify_detached
from trust.signatures.xmldsig.verifying import verify_xml

BOUND_SECONDS = 30.0


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pki(tmp_path_factory.mktemp("pki"))


def target(certs: Path, port: int = 1, party: str = "post-a") -> Target:
    return serving.Served(0, certs, {"https": port}).target(party)


@asynccontextmanager
async def answering(
    certs: Path, answer: Callable[[BaseRequest], web.StreamResponse | None]
) -> AsyncIterator[int]:
    """A server of this process; ``None`` closes the connection."""

    async def handle(request: BaseRequest) -> web.StreamResponse:
        await request.read()
        response = answer(request)
        if response is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return response

    server = await asyncio.get_running_loop().create_server(
        web.Server(handle), "127.0.0.1", 0, ssl=empty.context(certs)
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def sent(certs: Path, port: int, requests: list[Request], *, connections: int) -> list[str]:
    """Send all at once; what came of each."""
    sender = HttpsSender(target(certs, port), connections=connections)
    problems: list[str] = []
    waiting = asyncio.Event()

    def noted(call: Call, problem: str) -> None:
        problems.append(f"{call.request.name}: {problem}")
        if len(problems) == len(requests):
            waiting.set()

    async with asyncio.timeout(BOUND_SECONDS):
        await sender.open()
        clock = time.perf_counter
        for request in requests:
            now = clock()
            sender.send(Call(request, due=now, handed=now, clock=clock, noted=noted))
        await waiting.wait()
        await sender.close()
    return problems


def got(path: str) -> Request:
    wire = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    return Request(name=path, wire=wire, expected=b"200")


async def test_each_answer_is_that_of_its_request(certs: Path) -> None:
    def answer(request: BaseRequest) -> web.Response:
        status = int(request.path.removeprefix("/"))
        return web.Response(status=status, text="x" * 100_000)

    async with answering(certs, answer) as port:
        statuses = [200, 404, 200, 503, 200]
        problems = await sent(certs, port, [got(f"/{one}") for one in statuses], connections=2)

    wanted = [f"/{one}: {'' if one == 200 else f'status {one}'}" for one in statuses]
    assert sorted(wanted) == sorted(problems)


async def test_a_connection_that_is_closed_is_a_problem_and_is_opened_again(certs: Path) -> None:
    def answer(request: BaseRequest) -> web.Response | None:
        return None if request.path == "/closes" else web.Response(text="well")

    async with answering(certs, answer) as port:
        problems = await sent(certs, port, [got("/closes"), got("/stays")], connections=1)

    assert ["/closes: the connection was closed", "/stays: "] == problems


def test_the_length_of_an_answer_is_found_in_its_head() -> None:
    assert 12 == content_length(b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 12\r\nX: y")
    assert content_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked") is None
    assert content_length(b"HTTP/1.1 200 OK\r\nContent-Length: -1") is None


@pytest.fixture(scope="module")
def generators() -> Iterator[Generators]:
    with Generators() as running:
        yield running


def test_generators_send_a_fixed_rate_and_measure_themselves(
    certs: Path, tmp_path: Path, generators: Generators
) -> None:
    with serving.empty(tmp_path, certs) as bare:
        load = Load(
            target=bare.target("platform-shop"), mix="order", run="t", rate=100.0, seconds=0.5
        )
        before = bare.cpu()
        seen = generators.run(load)
        spent = bare.cpu() - before

    assert seen.planned == seen.sent == seen.answered
    assert 0 == seen.errors
    assert 30 < seen.planned < 75
    assert min(seen.latency) > 0
    assert max(seen.due) <= 0.5
    assert seen.cpu > 0
    assert spent > 0


def test_a_gateway_takes_what_every_mix_sends(
    certs: Path, tmp_path: Path, generators: Generators
) -> None:
    with serving.gateway(tmp_path, certs, delivers=True) as gateway:
        before = gateway.metrics()
        first = SEEDED
        for mix in MIXES.values():
            if mix.items > 100:
                continue  # as the smaller ones, for longer
            load = Load(
                target=gateway.target(mix.party, transport=mix.transport),
                mix=mix.name,
                run="all",
                first=first,
                count=10 if mix.items == 1 else 1,
                connections=2,
            )
            if mix.seeds:
                generators.seed(load)
            seen = generators.run(load)
            assert (load.count, {}) == (seen.answered, dict(seen.problems)), mix.name
            first = after(load, processes=1)
        taken = summed(gateway.metrics(), TAKEN) - summed(before, TAKEN)

    assert 6 * 10 + SEEDED + 1 + 2 == taken


def test_a_generator_tells_why_it_can_not_run(certs: Path) -> None:
    with Generators() as generators, pytest.raises(Failed, match="FileNotFoundError"):
        generators.run(Load(target=nowhere(target(certs)), mix="order", run="v", count=1))


def nowhere(good: Target) -> Target:
    return Target(port=good.port, certificate="no", key="no", authority="no", signing_key="no")


def test_generators_share_a_load_and_take_numbers_of_their_own(certs: Path) -> None:
    load = Load(target=target(certs), mix="itmatt-100", run="t", rate=10.0, seconds=3.0)
    one, other = split(load, 2)

    assert (5.0, 32) == (one.rate, one.connections)
    assert one.first + one.numbers == other.first
    assert other.first + other.numbers == after(load, processes=2)
    assert one.numbers > 5 * 3 * 100


def test_every_order_and_item_is_valid_and_has_identifiers_of_its_own() -> None:
    seen: set[str] = set()
    orders, items = order_bodies(), item_bodies()
    for number in range(200):
        (order,) = read("luxor.json.1", orders.body(number, name=f"o-{number}"))
        assert isinstance(order, Order)
        assert f"o-{number}" == order.order_id
        seen.add(order.parcels[0].tracking_number)
    for item in read("upu.itmatt.1", items.body(300, name="i", count=200)):
        assert isinstance(item, ItemDeclaration)
        seen.add(item.item_id)
        assert (item.order_reference or "O-").startswith("O-")
    assert 400 == len(seen)
    assert items.item_id(300) in seen


def read(name: str, content: bytes) -> list[object]:
    readings = list(standard().get(FormatId(name)).read(io.BytesIO(content)))
    entries = [reading for reading in readings if isinstance(reading, Entry)]
    assert [()] == list({entry.faults for entry in entries})
    return [entry.message for entry in entries]


def test_what_is_signed_verifies(certs: Path) -> None:
    papers, now = Papers(), datetime.now(UTC)
    shop, post = target(certs, party="platform-shop"), target(certs)
    head, body = parts(MIXES["order"].make(Maker(shop, papers, run="r"), 7))
    token = head.partition("Luxor-Signature: ")[2].partition("\r\n")[0]
    keys = keys_of(shop)
    proved = verify_detached(
        token,
        body,
        keys=keys,
        interchange_id="r-7",
        format="luxor.json.1",
        audience="gateway-lx",
        now=now,
    )
    assert [proved] == list(keys)
    _, document = parts(MIXES["item-xml"].make(Maker(post, papers, run="r"), 7))
    assert verify_xml(parse_exactly(document), keys=keys_of(post), now=now).signing_time is None


def parts(request: Request) -> tuple[str, bytes]:
    head, _, body = request.wire.partition(b"\r\n\r\n")
    return f"{head.decode()}\r\n", body


def keys_of(sender: Target) -> dict[str, PublicKey]:
    signer = KeySigner.from_pem(Path(sender.signing_key).read_bytes())
    return {signer.kid: signer.public_key}


def test_load_for_another_host_wants_a_word(certs: Path) -> None:
    assert is_loopback("localhost")
    assert is_loopback("127.8.8.8")
    assert is_loopback("[::1]")
    assert not is_loopback("gateway.example")
    assert not is_loopback("10.0.0.1")

    done = CliRunner().invoke(main, ["--rate", "1", "--url", "https://gateway.example:8443"])

    assert 2 == done.exit_code
    assert "--allow-host gateway.example" in done.output
    allowed = ["--rate", "1", "--url", "https://gateway.example", "--allow-host", "gateway.example"]
    assert "missing: --cert, --key, --ca, --sign-key" in CliRunner().invoke(main, allowed).output


def test_the_command_says_what_it_wants() -> None:
    assert "--rate, or --find" in CliRunner().invoke(main, []).output
    wrong = CliRunner().invoke(main, ["--rate", "1", "--mix", "grpc", "--url", "https://localhost"])
    assert "grpc://HOST:PORT" in wrong.output
    listed = CliRunner().invoke(main, ["--mixes"]).output
    told = [(name, mix.transport, mix.party) for name, mix in MIXES.items()]
    assert told == [tuple(line.split()[:3]) for line in listed.splitlines()]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--ca", "not a certificate in PEM"),
        ("--cert", "not a certificate in PEM and its key"),
        ("--key", "not a certificate in PEM and its key"),
        ("--sign-key", "not an unencrypted PEM private key"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(
    certs: Path, tmp_path: Path, option: str, said: str
) -> None:
    own = certs / "luxor/parties/platform-shop"
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not PEM")
    files = {
        "--cert": own / "tls.pem",
        "--key": own / "tls.key",
        "--ca": certs / "luxor/root.pem",
        "--sign-key": own / "signing.key",
        option: wrong,
    }

    done = CliRunner().invoke(
        main, ["--rate", "1", *(str(one) for pair in files.items() for one in pair)]
    )

    assert 2 == done.exit_code
    assert said in done.output
    assert str(wrong) in done.output


def test_a_port_that_there_is_not_and_one_where_nobody_listens_are_told(certs: Path) -> None:
    own = certs / "luxor/parties/post-a"
    files = ["--cert", own / "tls.pem", "--key", own / "tls.key", "--ca", certs / "luxor/root.pem"]
    given = ["--rate", "1", "--seconds", "0.5", "--mix", "item", *map(str, files)]
    beyond = CliRunner().invoke(main, [*given, "--url", "https://localhost:65536"])
    assert (2, True) == (beyond.exit_code, "--url: Port out of range" in beyond.output)

    closed = CliRunner().invoke(main, [*given, "--url", "https://localhost:1"])

    assert 2 == closed.exit_code
    assert "Error: localhost:1: ConnectionRefusedError" in closed.output
