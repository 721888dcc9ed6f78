"""A party's side of the HTTPS interface: mutual TLS, a pinned authority, proved receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import msgspec

from gateway.client.answers import (
    Answer,
    InboxMessage,
    InboxPage,
    InterchangeStatus,
    ReportedMessage,
    Trace,
)
from gateway.client.connection import JSON, Connection, HttpsLimits, Reply
from gateway.client.content import Progress, Source
from gateway.client.credentials import Credentials, Peer
from gateway.client.errors import CredentialsError
from gateway.client.proof import Prover
from gateway.client.requests import request_signer
from gateway.core.clearance import Clearance, ClearanceAnswers
from gateway.core.errors import Unavailable
from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.published import PublishedKeys
from gateway.core.quality import QualityReport
from gateway.core.records import Leg, Outcome
from trust.keys import Signer

T = TypeVar("T")
_outcomes = msgspec.json.Decoder(tuple[Outcome, ...])
_split = msgspec.json.Decoder(list[msgspec.Raw])


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What of an answer is not in its receipt."""

    interchange_id: InterchangeId
    receipt: str
    outcomes: msgspec.Raw
    next: int | None = None


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    answer: _Answer
    legs: tuple[Leg, ...] = ()


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    outcomes: msgspec.Raw
    next: int | None = None


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    messages: tuple[ReportedMessage, ...]
    next: int | None = None


class _Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    acknowledged: int


