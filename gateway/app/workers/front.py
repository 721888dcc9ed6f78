"""The operations listener of a gateway of several workers: one port for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from prometheus_client import CollectorRegistry

from gateway.app.listening import control_token
from gateway.app.workers.merging import ACCEPT, Gathered, merged
from gateway.app.workers.process import Reply, WorkerProcess
from gateway.app.workers.supervisor import UNREADY, Supervisor
from gateway.config import Config, ConfigError, Mistake
from gateway.core.errors import Unavailable
from gateway.ingress.controls import Answer, Asked, Control
from gateway.ingress.operations import OperationsIngress
from gateway.telemetry import Telemetry

EVERYWHERE = frozenset({"/control/reload"})
"""What concerns the state of each process; the rest concerns the journal, which they share."""
CONTROL_SECONDS = 300.0
"""How long a worker may take over a control."""


class Front:
    """Health, metrics and controls of the whole."""

    def __init__(self, supervisor: Supervisor, *, config: Config, telemetry: Telemetry) -> None:
        """Raises ``ConfigError`` for a token that is none."""
        self._supervisor = supervisor
        self._config = config
        self._log = telemetry.of("supervisor")
        self._gathered = Gathered()
        self._turn = asyncio.Lock()
        self._restarts: set[asyncio.Future[None]] = set()
        self._listener: OperationsIngress | None = None
        section = config.ingress.operations
        if section is not None:
            registry = CollectorRegistry()
            registry.register(self._gathered)
            self._listener = OperationsIngress(
                host=section.host,
                port=section.port,
                metrics=registry,
                checks={"workers": supervisor.is_ready},
                controls=self._controls(),
                token=control_token(config),
                refresh=self._gather,
            )

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of the listener, when there is one, and those of the workers."""
        own = {} if self._listener is None else {"operations": self._listener.port}
        return {**self._supervisor.ports, **own}

    async def start(self) -> None:
        """Listen; raises ``ConfigError`` when the machine does not give the address."""
        if self._listener is None:
            return
        try:
            await self._listener.start()
        except OSError as error:
            mistake = Mistake("ingress.operations.port", error.strerror or str(error))
            raise ConfigError(self._config.file, [mistake]) from error

    async def stop(self) -> None:
        """Stop listening. May be called twice."""
        if self._listener is not None:
            await self._listener.stop()

    def _controls(self) -> tuple[Control, ...]:
        return (
            Control("GET", "/control/workers", self._list),
            Control("POST", "/control/workers/restart", self._restart),
            Control("GET", "/control/{rest:.+}", self._get),
            Control("POST", "/control/{rest:.+}", self._post),
        )

    async def _list(self, _: Asked) -> Answer:
        return Answer(
            [
                {
                    "worker": worker.number,
                    "pid": worker.pid,
                    "state": worker.state.value,
                    "ready": worker.sound,
                }
                for worker in self._supervisor.workers
            ]
        )

    async def _restart(self, asked: Asked) -> Answer:
        # Begun, it is ended: whoever asked may have gone away meanwhile.
        work = asyncio.ensure_future(self._supervisor.restart())
        self._restarts.add(work)
        work.add_done_callback(self._restarts.discard)
        await asyncio.shield(work)
        return await self._list(asked)

    async def reload(self) -> None:
        """Have all workers read the configuration again, as ``SIGHUP`` asks; events tell."""
        try:
            reply = await self._everywhere("POST", "/control/reload", {}, b"{}")
        except Unavailable as error:
            self._log.error("workers.not-reloaded", reason=error.reason)
        else:
            self._log.info("workers.reloaded", status=reply.status)

    async def _get(self, asked: Asked) -> Answer:
        return await self._pass("GET", asked)

    async def _post(self, asked: Asked) -> Answer:
        return await self._pass("POST", asked)

    async def _pass(self, method: str, asked: Asked) -> Answer:
        """What the workers answer: one of them, or each when it concerns each."""
        path = f"/control/{asked.path['rest']}"
        ask = self._everywhere if path in EVERYWHERE else self._anywhere
        reply = await ask(method, path, asked.query, asked.body)
        return Answer(_value(reply), reply.status)

    async def _anywhere(
        self, method: str, path: str, query: Mapping[str, str], body: bytes
    ) -> Reply:
        for worker in self._supervisor.serving:
            return await _asked(worker, method, path, query, body)
        raise Unavailable("no worker serves now")

    async def _everywhere(
        self, method: str, path: str, query: Mapping[str, str], body: bytes
    ) -> Reply:
        """One after the other, up to the first that refuses; the last answer."""
        async with self._turn:
            last: Reply | None = None
            for worker in self._supervisor.serving:
                first = last is None
                last = await _asked(worker, method, path, query, body)
                if last.status >= 400:
                    if not first:
                        self._log.error("workers.disagree", path=path, worker=worker.number)
                    break
            if last is None:
                raise Unavailable("no worker serves now")
            return last

    async def _gather(self) -> None:
        """Ask all that serve for their metrics; one that does not answer has none this time."""
        workers = self._supervisor.serving
        pages = await asyncio.gather(*map(self._page, workers))
        told = zip(workers, pages, strict=True)
        families = merged({worker.number: page for worker, page in told if page is not None})
        self._gathered.families = [*self._supervisor.registry.collect(), *families]

    async def _page(self, worker: WorkerProcess) -> str | None:
        try:
            reply = await worker.ask("GET", "/metrics", accept=ACCEPT)
        except UNREADY:
            return None
        return reply.body.decode() if reply.status == 200 else None


async def _asked(
    worker: WorkerProcess, method: str, path: str, query: Mapping[str, str], body: bytes
) -> Reply:
    try:
        return await worker.ask(method, path, query=query, body=body, seconds=CONTROL_SECONDS)
    except UNREADY as error:
        raise Unavailable(f"worker {worker.number} does not answer") from error


def _value(reply: Reply) -> object:
    """The JSON of an answer; what is none, such as a page of a proxy, has no value."""
    try:
        return msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {"error": f"the worker answered {reply.status}"}
