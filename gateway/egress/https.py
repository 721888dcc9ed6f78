"""Delivery over HTTPS: one POST for each message, to another gateway or to a plain receiver."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec

from gateway.core.errors import Unavailable
from gateway.core.records import Outgoing
from gateway.egress.correspondent import Correspondent
from gateway.egress.tls import ClientTls, client_context
from gateway.egress.verdict import read_answer, verdict
from translators.translator import FormatId

TAKEN = frozenset({200, 201, 202, 204})


class HttpsDestinationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, times seconds."""

    timeout: float = 15.0
    """For one delivery, connecting included."""
    connect_timeout: float = 5.0
    connections: int = 32
    keep_alive: float = 60.0
    answer_bytes: int = 4 * 1024 * 1024
    longest_retry_after: float = 3_600.0


class _Reply(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    body: bytes
    retry_after: float | None


class HttpsDestination:
    """One URL. Implements :class:`gateway.core.ports.Destination`."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the word of the port that this implements
        url: str,
        tls: Callable[[], ClientTls],
        correspondent: Correspondent,
        receipt_required: bool,
        media_type: Callable[[FormatId], str],
        settings: HttpsDestinationSettings,
    ) -> None:
        """Without ``receipt_required`` a 2xx status is the acknowledgement (plain receivers).

        ``tls`` is asked at each delivery; another pair is shown on new connections.
        """
        self.id = id
        self._url = url
        self._tls = tls
        self._correspondent = correspondent
        self._receipt_required = receipt_required
        self._media_type = media_type
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._shown: tuple[ClientTls, ssl.SSLContext] | None = None
        self._closed = False

    async def deliver(self, outgoing: Outgoing) -> str | None:
        """Post one message; the receiver's proved receipt, or ``None`` from a plain receiver."""
        headers = {
            "Content-Type": self._media_type(outgoing.format),
            "Luxor-Interchange-Id": outgoing.message_id,
            "Luxor-Format": outgoing.format,
            "Luxor-Signature": await self._correspondent.sign(outgoing),
        }
        session, context = self._open(), self._context()
        try:
            try:
                reply = await self._post(session, context, outgoing, headers)
            except aiohttp.ClientConnectionError as error:
                # A receiver that restarts cuts connections as we begin to use them. The message
                # id makes a repeat harmless, so it is tried once on another connection.
                if isinstance(error, TimeoutError | aiohttp.ClientSSLError):
                    raise
                reply = await self._post(session, context, outgoing, headers)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {self._settings.timeout:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            # The type says enough; the text may hold addresses of the receiver's inside.
            raise Unavailable(f"connection: {type(error).__name__}") from error
        return self._conclude(reply, outgoing)

    async def _post(
        self,
        session: aiohttp.ClientSession,
        context: ssl.SSLContext,
        outgoing: Outgoing,
        headers: dict[str, str],
    ) -> _Reply:
        async with session.post(
            self._url, data=outgoing.content, headers=headers, allow_redirects=False, ssl=context
        ) as answer:
            return _Reply(
                status=answer.status,
                body=await self._read(answer),
                retry_after=self._retry_after(answer.headers.get("Retry-After")),
            )

    async def close(self) -> None:
        """Let go of connections. May be called twice; nothing is delivered afterwards."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise Unavailable("the destination is closed")
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=settings.connections, keepalive_timeout=settings.keep_alive
                ),
                timeout=aiohttp.ClientTimeout(
                    total=settings.timeout, sock_connect=settings.connect_timeout
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                auto_decompress=False,  # an answer may not grow in memory
            )
        return self._session

    def _context(self) -> ssl.SSLContext:
        """What is shown now. A connection is used again by who would show the same on it."""
        tls = self._tls()
        if self._shown is None or self._shown[0] != tls:
            try:
                self._shown = tls, client_context(tls)
            except (OSError, ssl.SSLError) as error:
                raise Unavailable(f"our own certificate: {error.strerror}") from error
        return self._shown[1]

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > self._settings.answer_bytes:
                answer.close()
                raise Unavailable("the answer is too large")
        return bytes(body)

    def _conclude(self, reply: _Reply, outgoing: Outgoing) -> str | None:
        answer = read_answer(reply.body)
        if reply.status not in TAKEN:
            raise verdict(reply.status, answer, retry_after=reply.retry_after)
        if not self._receipt_required:
            return None
        return self._correspondent.prove(answer.receipt, outgoing)

    def _retry_after(self, text: str | None) -> float | None:
        """RFC 9110, 10.2.3: seconds, or a date; anything else is not there."""
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            seconds = float(text[:9])
        else:
            try:
                seconds = (_aware(parsedate_to_datetime(text)) - self._now()).total_seconds()
            except (ValueError, OverflowError):  # the latter for numbers that no date has
                return None
        return min(max(seconds, 0.0), self._settings.longest_retry_after)

    def _now(self) -> datetime:
        return self._correspondent.clock()


def _aware(date: datetime) -> datetime:
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
