"""Delivery over gRPC: one channel with one long stream for each destination.

A message above ``stream_bytes`` goes by a call of its own, so that a receiver's bound on messages
refuses that one alone and does not end the stream for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
import msgspec
from grpc import aio

from gateway.core.errors import Refused, Unavailable, problem_kinds
from gateway.core.records import Outgoing
from gateway.egress.correspondent import Correspondent
from gateway.egress.replies import judge_error, judge_reply
from gateway.egress.stream import SubmissionStream
from gateway.egress.tls import ClientTls
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeStub

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub

_ENVELOPE_BYTES = 64 * 1024


class GrpcDestinationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, times seconds."""

    timeout: float = 15.0
    """For one delivery, connecting included."""
    connect_timeout: float = 5.0
    window: int = 32
    """Unanswered messages of the stream."""
    stream_bytes: int = 1024 * 1024
    """Larger messages go by a call of their own."""
    message_bytes: int = 64 * 1024 * 1024
    answer_bytes: int = 4 * 1024 * 1024
    keepalive: float = 60.0
    keepalive_timeout: float = 20.0
    reconnect_first: float = 0.2
    reconnect_longest: float = 0.5
    """Below the longest pause of a breaker, which says how often a destination is tried: otherwise
    its probes would fail on the channel's own pause, long after the destination is back."""


class GrpcDestination:
    """One ``host:port``. Implements :class:`gateway.core.ports.Destination`."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the word of the port that this implements
        address: str,
        tls: Callable[[], ClientTls],
        correspondent: Correspondent,
        settings: GrpcDestinationSettings,
    ) -> None:
        """Nothing is read or connected before the first delivery.

        ``tls`` is asked at each; for another pair there is another channel, and the one before
        ends with its last delivery.
        """
        self.id = id
        self._address = address
        self._tls = tls
        self._correspondent = correspondent
        self._settings = settings
        self._kinds = problem_kinds()
        self._link: _Link | None = None
        self._closed = False

    async def deliver(self, outgoing: Outgoing) -> str | None:
        """Submit one message; the receiver's proved receipt."""
        if len(outgoing.content) > self._settings.message_bytes:
            raise Refused("body.oversize", f"at most {self._settings.message_bytes} bytes")
        submission = wire.Submission(
            interchange_id=outgoing.message_id,
            format=outgoing.format,
            content=outgoing.content,
            signature=await self._correspondent.sign(outgoing),
        )
        link = await self._open()
        link.deliveries += 1
        try:
            async with asyncio.timeout(self._settings.timeout):
                reply = await self._submit(link, submission)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {self._settings.timeout:g} s") from error
        finally:
            link.deliveries -= 1
            if link is not self._link and not link.deliveries:
                await link.close()
        declined = judge_reply(reply, self._kinds)
        if declined is not None:
            raise declined
        return self._correspondent.prove(reply.receipt, outgoing)

    async def close(self) -> None:
        """Let go of the channel. May be called twice; nothing is delivered afterwards."""
        self._closed = True
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def _submit(self, link: _Link, submission: wire.Submission) -> wire.SubmitReply:
        if len(submission.content) <= self._settings.stream_bytes:
            return await link.stream.submit(submission)
        try:
            reply: wire.SubmitReply = await link.stub.Submit(submission)
        except aio.AioRpcError as error:
            raise judge_error(error, self._kinds) from error
        return reply

    async def _open(self) -> _Link:
        if self._closed:
            raise Unavailable("the destination is closed")
        tls, before = self._tls(), self._link
        if before is not None and before.tls == tls:
            return before
        try:
            credentials = _credentials(tls)
        except OSError as error:
            raise Unavailable(f"our own certificate: {error.strerror}") from error
        channel = aio.secure_channel(self._address, credentials, _options(self._settings))
        link = self._link = _Link(tls, channel, window=self._settings.window)
        if before is not None and not before.deliveries:
            await before.close()
        return link


class _Link:
    """An open channel, its stub and its stream."""

    def __init__(self, tls: ClientTls, channel: aio.Channel, *, window: int) -> None:
        self.tls = tls
        self.channel = channel
        self.deliveries = 0
        self.stub: ExchangeAsyncStub = ExchangeStub(channel)
        self.stream = SubmissionStream(self.stub, window=window)

    async def close(self) -> None:
        """End the stream and the channel. May be called twice."""
        await self.stream.close()
        await self.channel.close()


def _credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    authority = None if tls.authority is None else tls.authority.read_bytes()
    return grpc.ssl_channel_credentials(
        authority, tls.own.key.read_bytes(), tls.own.certificate.read_bytes()
    )


def _options(settings: GrpcDestinationSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_send_message_length", settings.message_bytes + _ENVELOPE_BYTES),
        ("grpc.max_receive_message_length", settings.answer_bytes),
        ("grpc.keepalive_time_ms", int(settings.keepalive * 1000)),
        ("grpc.keepalive_timeout_ms", int(settings.keepalive_timeout * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.initial_reconnect_backoff_ms", int(settings.reconnect_first * 1000)),
        # Despite its name this bounds one attempt to connect.
        ("grpc.min_reconnect_backoff_ms", int(settings.connect_timeout * 1000)),
        ("grpc.max_reconnect_backoff_ms", int(settings.reconnect_longest * 1000)),
        ("grpc.use_local_subchannel_pool", 1),
    ]
