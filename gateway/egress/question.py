"""The ping of another gateway: whether it knows us, by which key, and how far it is away."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import grpc
import msgspec
from grpc import aio

from gateway.core.errors import Refused, Unavailable, problem_kinds
from gateway.core.identifiers import MessageId
from gateway.core.records import Outgoing
from gateway.egress.correspondent import Correspondent
from gateway.egress.registry import Target
from gateway.egress.replies import judge_error
from gateway.egress.steps import Failed, Probe
from gateway.egress.tls import ClientTls, client_context
from gateway.egress.verdict import read_answer, verdict
from gateway.pipeline.echo import Echo
from gateway.pipeline.ping import PING_FORMAT, Ping, Pong
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeStub
from trust.errors import TrustError
from trust.signatures.jws import verify_detached

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub

CLOCK = timedelta(seconds=60)
"""Clocks that are further apart are told as a failure; signatures count for 300 s either way."""
MOST_BYTES = 64 * 1024
FAREWELL_S = 0.1
"""Connections say goodbye in the background (RFC 8446, 6.1); nothing tells when that is done."""
SUBMIT, PING = "/v1/interchanges", "/v1/ping"

Ask = Callable[[bytes, str], Awaitable[Echo]]
"""Sends a question with our signature and gives the answer with theirs.

Raises ``Refused`` and ``Unavailable``, and ``NotKnown``.
"""


class NotKnown(Exception):
    """The receiver does not know the question: an earlier version, or no gateway."""


class _Answered(msgspec.Struct, frozen=True):
    pong: Pong
    echo: Echo
    nonce: str
    ms: float
    ahead: timedelta


async def ask(
    probe: Probe, target: Target, tls: ClientTls, correspondent: Correspondent, *, seconds: float
) -> None:
    """Ask a gateway who we are to it; what came back are further steps of the probe."""
    opened = _grpc if target.transport == "grpc" else _https
    answers: list[_Answered] = []
    async with opened(target, tls, seconds) as send:
        with probe.step("answer") as told:
            try:
                first = await _answered(send, correspondent)
            except NotKnown:
                told.append("it does not know this question; nothing more can be tested")
                return
            told.append(f"{first.pong.gateway} knows us as {_known(first.pong)}")
            answers.append(first)
        for answer in answers:
            _judge(probe, answer, correspondent)
            with probe.step("round trip") as told:
                again = await _answered(send, correspondent)
                told.append(f"{again.ms:.1f} ms on the open connection")


def _judge(probe: Probe, answer: _Answered, correspondent: Correspondent) -> None:
    pong = answer.pong
    with probe.step("identity") as told:
        if pong.gateway != correspondent.receiver or pong.party != correspondent.sender:
            raise Failed(
                f"{pong.gateway} speaks to {pong.party},"
                f" not {correspondent.receiver} to {correspondent.sender}"
            )
        told.append(_rights(pong))
    with probe.step("own signature") as told:
        if pong.signed_by is None:
            raise Failed("it has not looked at our signature")
        told.append(f"proved there with the key {pong.signed_by}")
    with probe.step("signature") as told:
        try:
            kid = verify_detached(
                answer.echo.signature,
                answer.echo.content,
                keys=correspondent.keys(),
                interchange_id=answer.nonce,
                format=PING_FORMAT,
                audience=correspondent.sender,
                now=correspondent.clock(),
            )
        except TrustError as error:
            raise Failed(f"{error.code}: {error.detail}") from error
        told.append(f"proved here with the key {kid} of {correspondent.receiver}")
    with probe.step("clock") as told:
        seconds = answer.ahead.total_seconds()
        if abs(answer.ahead) > CLOCK:
            raise Failed(f"its clock is {seconds:+.1f} s from ours")
        told.append(f"{seconds:+.3f} s from ours")


async def _answered(send: Ask, correspondent: Correspondent) -> _Answered:
    nonce = secrets.token_urlsafe(24)
    question = msgspec.json.encode(Ping(nonce))
    outgoing = Outgoing(
        message_id=MessageId(nonce), kind="Ping", format=PING_FORMAT, content=question
    )
    try:
        signature = await correspondent.sign(outgoing)
        began, asked_at = time.perf_counter(), correspondent.clock()
        echo = await send(question, signature)
        took, answered_at = time.perf_counter() - began, correspondent.clock()
        pong = msgspec.json.decode(echo.content, type=Pong)
    except Refused as refused:
        raise Failed(str(refused)) from refused
    except Unavailable as unavailable:
        raise Failed(unavailable.reason) from unavailable
    except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
        raise Failed("what came back is no answer to a ping") from error
    if pong.nonce != nonce:
        raise Failed("what came back answers another ping")
    middle = asked_at + (answered_at - asked_at) / 2
    return _Answered(pong, echo, nonce, took * 1_000, pong.at - middle)


def _known(pong: Pong) -> str:
    return f"{pong.party} ({', '.join(pong.roles) or 'without a role'})"


def _rights(pong: Pong) -> str:
    """What we may send there, a grant after the other."""
    grants = [
        f"{' '.join(right.kinds)} as {' '.join(right.formats)} for {' '.join(right.countries)}"
        for right in pong.rights
        if right.direction == "send"
    ]
    return "may send " + ("; ".join(grants) if grants else "nothing")


@asynccontextmanager
async def _https(target: Target, tls: ClientTls, seconds: float) -> AsyncIterator[Ask]:
    url = ping_url(target.address)
    context = client_context(tls)
    timeout = aiohttp.ClientTimeout(total=seconds)

    async def send(question: bytes, signature: str) -> Echo:
        headers = {"Content-Type": "application/json", "Luxor-Signature": signature}
        try:
            async with session.post(
                url, data=question, headers=headers, allow_redirects=False, ssl=context
            ) as answer:
                body = await answer.content.read(MOST_BYTES)
                if answer.status == 200:
                    return Echo(content=body, signature=answer.headers.get("Luxor-Signature", ""))
                if answer.status in (404, 405, 501):
                    raise NotKnown
                raise verdict(answer.status, read_answer(body), retry_after=None)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {seconds:g} s") from error
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise Unavailable(str(error) or type(error).__name__) from error

    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        yield send
    await asyncio.sleep(FAREWELL_S)


@asynccontextmanager
async def _grpc(target: Target, tls: ClientTls, seconds: float) -> AsyncIterator[Ask]:
    kinds = problem_kinds()
    authority = None if tls.authority is None else tls.authority.read_bytes()
    credentials = grpc.ssl_channel_credentials(
        authority, tls.own.key.read_bytes(), tls.own.certificate.read_bytes()
    )

    async def send(question: bytes, signature: str) -> Echo:
        try:
            reply = await stub.Ping(
                wire.PingRequest(content=question, signature=signature), timeout=seconds
            )
        except aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise NotKnown from error
            raise judge_error(error, kinds) from error
        return Echo(content=reply.content, signature=reply.signature)

    async with aio.secure_channel(target.address, credentials) as channel:
        stub: ExchangeAsyncStub = ExchangeStub(channel)
        yield send


def ping_url(address: str) -> str:
    """Where a gateway answers pings that takes interchanges at ``address``."""
    if address.endswith(SUBMIT):
        return address.removesuffix(SUBMIT) + PING
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}{PING}"
