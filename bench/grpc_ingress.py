"""What gRPC costs the server: a call for each submission against one stream, bare and in full.

``python -m bench.grpc_ingress``. Three servers, each a process of its own over mutual TLS: one of
`grpc.aio` with empty handlers, our listener before a service that accepts at once, and a gateway
that verifies, judges and commits signed orders. The figures are CPU of that process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
from grpc import aio

from bench.grpc_servers import PARTY
from bench.results import Goal, goal_of
from tests.e2e import documents
from tests.e2e.callers import signed
from tests.e2e.network import CONFIG, GatewayProcess, make_pki
from translators.wire.exchange.v1 import exchange_pb2 as wire

IN_FLIGHT = 64
"""Submissions that are unanswered at once, in either form."""
UNARY, STREAM = "/exchange.v1.Exchange/Submit", "/exchange.v1.Exchange/SubmitStream"
START_S, STOP_S = 30.0, 10.0
ROOMY = "\n[limits.party]\nrequests_per_second = 1000000\nburst = 1000000\nconcurrent = 1000\n"


class Costs(msgspec.Struct):
    """Microseconds of server CPU for one message, the least of the rounds."""

    unary: float = math.inf
    stream: float = math.inf

    @property
    def ratio(self) -> float:
        """What a call costs, in messages of the stream."""
        return self.unary / self.stream


class Server(msgspec.Struct, frozen=True):
    """A process that listens."""

    pid: int
    port: int

    def cpu(self) -> float:
        """Seconds of CPU so far, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(which: str, folder: Path, certs: Path) -> Iterator[Server]:
    """One of `bench.grpc_servers`."""
    port = folder / f"{which}.port"
    port.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.grpc_servers", which, str(certs), str(port)]
    process = subprocess.Popen(command)  # noqa: S603 - ourselves
    try:
        until = time.monotonic() + START_S
        while not port.exists():
            assert process.poll() is None, f"{which} ended with {process.returncode}"
            assert time.monotonic() < until, f"{which} did not start"
            time.sleep(0.02)
        yield Server(process.pid, int(port.read_text()))
    finally:
        process.terminate()
        process.wait(STOP_S)


@contextmanager
def gateway(folder: Path, certs: Path) -> Iterator[tuple[GatewayProcess, Server]]:
    """A whole gateway; its one destination is off, so that accepting is all that it does."""
    process = GatewayProcess(folder / "gateway", certs, CONFIG + ROOMY)
    try:
        process.start('gateway.log_level="warning"')
        off = ["destinations", "off", "archive", "--reason", "bench", "--config"]
        command = [sys.executable, "-m", "gateway", *off, str(process.config)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves
        assert process.pid is not None
        yield process, Server(process.pid, process.ports.grpc)
    finally:
        process.stop()


def channel(port: int, certs: Path) -> aio.Channel:
    """A connection as the party that sends."""
    place = certs / "luxor/parties" / PARTY
    credentials = grpc.ssl_channel_credentials(
        (certs / "luxor/root.pem").read_bytes(),
        (place / "tls.key").read_bytes(),
        (place / "tls.pem").read_bytes(),
    )
    return aio.secure_channel(f"localhost:{port}", credentials)


async def by_calls(connection: aio.Channel, submissions: Sequence[bytes]) -> None:
    """Each by a call of its own; the requests are bytes already."""
    call: Any = connection.unary_unary(UNARY)
    waiting = iter(submissions)

    async def caller() -> None:
        for submission in waiting:
            check(await call(submission))

    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))


async def by_stream(connection: aio.Channel, submissions: Sequence[bytes]) -> None:
    """All in one stream."""
    call: Any = connection.stream_stream(STREAM)()

    async def write() -> None:
        for submission in submissions:
            await call.write(submission)
        await call.done_writing()

    answered = 0
    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        while (reply := await call.read()) is not aio.EOF:
            check(reply)
            answered += 1
    assert answered == len(submissions), f"{answered} answers to {len(submissions)}"


