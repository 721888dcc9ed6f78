"""Keeps the workers of a gateway: starts them, starts those that die again, replaces them by turns.

The first worker starts alone: it brings the store up to date and takes over the registry, and what
is wrong with the configuration is told once. A new worker serves before an old one is asked to
end, so a restart leaves no moment without any.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence

from aiohttp import ClientError
from prometheus_client import CollectorRegistry

from gateway.app.workers.addresses import Addresses
from gateway.app.workers.process import State, Unstartable, WorkerProcess
from gateway.config import Config
from gateway.core.errors import Unavailable
from gateway.pipeline.backoff import pause
from gateway.telemetry import Telemetry
from gateway.telemetry.workers import WorkerMetrics

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before a worker that died is started again; doubled for each that follows soon."""
SOUND_SECONDS = 60.0
"""A worker that served so long did not die of its start."""
LOOK_SECONDS = 0.5
"""How often workers are asked whether they are ready."""
MARGIN_SECONDS = 15.0
"""How much longer than the bounds of its draining a worker may take to end."""
UNREADY = (OSError, ClientError, TimeoutError)
"""What asking a worker may end with that is no answer."""


class Supervisor:
    """``start`` returns when every worker serves; ``stop`` when all have ended."""

    def __init__(
        self,
        config: Config,
        *,
        workers: int,
        command: Sequence[str],
        telemetry: Telemetry,
        random: Callable[[], float],
    ) -> None:
        """Opens what is listened on; raises ``ConfigError``. ``command`` starts one worker."""
        self._config = config
        self._count = workers
        self._command = tuple(command)
        self._random = random
        self._log = telemetry.of("supervisor")
        self.registry = CollectorRegistry()
        self.metrics = WorkerMetrics(self.registry)
        self._folder = config.path(config.gateway.data)
        self._addresses = Addresses(config)
        self._serial = 0
        self._current: dict[int, WorkerProcess] = {}
        self._all: set[WorkerProcess] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._restarting = asyncio.Lock()
        self.stopping = False

    @property
    def ports(self) -> Mapping[str, int]:
        """What is listened on, by the name of the ingress."""
        return self._addresses.ports

    @property
    def workers(self) -> tuple[WorkerProcess, ...]:
        """Every worker that has not ended, old ones too, in the order of their start."""
        return tuple(sorted(self._all, key=lambda worker: worker.serial))

    @property
    def serving(self) -> tuple[WorkerProcess, ...]:
        """Those that take work, by number."""
        found = (self._current[number] for number in sorted(self._current))
        return tuple(worker for worker in found if worker.state is State.READY)

    def is_ready(self) -> bool:
        """At least one worker is, and nobody has asked us to end."""
        return not self.stopping and any(worker.sound for worker in self.serving)

    async def start(self) -> None:
        """Start the first worker, then the others; raises ``Unstartable`` when the first ends.

        One of the others that ends before it serves is started again like any that dies.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        first = self._current[0] = await self._launch(0)
        await self._served(first)
        self._do(self._look(), "look")
        others = []
        for number in range(1, self._count):
            self._current[number] = await self._launch(number)
            others.append(self._current[number])
        for number in range(self._count):
            self._do(self._keep(number), f"keep.{number}")
        await asyncio.gather(*map(self._tried, others))

    async def restart(self) -> None:
        """Replace every worker by a new one, which may be of another version of the program.

        First all new ones serve, then the old ones end, one after the other. Raises
        ``Unavailable`` when a new one does not get so far: then the old ones go on.
        """
        if self._restarting.locked():
            raise Unavailable("a restart is under way", retry_after=5.0)
        async with self._restarting:
            new: list[WorkerProcess] = []
            try:
                for number in sorted(self._current):
                    new += [await self._launch(number)]
                await asyncio.gather(*map(self._served, new))
            except BaseException as error:
                for worker in new:
                    worker.kill()
                if not isinstance(error, Unstartable | OSError):
                    raise
                self._log.error("workers.restart-refused", reason=str(error))
                raise Unavailable(f"{error}; the old workers go on") from error
            for worker in new:
                self._current[worker.number] = worker
            # Among the old ones are those that were started for others that died meanwhile.
            for worker in self.workers:
                if worker not in new:
                    await self._end(worker)
            self._log.info("workers.restarted", workers=len(new))

    async def stop(self) -> None:
        """Ask all to end, and wait as long as they may take; then end those that are left."""
        self.stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*map(self._end, self.workers))
        self._addresses.close()

    def hurry(self) -> None:
        """Workers that are ending end at once what they would still wait for."""
        for worker in self.workers:
            worker.drain()

    async def _launch(self, number: int) -> WorkerProcess:
        self._serial += 1
        worker = await WorkerProcess.start(
            self._command,
            number=number,
            serial=self._serial,
            addresses=self._addresses,
            folder=self._folder,
        )
        self._all.add(worker)
        self._do(self._forget(worker), f"forget.{worker.serial}")
        self._log.info("worker.started", worker=number, pid=worker.pid)
        return worker

    async def _served(self, worker: WorkerProcess) -> None:
        await worker.serves()
        self._count_ready()
        self._log.info("worker.ready", worker=worker.number, pid=worker.pid)

    async def _forget(self, worker: WorkerProcess) -> None:
        await worker.wait()
        self._all.discard(worker)
        self._count_ready()

    async def _keep(self, number: int) -> None:
        """Have a worker of this number, whatever becomes of it."""
        failures = 0
        counted: WorkerProcess | None = None
        while True:
            worker = self._current[number]
            status = await worker.wait()
            if self._current[number] is not worker:
                failures = 0
                continue  # it was replaced
            began = worker.ready_at
            sound = began is not None and time.monotonic() - began >= SOUND_SECONDS
            # One that could not be started again is the same as before, and no sounder for it.
            failures = 1 if sound and worker is not counted else failures + 1
            counted = worker
            wait = pause(failures, first=FIRST_PAUSE, longest=LONGEST_PAUSE, spread=self._random())
            self.metrics.died.inc()
            self._log.error(
                "worker.died", worker=number, pid=worker.pid, status=status, again_in=round(wait, 1)
            )
            await asyncio.sleep(wait)
            if self._current[number] is worker:
                await self._try(worker)

    async def _try(self, dead: WorkerProcess) -> None:
        """Start a worker again; what it ends with is seen by its keeper."""
        number = dead.number
        try:
            worker = await self._launch(number)
        except OSError as error:  # out of processes or memory: tried again
            self._log.error("worker.not-started", worker=number, errno=error.errno)
            return
        if self._current[number] is not dead:  # all were replaced meanwhile
            worker.kill()
            return
        self._current[number] = worker
        await self._tried(worker)

    async def _tried(self, worker: WorkerProcess) -> None:
        """Wait until it serves, or has ended."""
        try:
            await self._served(worker)
        except Unstartable as error:
            self._log.error("worker.not-started", worker=worker.number, status=error.status)

    async def _end(self, worker: WorkerProcess) -> None:
        worker.drain()
        try:
            async with asyncio.timeout(drain_bound(self._config) + MARGIN_SECONDS):
                await worker.wait()
        except TimeoutError:
            self._log.error("worker.killed", worker=worker.number, pid=worker.pid)
            worker.kill()
            await worker.wait()
        self._log.info("worker.ended", worker=worker.number, pid=worker.pid)

    async def _look(self) -> None:
        """Ask those that serve whether they are ready, again and again."""
        while True:
            await asyncio.gather(*map(self._look_at, self.serving))
            self._count_ready()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_at(self, worker: WorkerProcess) -> None:
        try:
            sound = (await worker.ask("GET", "/health/ready")).status == 200
        except UNREADY:
            sound = False
        if worker.sound and not sound:
            self._log.warning("worker.unready", worker=worker.number, pid=worker.pid)
        worker.sound = sound and worker.state is State.READY

    def _count_ready(self) -> None:
        self.metrics.ready.set(sum(worker.sound for worker in self.serving))
        self.metrics.processes.set(len(self._all))

    def _do(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("part.failed", part=task.get_name(), error=error)


def drain_bound(config: Config) -> float:
    """Seconds that draining one process may take, by its configuration."""
    ingress = config.ingress
    parts = [config.dispatch.timeout]
    parts += [one.dispatch.timeout for one in config.destination if one.dispatch is not None]
    parts += [one.limits.drain for one in ingress.folder]
    for section in (ingress.https, ingress.signed, ingress.grpc):
        if section is not None:
            parts.append(section.limits.drain)
    return config.gateway.drain_delay + max(parts)
