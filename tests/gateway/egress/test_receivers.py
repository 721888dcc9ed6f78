"""Receivers that misbehave: each row of the table in docs/delivery.md is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import Refused, Unavailable
from gateway.core.ports import Destination
from gateway.core.records import Settlement
from gateway.egress import grpc as grpc_destination
from gateway.egress.grpc import GrpcDestinationSettings
from gateway.egress.registry import Surroundings, open_destination
from gateway.ingress.tls import ServerTls, https_context
from gateway.pipeline.settings import BreakerSettings
from gateway.store.memory import MemoryJournal
from tests.fakes import FakeService
from tests.gateway.egress import misbehaving
from tests.gateway.egress.conftest import grpc_listener, target_of
from tests.gateway.egress.misbehaving import Talk, answering
from tests.gateway.pipeline.sending import SETTINGS, Clock, Sending
from tests.pki import Pki

PAGE = (Path(__file__).parents[3] / "docs/delivery.md").read_text("utf-8")
TIMEOUT_S = 1.0


class Row(msgspec.Struct, frozen=True):
    """What the page says: how the attempt ends, and the reason that the trace has."""

    result: str
    reason: str


def rows(heading: str) -> dict[str, Row]:
    """The table of the page below a heading."""
    _, _, rest = PAGE.partition(f"### {heading}\n")
    table = re.findall(
        r"^\| ([^|]+) \| `(\w+)` \| `([^`]+)` \|", rest.partition("\n#")[0], re.MULTILINE
    )
    return {does: Row(result, reason) for does, result, reason in table}


class Site:
    """Everything that a destination needs around it."""

    def __init__(
        self, surroundings: Surroundings, tls: ServerTls, pki: Pki, service: FakeService
    ) -> None:
        self.surroundings, self.tls, self.pki, self.service = surroundings, tls, pki, service

    def open(self, transport: str, address: str, *, strict: bool = True) -> Destination:
        target = target_of(transport, address, self.pki, receipt_required=strict)
        return open_destination(
            msgspec.structs.replace(target, timeout=TIMEOUT_S), self.surroundings
        )


Place = Callable[[Site], AbstractAsyncContextManager[Destination]]


def https(talk: Talk | None, *, tls: bool = True, strict: bool = True) -> Place:
    """A destination whose receiver talks so; nobody is there without a talk."""

    @asynccontextmanager
    async def place(site: Site) -> AsyncIterator[Destination]:
        context = https_context(site.tls) if tls else None
        if talk is None:
            yield site.open("https", f"https://127.0.0.1:{misbehaving.nobody()}/x")
            return
        async with misbehaving.receiver(talk, tls=context) as port:
            yield site.open("https", f"https://127.0.0.1:{port}/x", strict=strict)

    return place


def status(line: str, headers: str = "", body: str = "") -> Talk:
    """An answer of that status."""
    head = f"HTTP/1.1 {line}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return answering((head + body).encode())


def grpc(talk: Talk | None, *, tls: bool = True) -> Place:
    """The same for gRPC, below the level of its calls."""

    @asynccontextmanager
    async def place(site: Site) -> AsyncIterator[Destination]:
        if talk is None:
            yield site.open("grpc", f"127.0.0.1:{misbehaving.nobody()}")
            return
        context = https_context(site.tls) if tls else None
        if context is not None:
            context.set_alpn_protocols(["h2"])
        async with misbehaving.receiver(talk, tls=context) as port:
            yield site.open("grpc", f"127.0.0.1:{port}")

    return place


def grpc_service(change: Callable[[FakeService], None]) -> Place:
    """A gateway whose service does as it is told."""

    @asynccontextmanager
    async def place(site: Site) -> AsyncIterator[Destination]:
        change(site.service)
        listener = grpc_listener(site.service, site.tls)
        await listener.start()
        yield site.open("grpc", f"127.0.0.1:{listener.port}")
        site.service.gate.set()
        await listener.stop()

    return place


def raising(error: Exception) -> Callable[[FakeService], None]:
    def change(service: FakeService) -> None:
        service.raises = error

    return change


HTTPS: Mapping[str, Place] = {
    "nobody listens": https(None),
    "takes the connection and says nothing": https(misbehaving.silent, tls=False),
    "answers the handshake with something else": https(misbehaving.garbage, tls=False),
    "takes the message and never answers": https(misbehaving.silent),
    "answers a byte at a time, without an end": https(misbehaving.dripping),
    "resets the connection": https(misbehaving.resetting),
    "answers what is not HTTP": https(answering(b"\x00\x01 garbage\r\n\r\n")),
    "answers 202 with a body that is no receipt": https(status("202 Accepted", body="[1]")),
    "answers with more than 4 MiB": https(misbehaving.endless),
    "ends the connection within its answer": https(
        answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{")
    ),
    "redirects": https(status("302 Found", "Location: https://127.0.0.1:1/\r\n")),
    "answers 401 or 403": https(status("403 Forbidden")),
    "answers 429 or 503": https(status("503 Service Unavailable", "Retry-After: 7\r\n")),
    "answers 500": https(status("500 Internal Server Error")),
    "answers 422 or another 4xx": https(status("422 Unprocessable Content")),
    "is plain, answers 200 and then resets": https(
        misbehaving.answering_then_resetting, strict=False
    ),
}
GRPC: Mapping[str, Place] = {
    "nobody listens": grpc(None),
    "takes the connection and says nothing": grpc(misbehaving.silent, tls=False),
    "answers the handshake with something else": grpc(misbehaving.garbage, tls=False),
    "answers what is not HTTP/2": grpc(misbehaving.garbage),
    "takes the message and never answers": grpc_service(lambda service: service.gate.clear()),
    "says that it is not available": grpc_service(raising(Unavailable("busy", retry_after=3))),
    "refuses the message": grpc_service(raising(Refused("interchange.refused"))),
    "fails": grpc_service(raising(ValueError("a mistake of the receiver's"))),
}


def folder(prepare: Callable[[Path], Path]) -> Callable[[Path], Place]:
    """A folder that is not as it should be."""

    def of(where: Path) -> Place:
        @asynccontextmanager
        async def place(site: Site) -> AsyncIterator[Destination]:
            yield site.open("folder", str(prepare(where)))

        return place

    return of


def a_file(where: Path) -> Path:
    (where / "out").write_text("not a folder")
    return where / "out"


FOLDER: Mapping[str, Callable[[Path], Place]] = {
    "is not there": folder(lambda where: where / "nowhere"),
    "is no folder": folder(a_file),
}


@pytest.fixture
def site(surroundings: Surroundings, server_tls: ServerTls, pki: Pki, service: FakeService) -> Site:
    return Site(surroundings, server_tls, pki, service)


async def first_end(place: Place, site: Site) -> tuple[Settlement, float | None]:
    """How the first attempt ends, and for how long the destination is left alone then."""
    clock = Clock()
    async with place(site) as destination:
        sending = Sending(
            MemoryJournal(gateway=1, clock=clock),
            clock,
            settings=msgspec.structs.replace(SETTINGS, timeout=TIMEOUT_S * 2),
            receiver=destination,
        )
        await sending.queue("good")
        async with sending.running():
            await sending.until(lambda: bool(sending.settled))
        standing = sending.board.of("risk")
        await destination.close()
    rest = None
    if standing.open_until is not None:
        rest = (standing.open_until - clock()).total_seconds()
    return sending.settled[0], rest


def assert_row(row: Row, settlement: Settlement) -> None:
    """A settlement is as the page has it; a reason of the page may leave its end open."""
    reason = f"{settlement.code} {settlement.detail}".strip() or "-"
    known = row.reason.removesuffix("…")
    assert row.result == settlement.result.value
    assert known == (reason[: len(known)] if row.reason.endswith("…") else reason)


def test_the_page_has_a_row_for_each_behaviour() -> None:
    assert list(HTTPS) == list(rows("HTTPS"))
    assert list(GRPC) == list(rows("gRPC"))
    assert {*FOLDER, *ON_A_DISK} == set(rows("Folder"))


@pytest.mark.parametrize("does", HTTPS)
async def test_https_receivers_end_as_documented(does: str, site: Site) -> None:
    settlement, _ = await first_end(HTTPS[does], site)
    assert_row(rows("HTTPS")[does], settlement)


@pytest.mark.parametrize("does", GRPC)
async def test_grpc_receivers_end_as_documented(does: str, site: Site) -> None:
    settlement, _ = await first_end(GRPC[does], site)
    assert_row(rows("gRPC")[does], settlement)


@pytest.mark.parametrize("does", FOLDER)
async def test_folders_end_as_documented(does: str, site: Site, tmp_path: Path) -> None:
    settlement, _ = await first_end(FOLDER[does](tmp_path), site)
    assert_row(rows("Folder")[does], settlement)


async def test_retry_after_is_how_long_the_destination_is_left_alone(site: Site) -> None:
    _, rest = await first_end(HTTPS["answers 429 or 503"], site)
    assert 7.0 == rest


ON_A_DISK = {"is full": "size=64k", "is read-only": "ro"}
DELIVERING = """
import asyncio, sys
from pathlib import Path
from gateway.core.errors import Unavailable
from gateway.core.identifiers import MessageId
from gateway.core.records import Outgoing
from gateway.egress.folder import FolderDestination
from translators.translator import FormatId

