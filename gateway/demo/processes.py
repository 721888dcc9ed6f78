"""The processes of the demonstration: started in order, watched, stopped together."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from gateway.demo.topology import BACKENDS, GATEWAYS, Topology

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class DemoError(Exception):
    """The demonstration can not go on; the text says where to look."""


class Processes:
    """Gateways and back ends as processes of their own, each with its log in its folder."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Processes:
        try:
            await asyncio.gather(*(self.start(name) for name in (*BACKENDS, *GATEWAYS)))
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, name: str) -> None:
        """Start one process and wait until it listens."""
        config = self._topology.config(name)
        if name in BACKENDS:
            command = ["-m", f"backends.{name}", "--config", str(config)]
        else:
            command = ["-m", "gateway", "serve", "--config", str(config)]
        with self.log(name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                cwd=self._topology.place(name),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C reaches the demonstration, which stops in order
            )
        self._running[name] = process
        await self._listening(name, process)

    async def _listening(self, name: str, process: asyncio.subprocess.Process) -> None:
        port = self._topology.ports[
            name if name in BACKENDS else name.removeprefix("gateway-") + "_grpc"
        ]
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await _connects(port):
                    if process.returncode is not None:
                        raise DemoError(
                            f"{name} ended with status {process.returncode}; see {self.log(name)}"
                        )
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise DemoError(f"{name} does not listen; see {self.log(name)}") from error

    def log(self, name: str) -> Path:
        """Where a process writes its events."""
        return self._topology.place(name) / f"{name}.log"

    def died(self) -> tuple[str, ...]:
        """Processes that ended although nobody stopped them."""
        return tuple(
            name for name, process in self._running.items() if process.returncode is not None
        )

    async def stop(self) -> None:
        """Ask all to stop, wait, and end what does not."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self._running.values():
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._running.clear()


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
