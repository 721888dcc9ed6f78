"""The listeners of a process: opened together, renewed together, closed in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager

from msgspec.structs import replace

from gateway.app.clock import utc_now
from gateway.app.folders import Folders
from gateway.app.place import ALONE, Place
from gateway.config import Config, ConfigError, Mistake
from gateway.config.document import FolderSection, OperationsSection
from gateway.config.listening import https_listeners
from gateway.config.presenting import open_presented
from gateway.egress.tls import OwnPair
from gateway.ingress.admission import Admission
from gateway.ingress.controls import Control
from gateway.ingress.folder import FolderIngress
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.limits import Limiter
from gateway.ingress.operations import OperationsIngress
from gateway.ingress.presented import Presented
from gateway.ingress.tls import ServerTls
from gateway.pipeline.service import Service
from gateway.telemetry import Telemetry
from translators.translator import FormatId
from trust.identity import PartyId
from trust.party import Registry as Parties

SHORTEST_TOKEN = 32
"""Characters: 128 bits in hexadecimal."""


class Listening:
    """Every way in. ``https``, ``signed``, ``grpc`` and ``operations`` are there once started."""

    def __init__(self, config: Config, *, telemetry: Telemetry, place: Place = ALONE) -> None:
        """Opens our certificate and key; raises ``ConfigError``."""
        self._config = config
        self._place = place
        self._telemetry = telemetry
        self._stack = AsyncExitStack()
        self.https: HttpIngress | None = None
        self.signed: HttpIngress | None = None
        self.grpc: GrpcIngress | None = None
        self.operations: OperationsIngress | None = None
        self.folders: Folders | None = None
        self.presented: Presented = open_presented(config, clock=utc_now, telemetry=telemetry)
        self._stack.callback(self.presented.close)
        self._ways_in: list[Callable[[], Awaitable[None]]] = []

    async def start(
        self,
        service: Service,
        *,
        parties: Parties,
        limiter: Limiter,
        admission: Admission,
        is_ready: Callable[[], bool],
        controls: Iterable[Control],
    ) -> None:
        """Open all that is configured; raises ``ConfigError`` for what the machine refuses."""
        ingress = self._config.ingress
        operations = ingress.operations
        if self._place.supervised:  # asked by the supervisor alone, which guards what it passes on
            operations = OperationsSection(port=0)
        if operations is not None:
            self.operations = OperationsIngress(
                host=operations.host,
                port=operations.port,
                metrics=self._telemetry.metrics.registry,
                checks={"gateway": is_ready},
                controls=controls,
                token=None if operations.token is None else control_token(self._config),
                listener=self._place.listener("operations"),
            )
            with self._said("ingress.operations.port"):
                await self.operations.start()
            self._stack.push_async_callback(self.operations.stop)
        tls = self._server_tls(parties)
        listeners = https_listeners(
            self._config,
            service=service,
            telemetry=self._telemetry,
            clock=utc_now,
            tls=tls,
            limiter=limiter,
            admission=admission,
            opened=self._place.listener,
        )
        for name, listener in listeners.items():
            with self._said(f"ingress.{name}.port"):
                await listener.start()
            self._ways_in.append(listener.stop)
        self.https, self.signed = listeners.get("https"), listeners.get("signed")
        if ingress.grpc is not None:
            port, limits = ingress.grpc.port, ingress.grpc.limits
            if self._place.grpc_port is not None:
                port, limits = self._place.grpc_port, replace(limits, reuse_port=True)
            self.grpc = GrpcIngress(
                service=service,
                telemetry=self._telemetry,
                clock=utc_now,
                tls=tls,
                host=ingress.grpc.host,
                port=port,
                settings=limits,
                limiter=limiter,
                admission=admission,
            )
            with self._said("ingress.grpc.port"):
                await self.grpc.start()
            self._ways_in.append(self.grpc.stop)
        await self._start_folders(service, limiter)

    async def _start_folders(self, service: Service, limiter: Limiter) -> None:
        def make(section: FolderSection) -> FolderIngress:
            return FolderIngress(
                service=service,
                telemetry=self._telemetry,
                clock=utc_now,
                party=PartyId(section.party),
                path=self._config.path(section.path),
                format_id=FormatId(section.format),
                poll=section.poll,
                settings=section.limits,
                limiter=limiter,
                on_behalf_of=None
                if section.on_behalf_of is None
                else PartyId(section.on_behalf_of),
            )

        folders = self.folders = Folders(make)
        self._ways_in.append(folders.stop)
        folders.prepare(self._config)
        await folders.change(self._config)

    def own_pair(self) -> OwnPair:
        """What is presented now, to those whom we call."""
        held = self.presented
        return OwnPair(certificate=held.certificate, key=held.key, revision=held.pair.fingerprint)

    def renew(self, parties: Parties) -> None:
        """New connections are judged by the authorities of the registry that is in force now."""
        tls = self._server_tls(parties)
        for ingress in (self.https, self.signed, self.grpc):
            if ingress is not None:
                ingress.renew(tls)

    def announce(self) -> None:
        """Say to callers that they should go elsewhere; they are served still."""
        for ingress in (self.https, self.signed):
            if ingress is not None:
                ingress.announce()

    async def drain(self) -> None:
        """Take nothing new and finish what is under way; health is told still. Safe to repeat."""
        ways, self._ways_in = self._ways_in, []
        await asyncio.gather(*(stop() for stop in ways))

    async def stop(self) -> None:
        """Drain, then close what is left. May be called twice."""
        try:
            await self.drain()
        finally:
            await self._stack.aclose()

    def _server_tls(self, parties: Parties) -> ServerTls:
        authorities = parties.authorities.values()
        return ServerTls(
            certificate=self.presented.certificate,
            key=self.presented.key,
            authorities="\n".join(pem for entry in authorities for pem in entry.certificates),
        )

    @contextmanager
    def _said(self, path: str) -> Iterator[None]:
        """What the machine does not give is a mistake at ``path`` of the configuration."""
        try:
            yield
        except OSError as error:
            mistake = Mistake(path, error.strerror or str(error))
            raise ConfigError(self._config.file, [mistake]) from error


def control_token(config: Config) -> str | None:
    """The text that callers of controls show; raises ``ConfigError``."""
    section = config.ingress.operations
    if section is None or section.token is None:
        return None
    try:
        text = config.path(section.token).read_text("utf-8").strip()
    except OSError as error:
        reason = error.strerror or str(error)
    else:
        if len(text) >= SHORTEST_TOKEN:
            return text
        reason = f"the file holds less than {SHORTEST_TOKEN} characters"
    raise ConfigError(config.file, [Mistake("ingress.operations.token", reason)])