class PartyClient:
    """One party at one gateway; use it as an asynchronous context manager.

    Every method raises :class:`ProblemError` for what will never be taken, ``Unavailable`` for
    what may work later, and ``TrustError`` when what came back is not proved to be the gateway's.
    All of them may be repeated. A connection that was cut is tried once more.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        gateway: Peer | None = None,
        limits: HttpsLimits | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sign_requests: bool = False,
    ) -> None:
        """Without ``gateway`` nothing is proved. Raises ``CredentialsError``.

        ``sign_requests``: each request is signed with the signing key of ``credentials``, for
        listeners that ask for no certificate (docs/http-signatures.md).
        """
        self._limits = limits or HttpsLimits()
        requests = request_signer(credentials, clock) if sign_requests else None
        self._connection = Connection(url, credentials, self._limits, requests)
        self._prover = Prover(gateway=gateway, party=credentials.party())
        self._gateway = gateway
        self._clock = clock

    async def __aenter__(self) -> Self:
        self._connection.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.close()

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

        Signed when there is a ``signer``, for ``audience`` or else the gateway. ``on_behalf_of``
        is in whose name it is sent, when that is not the sender's own. Repeating it with
        the same bytes gives the same receipt. Raises ``OSError`` for a file that cannot be read.
        """
        source = Source(content)
        headers = {
            "Luxor-Interchange-Id": interchange_id,
            "Luxor-Format": format,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(source.size),
        }
        if on_behalf_of is not None:
            headers["Luxor-On-Behalf-Of"] = on_behalf_of
        if signer is not None:
            headers["Luxor-Signature"] = await source.sign(
                signer,
                interchange_id=interchange_id,
                format_id=format,
                audience=self._audience(audience),
                now=self._clock(),
                on_behalf_of=on_behalf_of,
            )
        reply = await self._connection.call(
            "POST", "/v1/interchanges", headers=headers, source=source, progress=progress
        )
        answer = _read(reply, _Answer)
        return self._answer(
            answer, interchange_id=interchange_id, digest=source.digest, repeated=reply.repeated
        )

    async def status(self, interchange_id: str) -> InterchangeStatus:
        """The answer again, and where each message stands with each destination."""
        path = f"/v1/interchanges/{quote(interchange_id, safe='')}"
        status = _read(await self._connection.call("GET", path), _Status)
        answer = self._answer(
            status.answer, interchange_id=interchange_id, digest=None, repeated=True
        )
        return InterchangeStatus(answer=answer, legs=status.legs)

    async def outcomes(self, interchange_id: str) -> tuple[Outcome, ...]:
        """What became of every message, all pages, proved by the receipt's digest."""
        return _understood(await self.outcome_document(interchange_id), _outcomes)

    async def outcome_document(self, interchange_id: str) -> bytes:
        """The list of outcomes as the bytes whose digest stands in the receipt."""
        path = f"/v1/interchanges/{quote(interchange_id, safe='')}"
        first = _read(await self._connection.call("GET", path), _Status).answer
        claims = self._prover.receipt(first.receipt, interchange_id=interchange_id, digest=None)
        pieces, offset = _split.decode(first.outcomes), first.next
        while offset is not None:
            query = {"offset": str(offset), "limit": str(self._limits.page)}
            page = _read(await self._connection.call("GET", f"{path}/outcomes", query=query), _Page)
            pieces += _split.decode(page.outcomes)
            offset = page.next
        document = b"[" + b",".join(bytes(piece) for piece in pieces) + b"]"
        if self._prover.proves:
            self._prover.outcomes(claims, document)
        return document

    async def receipt(self, interchange_id: str) -> str:
        """The receipt of an interchange again, the same byte for byte."""
        return (await self.status(interchange_id)).answer.receipt

    async def keys(self) -> PublishedKeys:
        """The keys with which the gateway signs, the one of now first; not proved by this."""
        return _read(await self._connection.call("GET", "/v1/keys"), PublishedKeys)

    async def report(self, interchange_id: str) -> tuple[ReportedMessage, ...]:
        """What the gateway did not simply carry of an interchange, message by message, all pages.

        Messages that were carried whole are left out.
        """
        path = f"/v1/interchanges/{quote(interchange_id, safe='')}/report"
        page = _read(await self._connection.call("GET", path), _Report)
        messages = list(page.messages)
        while page.next is not None:
            query = {"offset": str(page.next), "limit": str(self._limits.page)}
            page = _read(await self._connection.call("GET", path, query=query), _Report)
            messages += page.messages
        return tuple(messages)

    async def quality(
        self, *, since: date | None = None, until: date | None = None, daily: bool = False
    ) -> QualityReport:
        """What was judged and found in the party's own messages; without days the last 30."""
        query = {"daily": "true" if daily else "false"}
        query |= {
            name: day.isoformat()
            for name, day in (("since", since), ("until", until))
            if day is not None
        }
        return _read(await self._connection.call("GET", "/v1/quality", query=query), QualityReport)

    async def clearance(self, items: Sequence[str]) -> tuple[Clearance, ...]:
        """Whether items may go: one answer for each, in order, as far as the party may know it."""
        reply = await self._connection.call(
            "POST",
            "/v1/items/clearance",
            headers={"Content-Type": JSON},
            source=Source(msgspec.json.encode({"items": tuple(items)})),
        )
        return _read(reply, ClearanceAnswers).answers

    async def inbox(
        self,
        *,
        limit: int = 100,
        wait: int = 0,
        format: str | None = None,  # noqa: A002 - the word that the whole project uses
    ) -> InboxPage:
        """What waits for the party; the same page again until it is acknowledged.

        ``wait`` is in seconds, for when nothing is there. Raises ``TrustError`` when a message is
        not proved to be from the gateway for this party.
        """
        query = {"limit": str(limit), "wait": str(wait)}
        if format is not None:
            query["format"] = format
        page = _read(await self._connection.call("GET", "/v1/inbox", query=query), InboxPage)
        for message in page.messages:
            self._prove(message)
        return page

    async def acknowledge(self, cursor: str, message_ids: Sequence[MessageId] | None = None) -> int:
        """Settle a page, or only the messages named; how many were settled now."""
        content: dict[str, Any] = {"cursor": cursor}
        if message_ids is not None:
            content["message_ids"] = list(message_ids)
        reply = await self._connection.call(
            "POST",
            "/v1/inbox/acknowledgements",
            headers={"Content-Type": JSON},
            source=Source(msgspec.json.encode(content)),
        )
        return _read(reply, _Acknowledged).acknowledged

    async def trace(self, value: str) -> Trace:
        """The history of an item, order, indicator or reference as far as it is one's own."""
        return _read(
            await self._connection.call("GET", f"/v1/trace/{quote(value, safe='')}"), Trace
        )

    def _audience(self, audience: str | None) -> str:
        if audience is not None:
            return audience
        if self._gateway is None:
            raise CredentialsError("a signature needs to say for which gateway it is")
        return self._gateway.id

    def _prove(self, message: InboxMessage) -> None:
        self._prover.delivery(
            message.signature,
            message.content,
            message_id=message.message_id,
            format_id=message.format,
            now=self._clock(),
        )

    def _answer(
        self, given: _Answer, *, interchange_id: str, digest: str | None, repeated: bool
    ) -> Answer:
        claims = self._prover.receipt(given.receipt, interchange_id=interchange_id, digest=digest)
        if given.next is None and self._prover.proves:
            self._prover.outcomes(claims, bytes(given.outcomes))
        return Answer(
            claims=claims,
            receipt=given.receipt,
            proved=self._prover.proves,
            outcomes=_understood(given.outcomes, _outcomes),
            more=given.next is not None,
            repeated=repeated,
        )


def _read(reply: Reply, type_: type[T]) -> T:
    return _understood(reply.body, msgspec.json.Decoder(type_))


def _understood(document: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(document)
    except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
        raise Unavailable(f"the answer is not understood: {error}", reached=True) from error
