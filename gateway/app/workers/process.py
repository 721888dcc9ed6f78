"""One worker process, from its start to its end.

It inherits what listens, a socket for its own health, metrics and controls, and one end of a line:
it says by it that it serves, and learns by its end that its supervisor is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec
from aiohttp import ClientSession, ClientTimeout, UnixConnector

from gateway.app.place import Place
from gateway.app.workers.addresses import Addresses

START_SECONDS = 600.0
"""How long a worker may take to serve; a journal is put in order first after a crash."""
ASK_SECONDS = 5.0
"""How long a worker may take to say how it is."""


class State(StrEnum):
    """Where a worker stands. Only one that serves is asked anything."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    ENDED = "ended"


class Unstartable(Exception):
    """A worker that ended before it served. ``status`` is its exit status."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"a worker ended with {status} before it served")


class Reply(msgspec.Struct, frozen=True):
    """What a worker answered to something asked of it over HTTP."""

    status: int
    body: bytes


class WorkerProcess:
    """Started by :meth:`start`; ``state`` follows it."""

    def __init__(self, process: asyncio.subprocess.Process, *, number: int, serial: int) -> None:
        self.number = number
        self.serial = serial
        self.state = State.STARTING
        self.sound = False
        """Whether it said so of itself when it was last asked."""
        self.ready_at: float | None = None
        self._process = process
        self._line: socket.socket | None = None
        self._door = -1
        self._session: ClientSession | None = None
        self._ended = asyncio.create_task(self._watch(), name=f"worker.{number}")

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        number: int,
        serial: int,
        addresses: Addresses,
        folder: Path,
    ) -> WorkerProcess:
        """Begin one. ``folder`` is where its socket has a name for a moment; raises ``OSError``."""
        listener, door = _door(folder, f"worker-{serial}")
        mine, its = socket.socketpair()
        mine.setblocking(False)  # noqa: FBT003 - the name of the standard library's own switch
        with listener, its:
            sockets = {name: one.fileno() for name, one in addresses.listening.items()}
            sockets["operations"] = listener.fileno()
            place = Place(
                worker=number,
                supervised=True,
                sockets=sockets,
                grpc_port=addresses.grpc_port,
                line=its.fileno(),
            )
            process = await asyncio.create_subprocess_exec(
                *command,
                "--place",
                msgspec.json.encode(place).decode(),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[*sockets.values(), its.fileno()],
                start_new_session=True,  # what is typed at a terminal reaches the supervisor alone
            )
        worker = cls(process, number=number, serial=serial)
        worker._line, worker._door = mine, door
        return worker

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended; negative: the signal that ended it."""
        return self._process.returncode

    async def serves(self) -> None:
        """Wait until it serves; raises ``Unstartable`` when it ends before or takes too long."""
        assert self._line is not None  # kept until it has ended
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(START_SECONDS):
                said = await loop.sock_recv(self._line, 1)
        except (TimeoutError, OSError):
            said = b""
        if not said:
            self.kill()
            raise Unstartable(await self.wait())
        self.ready_at = time.monotonic()
        self.state, self.sound = State.READY, True

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        accept: str = "application/json",
        seconds: float = ASK_SECONDS,
    ) -> Reply:
        """Have it answer on its own socket.

        Raises ``OSError``, aiohttp's ``ClientError`` or ``TimeoutError``.
        """
        if self._session is None:
            connector = UnixConnector(f"/proc/self/fd/{self._door}")
            self._session = ClientSession(connector=connector)
        headers = {"Accept": accept}
        if method != "GET":
            headers["Content-Type"] = "application/json"
        async with self._session.request(
            method,
            f"http://localhost{path}",
            params=query,
            data=body or None,
            headers=headers,
            timeout=ClientTimeout(total=seconds),
        ) as response:
            return Reply(response.status, await response.read())

    def drain(self) -> None:
        """Ask it to end in good order; asked again, it hurries."""
        if self.state is not State.ENDED:
            self.state = State.DRAINING
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now."""
        self._signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Until it has ended; its exit status."""
        return await asyncio.shield(self._ended)

    def _signal(self, number: signal.Signals) -> None:
        # Not by subprocess: that asks first whether it has ended, and who watches it then never
        # learns its status.
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _watch(self) -> int:
        status = await self._process.wait()
        self.state, self.sound = State.ENDED, False
        if self._session is not None:
            await self._session.close()
        if self._line is not None:
            self._line.close()
        if self._door >= 0:
            os.close(self._door)
        return status


def _door(folder: Path, name: str) -> tuple[socket.socket, int]:
    """A socket that listens, and a descriptor by which alone it can be reached.

    Its name is gone on return: no other process can open it, and no path is too long for it.
    """
    inside = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        path = f"/proc/self/fd/{inside}/{name}"
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=inside)  # of a supervisor that was killed at that moment
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(path)
            Path(path).chmod(0o600)
            listener.listen()
            door = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=inside)
        except BaseException:
            listener.close()
            raise
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=inside)
    finally:
        os.close(inside)
    return listener, door