def check(reply: bytes) -> None:
    """A reply is empty, or says that the submission was accepted."""
    if reply:
        status = wire.SubmitReply.FromString(reply).status
        assert status == wire.STATUS_ACCEPTED, wire.SubmitReply.FromString(reply)


def unsigned(numbers: Iterator[int], count: int) -> list[bytes]:
    """Submissions for servers that do not look at them."""
    return [
        _submission(f"g-{n}", documents.order(f"G-{n}"), "s" * 300) for n in _take(numbers, count)
    ]


def orders(process: GatewayProcess, numbers: Iterator[int], count: int) -> list[bytes]:
    """Signed orders, none like another."""
    found = []
    for n in _take(numbers, count):
        name, content = f"g-{n}", documents.order(f"G-{n}")
        signature = signed(process, PARTY, content, identifier=name, format_id="luxor.json.1")
        found.append(_submission(name, content, signature))
    return found


def _take(numbers: Iterator[int], count: int) -> Iterator[int]:
    return itertools.islice(numbers, count)


def _submission(name: str, content: bytes, signature: str) -> bytes:
    return wire.Submission(
        interchange_id=name, format="luxor.json.1", content=content, signature=signature
    ).SerializeToString()


async def costs(
    target: Server, certs: Path, rounds: Sequence[tuple[Sequence[bytes], Sequence[bytes]]]
) -> Costs:
    """Of a pair of rounds each, by calls and by a stream in turn; the first one warms up."""
    found = Costs()
    async with channel(target.port, certs) as connection:
        for at, (for_calls, for_stream) in enumerate(rounds):
            began = target.cpu()
            await by_calls(connection, for_calls)
            between = target.cpu()
            await by_stream(connection, for_stream)
            ended = target.cpu()
            if at:
                found.unary = min(found.unary, (between - began) / len(for_calls) * 1e6)
                found.stream = min(found.stream, (ended - between) / len(for_stream) * 1e6)
    return found


def measure(*, quick: bool) -> Iterator[Goal]:
    """Goal 8, bare and with the accept path; beside it what our listener adds to the bare one."""
    count, full, rounds = (1_500, 500, 4) if quick else (6_000, 2_000, 5)
    numbers = itertools.count()
    found: dict[str, Costs] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        for which in ("bare", "instant"):
            pairs = [(unsigned(numbers, count), unsigned(numbers, count)) for _ in range(rounds)]
            with server(which, folder, certs) as target:
                found[which] = asyncio.run(costs(target, certs, pairs))
        with gateway(folder, certs) as (process, target):
            pairs = [
                (orders(process, numbers, full), orders(process, numbers, full))
                for _ in range(rounds)
            ]
            found["gateway"] = asyncio.run(costs(target, certs, pairs))
    for which, one in found.items():
        print(
            f"{which:<8} a call {one.unary:7.0f} us, a message of the stream"
            f" {one.stream:7.0f} us: {one.ratio:5.2f}",
            flush=True,
        )
    yield goal_of(
        "8 gRPC stream to unary, transport alone",
        baseline=found["bare"].unary,
        figure=found["bare"].stream,
        ratio=found["bare"].ratio,
        at_least=2.3,
        unit="µs of server CPU",
        what="an empty grpc.aio call; a message of an empty grpc.aio stream",
    )
    yield goal_of(
        "8 gRPC stream to unary, with the accept path",
        baseline=found["gateway"].unary,
        figure=found["gateway"].stream,
        ratio=found["gateway"].ratio,
        at_least=1.4,
        unit="µs of server CPU",
        what="a signed order accepted durably by a call of its own; the same in one stream",
        note=(
            "our listener before a service that accepts at once:"
            f" {found['instant'].unary:.0f} and {found['instant'].stream:.0f} us"
        ),
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    for goal in measure(quick=parser.parse_args().quick):
        print(f"{goal.goal}: {goal.ratio:.2f} ({goal.bar})  {goal.note}")


if __name__ == "__main__":
    main()
