"""Running several workers in the foreground, and what signals mean to those who serve."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from gateway.app import new_telemetry
from gateway.app.workers import Front, Supervisor
from gateway.config import Config
from gateway.core.errors import Unavailable
from gateway.telemetry import capture_libraries

ENDING = (signal.SIGTERM, signal.SIGINT)


class Stops:
    """Who asks once, asks to end; who asks again, to hurry."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    def ask(self) -> None:
        """As a signal does."""
        if self.asked.is_set():
            self.hurried.set()
        self.asked.set()

    def orphan(self, line: int) -> None:
        """As the end of the line to a supervisor does: another may want our addresses soon."""
        asyncio.get_running_loop().remove_reader(line)
        self.ask()
        self.ask()


async def supervise(config: Config, *, workers: int, ports_file: Path | None) -> None:
    """Serve by so many workers until SIGTERM or Ctrl-C.

    Raises ``ConfigError`` for what cannot be listened on, ``Unstartable`` when the first worker
    ends before it serves; it has said why.
    """
    telemetry = new_telemetry(config, stream=sys.stderr)
    capture_libraries(telemetry.log)
    log = telemetry.of("supervisor")
    supervisor = Supervisor(
        config, workers=workers, command=_again(), telemetry=telemetry, random=random.random
    )
    front = Front(supervisor, config=config, telemetry=telemetry)
    stops = Stops()
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def do(work: Callable[[], Coroutine[None, None, None]]) -> None:
        task = loop.create_task(work())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def restart() -> None:
        with suppress(Unavailable):  # told by an event
            await supervisor.restart()

    for number in ENDING:
        loop.add_signal_handler(number, stops.ask)
    loop.add_signal_handler(signal.SIGHUP, do, front.reload)
    loop.add_signal_handler(signal.SIGUSR2, do, restart)
    try:
        await front.start()
        starting = loop.create_task(supervisor.start())
        asked = loop.create_task(stops.asked.wait())
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            if ports_file is not None:
                await asyncio.to_thread(write_ports, front.ports, ports_file)
            log.info("gateway.ready", workers=workers, **front.ports)
            await asked
        log.info("gateway.stopping")
        for task in (starting, asked):
            task.cancel()
    finally:
        for task in tasks:
            task.cancel()
        await unless_hurried(supervisor.stop(), stops, supervisor.hurry)
        await front.stop()
        leave_signals(loop)
    log.info("gateway.stopped")


async def unless_hurried(
    ending: Coroutine[None, None, None], stops: Stops, hurry: Callable[[], object] | None = None
) -> None:
    """Wait for an end; when somebody asks again, ``hurry`` it. Without that it is cancelled."""
    task = asyncio.create_task(ending)
    asked = asyncio.create_task(stops.hurried.wait())
    await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        (hurry or task.cancel)()
    asked.cancel()
    with suppress(asyncio.CancelledError):
        await task


def leave_signals(loop: asyncio.AbstractEventLoop) -> None:
    """Nothing is left to be ended: who asks again must not make it look like a failure."""
    for number in ENDING:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def write_ports(ports: Mapping[str, int], file: Path) -> None:
    """Atomically, so that who waits for the file never reads half of it."""
    part = file.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(ports))
    part.replace(file)


def _again() -> tuple[str, ...]:
    """The command that this process was started with, so that a worker is of what is there now."""
    return (sys.executable, *sys.orig_argv[1:])
