"""A back end that is killed like everything else: ``python -m tests.faults.receiver``.

It writes into its book what it takes before it answers, and now and then behaves badly: declines,
answers late, or cuts the connection after it has taken the message.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import time
from pathlib import Path

import msgspec
from aiohttp import web

from gateway.ingress.tls import ServerTls, https_context
from tests.faults.ledger import Event

DECLINED, LATE, CUT = 0.02, 0.03, 0.02
LATE_SECONDS = 0.15
PATHS = ("risk", "revenue")


class _Message(msgspec.Struct):
    item_id: str
    provenance: dict[str, object]


class _Delivered(msgspec.Struct):
    messages: list[_Message]


_delivered = msgspec.json.Decoder(_Delivered)


class Receiver:
    """Takes whatever comes for :data:`PATHS`."""

    def __init__(self, book: Path, *, seed: int) -> None:
        self._book = os.open(book, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._random = random.Random(seed)
        self._process = f"{os.getpid()}.{time.monotonic_ns()}"

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One delivery."""
        (message,) = _delivered.decode(await request.read()).messages
        mood = self._random.random()
        self._write("begun", request, message)
        try:
            if mood < DECLINED:
                return web.Response(status=503, headers={"Retry-After": "0"})
            if mood < DECLINED + LATE:
                await asyncio.sleep(LATE_SECONDS)
            self._write("taken", request, message)
            if mood > 1 - CUT and request.transport is not None:
                request.transport.abort()
            return web.Response(status=204)
        finally:
            self._write("ended", request, message)

    def _write(self, what: str, request: web.Request, message: _Message) -> None:
        event = Event(
            at=time.monotonic_ns(),
            what=what,
            destination=request.match_info["destination"],
            message_id=str(message.provenance["message_id"]),
            interchange_id=str(message.provenance["interchange_id"]),
            item=message.item_id,
            process=self._process,
        )
        os.write(self._book, msgspec.json.encode(event) + b"\n")


class Book:
    """What receivers have written so far; each reading goes on where the last one ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._decoder = msgspec.json.Decoder(Event)
        self.events: list[Event] = []

    def read(self) -> list[Event]:
        """What is new since the last reading; a line that a kill cut off is never complete."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._at += len(whole) + 1
        new = [self._decoder.decode(line) for line in whole.split(b"\n")]
        self.events += new
        return new


async def _serve(arguments: argparse.Namespace) -> None:
    receiver = Receiver(arguments.book, seed=arguments.seed)
    application = web.Application()
    application.router.add_post(f"/{{destination:{'|'.join(PATHS)}}}", receiver.take)
    party = arguments.certs / "luxor/parties/customs-revenue"
    tls = ServerTls(
        certificate=party / "tls.pem",
        key=party / "tls.key",
        authorities=(arguments.certs / "luxor/root.pem").read_text(),
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = https_context(tls)
    await web.TCPSite(runner, "127.0.0.1", arguments.port, ssl_context=context).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--book", type=Path, required=True)
    parser.add_argument("--certs", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
