"""A party's side of the gRPC interface: the ``Exchange`` service over mutual TLS."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc
import msgspec
from grpc import aio

from gateway.client import replies
from gateway.client.answers import Answer, Track
from gateway.client.content import Progress, Source
from gateway.client.conversation import Conversation, Pace, Reply, Submission
from gateway.client.credentials import Credentials, Peer
from gateway.client.errors import CredentialsError
from gateway.client.proof import Prover
from gateway.client.subscription import Subscription
from gateway.core.errors import Unavailable
from gateway.core.published import PublishedKeys
from gateway.core.records import Leg, Outcome
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeStub
from trust.errors import TrustError
from trust.keys import Signer
from trust.signatures.jws import sign_detached

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub


class GrpcLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, times seconds."""

    answer: float = 330.0
    """How long one answer may take: longer than a gateway may judge."""
    pause: float = 0.25
    """Before the one retry of a call that broke."""
    message_bytes: int = 64 * 1024 * 1024
    window: int = 64
    """Unanswered submissions of a stream."""
    page: int = 1_000
    """Outcomes that are asked for at once."""


class GrpcPartyClient:
    """One party at one gateway; use it as an asynchronous context manager.

    Every method raises :class:`ProblemError` for what will never be taken, ``Unavailable`` for
    what may work later, and ``TrustError`` when what came back is not proved to be the gateway's.
    All of them may be repeated.
    """

    def __init__(
        self,
        target: str,
        credentials: Credentials,
        *,
        gateway: Peer | None = None,
        limits: GrpcLimits | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``target`` is ``host:port``, also with ``grpc://`` before it.

        Without ``gateway`` nothing is proved. Raises ``CredentialsError``.
        """
        self._target = target.removeprefix("grpc://").rstrip("/")
        self._tls = _tls(credentials)
        self._limits = limits or GrpcLimits()
        self._prover = Prover(gateway=gateway, party=credentials.party())
        self._gateway = gateway
        self._clock = clock
        self._channel: aio.Channel | None = None

    async def __aenter__(self) -> Self:
        size = self._limits.message_bytes
        self._channel = aio.secure_channel(
            self._target,
            self._tls,
            options=[
                ("grpc.max_receive_message_length", size),
                ("grpc.max_send_message_length", size),
                ("grpc.keepalive_time_ms", 60_000),
            ],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def submit(
        self,
        content: bytes | Path,
        *,
        interchange_id: str,
        format: str,  # noqa: A002 - the word that the whole project uses
        progress: Progress | None = None,
        signer: Signer | None = None,
        audience: str | None = None,
        on_behalf_of: str | None = None,
    ) -> Answer:
        """Send one interchange; its outcome is on the gateway's disk on return.

        It goes in one piece: ``progress`` is told once, when it was answered. Otherwise as
        :meth:`gateway.client.https.PartyClient.submit`.
        """
        source = Source(content)
        submission = Submission(
            interchange_id=interchange_id,
            format=format,
            content=source.whole(),
            on_behalf_of=on_behalf_of,
        )
        conversation = self.submit_many([submission], signer=signer, audience=audience)
        async with aclosing(conversation) as stream:
            async for reply in stream:
                answer = reply.result()
                if progress is not None:
                    progress(source.size)
                return answer
        raise Unavailable("there is no answer")

    async def submit_many(
        self,
        submissions: Iterable[Submission],
        *,
        signer: Signer | None = None,
        audience: str | None = None,
    ) -> AsyncGenerator[Reply, None]:
        """Send interchanges over one stream, ``limits.window`` of them unanswered at most.

        Yields one reply for each, in any order. When the stream breaks, what has no reply is sent
        again over a second one; if that breaks too, ``Unavailable`` is raised.
        """
        receiver = None if signer is None else self._audience(audience)

        def written(submission: Submission) -> wire.Submission:
            return self._written(submission, signer=signer, audience=receiver)

        limits = self._limits
        conversation = Conversation(
            submissions,
            open_stream=self._stub().SubmitStream,
            written=written,
            judged=self._judged,
            pace=Pace(window=limits.window, answer=limits.answer, pause=limits.pause),
        )
        async with aclosing(conversation.replies()) as stream:
            async for reply in stream:
                yield reply

    @asynccontextmanager
    async def subscribe(self, *, max_in_flight: int = 0) -> AsyncIterator[Subscription]:
        """Deliveries for the party while the context lasts, at most so many unacknowledged."""
        subscription = Subscription(
            self._stub().Subscribe(), prover=self._prover, clock=self._clock
        )
        try:
            await subscription.begin(max_in_flight)
            yield subscription
        finally:
            await subscription.close()

    async def track(self, *, interchange_id: str = "", key: str = "") -> Track:
        """What became of one interchange, or of all about a key; all pages. Name one of them."""
        if bool(interchange_id) == bool(key):
            raise ValueError("name an interchange or a key")
        outcomes: list[Outcome] = []
        answer: Answer | None = None
        legs: tuple[Leg, ...] = ()
        token = ""
        while True:
            request = wire.TrackRequest(page_size=self._limits.page, page_token=token)
            if interchange_id:
                request.interchange_id = interchange_id
            else:
                request.key = key
            reply = await self._track(request)
            outcomes.extend(replies.outcomes(reply.outcomes))
            if not token:
                legs = replies.legs(reply.legs)
                answer = self._answer(reply, interchange_id) if reply.receipt else None
            token = reply.next_page_token
            if not token:
                return Track(
                    answer=answer,
                    outcomes=tuple(outcomes),
                    legs=legs,
                    events=replies.events(reply.events),
                )

    async def outcomes(self, interchange_id: str) -> tuple[Outcome, ...]:
        """What became of every message of an interchange."""
        return (await self.track(interchange_id=interchange_id)).outcomes

    async def receipt(self, interchange_id: str) -> str:
        """The receipt of an interchange again, the same byte for byte."""
        request = wire.TrackRequest(interchange_id=interchange_id, page_size=1)
        return self._answer(await self._track(request), interchange_id).receipt

    async def keys(self) -> PublishedKeys:
        """The keys with which the gateway signs, the one of now first; not proved by this."""
        try:
            reply: wire.KeysReply = await self._stub().Keys(
                wire.KeysRequest(), timeout=self._limits.answer
            )
        except aio.AioRpcError as error:
            raise replies.call_failure(error) from error
        return replies.published(reply)

    async def outcome_document(self, interchange_id: str) -> bytes:
        """The list of outcomes as the bytes whose digest stands in the receipt.

        What came is written as the gateway writes it; raises ``receipt.invalid`` when that is not
        the receipt's list, as with a gateway of another version.
        """
        found = await self.track(interchange_id=interchange_id)
        document = msgspec.json.encode(found.outcomes)
        if found.answer is not None:
            self._prover.outcomes(found.answer.claims, document)
        return document

    async def _track(self, request: wire.TrackRequest) -> wire.TrackReply:
        try:
            reply: wire.TrackReply = await self._stub().Track(request, timeout=self._limits.answer)
        except aio.AioRpcError as error:
            raise replies.call_failure(error) from error
        return reply

    def _stub(self) -> ExchangeAsyncStub:
        if self._channel is None:
            raise RuntimeError("the client is used outside of its context")
        return ExchangeStub(self._channel)

    def _audience(self, audience: str | None) -> str:
        if audience is not None:
            return audience
        if self._gateway is None:
            raise CredentialsError("a signature needs to say for which gateway it is")
        return self._gateway.id

    def _written(
        self, submission: Submission, *, signer: Signer | None, audience: str | None
    ) -> wire.Submission:
        signature = ""
        if signer is not None and audience is not None:
            signature = sign_detached(
                submission.content,
                signer=signer,
                interchange_id=submission.interchange_id,
                format=submission.format,
                audience=audience,
                now=self._clock(),
                on_behalf_of=submission.on_behalf_of,
            )
        return wire.Submission(
            interchange_id=submission.interchange_id,
            format=submission.format,
            content=submission.content,
            signature=signature,
            on_behalf_of=submission.on_behalf_of or "",
        )

    def _judged(self, submission: Submission, reply: wire.SubmitReply) -> Reply:
        named = submission.interchange_id
        if reply.HasField("problem"):
            return Reply(interchange_id=named, failure=replies.problem_failure(reply.problem))
        try:
            digest = hashlib.sha256(submission.content).hexdigest()
            answer = self._answer(reply, named, digest=digest)
        except TrustError as error:
            return Reply(interchange_id=named, failure=error)
        return Reply(interchange_id=named, answer=answer)

    def _answer(
        self,
        reply: wire.SubmitReply | wire.TrackReply,
        interchange_id: str,
        *,
        digest: str | None = None,
    ) -> Answer:
        return Answer(
            claims=self._prover.receipt(
                reply.receipt, interchange_id=interchange_id, digest=digest
            ),
            receipt=reply.receipt,
            proved=self._prover.proves,
            outcomes=replies.outcomes(reply.outcomes),
            more=bool(reply.next_page_token),
        )


def _tls(credentials: Credentials) -> grpc.ChannelCredentials:
    try:
        return grpc.ssl_channel_credentials(
            root_certificates=credentials.authority.read_bytes(),
            private_key=_needed(credentials.key),
            certificate_chain=_needed(credentials.certificate),
        )
    except OSError as error:
        raise CredentialsError(f"{error.filename}: {error.strerror}") from error


def _needed(file: Path | None) -> bytes:
    if file is None:
        raise CredentialsError("over gRPC a certificate and its key are needed")
    return file.read_bytes()
