"""A gRPC listener with small bounds, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio

from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.tls import ServerTls
from tests.fakes import FakeService, Seen, clock
from tests.pki import Pki
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeStub

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub


@pytest.fixture
def settings() -> GrpcSettings:
    return GrpcSettings(
        message_bytes=100_000, window=4, stream_bytes=50_000, in_flight=8, drain=2.0
    )


@pytest.fixture
def listener(pki: Pki, service: FakeService, seen: Seen, settings: GrpcSettings) -> GrpcIngress:
    """A listener that was not started yet."""
    certificate, key = pki.issue("gateway")
    return GrpcIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=settings,
    )


@asynccontextmanager
async def serving(listener: GrpcIngress) -> AsyncIterator[GrpcIngress]:
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


@pytest.fixture
async def ingress(listener: GrpcIngress) -> AsyncIterator[GrpcIngress]:
    async with serving(listener):
        yield listener


def channel(ingress: GrpcIngress, pki: Pki, files: tuple[Path, Path] | None) -> aio.Channel:
    """A connection of its own, with a certificate or without."""
    pair = (None, None) if files is None else (files[1].read_bytes(), files[0].read_bytes())
    credentials = grpc.ssl_channel_credentials(pki.authority.encode(), *pair)
    return aio.secure_channel(
        f"127.0.0.1:{ingress.port}", credentials, options=[("grpc.use_local_subchannel_pool", 1)]
    )


def exchange(connection: aio.Channel) -> ExchangeAsyncStub:
    """The service at the other end; the type of asynchronous calls exists for the checker only."""
    return ExchangeStub(connection)


def submission(
    identifier: str = "i-1", content: bytes = b"good", format_id: str = "luxor.json.1"
) -> wire.Submission:
    return wire.Submission(interchange_id=identifier, format=format_id, content=content)


@pytest.fixture
async def stub(ingress: GrpcIngress, pki: Pki) -> AsyncIterator[ExchangeAsyncStub]:
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        yield exchange(connection)
