"""The gRPC listener: mutual TLS, the Exchange service, health and reflection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gateway.core.envelope import Transport
from gateway.core.ports import Clock
from gateway.ingress.admission import Admission
from gateway.ingress.grpc.caller import Callers, Context
from gateway.ingress.grpc.corelog import CoreLog
from gateway.ingress.grpc.handshakes import Handshakes
from gateway.ingress.grpc.reading import Reading
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.grpc.submissions import Submissions
from gateway.ingress.grpc.subscription import Subscriptions
from gateway.ingress.grpc.tracking import Tracking
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Problems
from gateway.ingress.reception import Reception
from gateway.ingress.tls import ServerTls
from gateway.pipeline.service import Service
from gateway.telemetry import Telemetry
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeServicer

SERVICE = wire.DESCRIPTOR.services_by_name["Exchange"].full_name
_ENVELOPE_BYTES = 64 * 1024
_METADATA_BYTES = 16 * 1024


class GrpcIngress:
    """One gRPC listener of the gateway."""

    def __init__(
        self,
        *,
        service: Service,
        telemetry: Telemetry,
        clock: Clock,
        tls: ServerTls,
        host: str,
        port: int,
        settings: GrpcSettings,
        limiter: Limiter | None = None,
        admission: Admission | None = None,
    ) -> None:
        """``port`` 0 takes any free one. The files of ``tls`` are read when it starts.

        Listeners of one gateway share a ``limiter`` and an ``admission``.
        While it serves, file descriptor 2 is a pipe: see :class:`CoreLog`.
        """
        self._service = service
        self._telemetry = telemetry
        self._clock = clock
        self._tls = tls
        self._host = host
        self._port = port
        self._settings = settings
        self._limiter = limiter or Limiter.alone(telemetry=telemetry, clock=clock)
        self._admission = admission or Admission.alone(telemetry)
        self._handshakes = Handshakes(telemetry=telemetry, timeout=settings.handshake_timeout)
        self._core_log = CoreLog(log=telemetry.log, on_failed_handshake=self._handshakes.failed)
        self._problems = Problems(transport=Transport.GRPC, telemetry=telemetry)
        self._stopping = asyncio.Event()
        self._server: aio.Server | None = None
        self._health = health.aio.HealthServicer()
        self._certificates: grpc.ServerCertificateConfiguration | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when a file cannot be read or the address is taken."""
        certificates = self._certificates = _certificates(self._tls)
        server = aio.server(
            options=_options(self._settings),
            maximum_concurrent_rpcs=self._settings.calls,
        )
        server.add_generic_rpc_handlers((self._exchange(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        credentials = grpc.dynamic_ssl_server_credentials(
            certificates, self._fetch, require_client_authentication=True
        )
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            self._port = server.add_secure_port(f"{host}:{self._port}", credentials)
        except RuntimeError as error:  # gRPC's word for an address that is taken
            raise OSError(f"cannot listen on {host}:{self._port}") from error
        self._core_log.start()
        await server.start()
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
        self._server = server

    def renew(self, tls: ServerTls) -> None:
        """Serve new connections with other certificates or authorities; open ones stay."""
        self._certificates = _certificates(tls)
        self._tls = tls

    async def stop(self) -> None:
        """Take nothing new, answer what was read, end streams, close. May be called twice."""
        self._stopping.set()
        if self._server is None:
            return
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._settings.drain)
        self._server = None
        self._core_log.close()

    def _fetch(self) -> grpc.ServerCertificateConfiguration:
        """Called by the core, in a thread of its own, as an incoming handshake begins."""
        self._handshakes.begun()
        assert self._certificates is not None  # set before the listener exists
        return self._certificates

    def _exchange(self) -> Reading:
        service, settings, telemetry = self._service, self._settings, self._telemetry
        problems = self._problems
        callers = Callers(
            identify=service.identify, handshakes=self._handshakes, limiter=self._limiter
        )
        reception = Reception(
            service=service, telemetry=telemetry, clock=self._clock, transport=Transport.GRPC
        )
        servicer = _Exchange(
            Submissions(
                reception=reception,
                callers=callers,
                problems=problems,
                settings=settings,
                stopping=self._stopping,
                admission=self._admission,
            ),
            Subscriptions(
                service=service,
                metrics=telemetry.metrics,
                callers=callers,
                problems=problems,
                settings=settings,
                stopping=self._stopping,
            ),
            Tracking(service=service, callers=callers, problems=problems, settings=settings),
        )
        return Reading(
            service=SERVICE,
            servicer=servicer,
            unread={"SubmitStream"},
            problems=problems,
            admission=self._admission,
        )


class _Exchange(ExchangeServicer):
    """The generated seam: each method goes to the part that knows it."""

    def __init__(
        self, submissions: Submissions, subscriptions: Subscriptions, tracking: Tracking
    ) -> None:
        self._submissions = submissions
        self._subscriptions = subscriptions
        self._tracking = tracking

    async def Submit(  # noqa: N802 - the name in the .proto
        self, request: wire.Submission, context: Context
    ) -> wire.SubmitReply:
        return await self._submissions.submit(request, context)

    async def SubmitStream(  # type: ignore[override]  # noqa: N802 - written to, not iterated
        self, request_iterator: AsyncIterator[bytes], context: Context
    ) -> None:
        await self._submissions.stream(context)

    async def Subscribe(  # type: ignore[override]  # noqa: N802 - written to, not iterated
        self, request_iterator: AsyncIterator[wire.SubscribeRequest], context: Context
    ) -> None:
        await self._subscriptions.subscribe(request_iterator, context)

    async def Track(  # noqa: N802 - the name in the .proto
        self, request: wire.TrackRequest, context: Context
    ) -> wire.TrackReply:
        return await self._tracking.track(request, context)

    async def Keys(  # noqa: N802 - the name in the .proto
        self, request: wire.KeysRequest, context: Context
    ) -> wire.KeysReply:
        return await self._tracking.keys(request, context)

    async def Ping(  # noqa: N802 - the name in the .proto
        self, request: wire.PingRequest, context: Context
    ) -> wire.PingReply:
        return await self._tracking.ping(request, context)

    async def Clearance(  # noqa: N802 - the name in the .proto
        self, request: wire.ClearanceRequest, context: Context
    ) -> wire.ClearanceReply:
        return await self._tracking.clearance(request, context)


def _certificates(tls: ServerTls) -> grpc.ServerCertificateConfiguration:
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    return grpc.ssl_server_certificate_configuration([pair], tls.authorities.encode("ascii"))


def _options(settings: GrpcSettings) -> Sequence[tuple[str, Any]]:
    return (
        ("grpc.max_receive_message_length", settings.message_bytes + _ENVELOPE_BYTES),
        ("grpc.max_send_message_length", settings.message_bytes + _ENVELOPE_BYTES),
        ("grpc.max_concurrent_streams", settings.streams),
        # The core's own protection counts calls whose memory it has not freed yet, and so refuses
        # callers that keep to the number above. `calls` bounds what is open in the process.
        ("grpc.http.overload_protection", 0),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.keepalive_time_ms", _ms(settings.keepalive)),
        ("grpc.keepalive_timeout_ms", _ms(settings.keepalive_timeout)),
        ("grpc.http2.min_ping_interval_without_data_ms", _ms(settings.keepalive / 3)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_connection_idle_ms", _ms(settings.connection_idle)),
        ("grpc.max_connection_age_ms", _ms(settings.connection_age)),
        ("grpc.max_connection_age_grace_ms", _ms(settings.connection_grace)),
        ("grpc.server_handshake_timeout_ms", _ms(settings.handshake_timeout)),
        ("grpc.so_reuseport", int(settings.reuse_port)),
    )


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