async def run():
    destination = FolderDestination(id="d", folder=Path(sys.argv[1]), suffix=lambda _: ".json")
    outgoing = Outgoing(
        message_id=MessageId("m-1"), kind="k", format=FormatId("f"), content=bytes(1 << 20)
    )
    try:
        await destination.deliver(outgoing)
    except Unavailable as error:
        print(error.reason, error.reached)

asyncio.run(run())
"""


@pytest.mark.parametrize("does", ON_A_DISK)
def test_folders_on_a_bad_disk_end_as_documented(does: str, tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o {ON_A_DISK[does]} tmpfs "$0" && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", mount, str(tmp_path)]
    command += [sys.executable, "-c", DELIVERING, str(tmp_path)]
    tried = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("no namespace of our own here: a folder on a bad disk was not tried")

    ended = subprocess.run(command, capture_output=True, timeout=60, check=True, text=True)

    row = rows("Folder")[does]
    assert "returned" == row.result
    assert f"{row.reason} False" == ended.stdout.strip()


def test_a_channel_waits_less_than_the_breaker_to_connect_again() -> None:
    pauses = dict(grpc_destination._options(GrpcDestinationSettings()))  # what gRPC is given
    longest_ms = BreakerSettings().longest_pause * 1000
    assert pauses["grpc.max_reconnect_backoff_ms"] <= longest_ms / 2
    assert pauses["grpc.initial_reconnect_backoff_ms"] <= pauses["grpc.max_reconnect_backoff_ms"]
