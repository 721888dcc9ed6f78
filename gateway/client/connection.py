"""One HTTPS connection of a party: TLS with a pinned authority, one retry, bounded."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import aiohttp
import msgspec
from yarl import URL

from gateway.client.content import Progress, Source
from gateway.client.credentials import Credentials
from gateway.client.errors import CredentialsError
from gateway.client.requests import RequestSigner
from gateway.client.verdict import Retold, failure_of
from gateway.core.errors import Unavailable

JSON = "application/json"
_FAREWELL_SECONDS = 0.1


class HttpsLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, times seconds."""

    connect: float = 10.0
    answer: float = 330.0
    """How long nothing may come of an answer: longer than a gateway may judge."""
    answer_bytes: int = 64 * 1024 * 1024
    pause: float = 0.25
    """Before the one retry of a connection that was cut."""
    connections: int = 8
    page: int = 1_000
    """Outcomes that are asked for at once."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A result of the gateway. ``repeated``: the interchange had been accepted before."""

    body: bytes
    repeated: bool


class Connection:
    """Calls of one party to one gateway, between :meth:`open` and :meth:`close`."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        limits: HttpsLimits,
        signer: RequestSigner | None = None,
    ) -> None:
        """With a ``signer`` each request is signed. Raises ``CredentialsError`` for misfits."""
        self._signer = signer
        self._url = url.rstrip("/")
        self._context = _tls(credentials)
        self._shows = credentials.certificate is not None
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._parting = False

    def open(self) -> None:
        """Begin; connections are made when they are needed."""
        limits = self._limits
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._context, limit=limits.connections),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.connect, sock_read=limits.answer
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": JSON, "Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Let go of connections. May be called twice."""
        if self._session is None:
            return
        await self._session.close()
        self._session = None
        if self._parting:
            # Connections that the gateway ended say goodbye in the background (RFC 8446, 6.1);
            # nothing tells when they are done, and the event loop may end right after this.
            await asyncio.sleep(_FAREWELL_SECONDS)

    async def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        source: Source | None = None,
        progress: Progress | None = None,
    ) -> Reply:
        """One request, and a second one when the connection of the first was cut.

        Raises ``ProblemError`` or ``Unavailable`` for whatever is no result.
        """
        url = URL(self._url + path).update_query(query or {})

        async def once() -> Reply:
            return await self._once(
                method, url, headers=headers or {}, source=source, progress=progress
            )

        try:
            try:
                return await once()
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                self._parting = True
                if isinstance(error, TimeoutError | aiohttp.ClientSSLError):
                    raise
                await asyncio.sleep(self._limits.pause)
                return await once()
        except TimeoutError as error:
            raise Unavailable(f"no answer from {self._url}") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Unavailable(
                f"the certificate of {self._url} is not accepted: {_why(error)}"
            ) from error
        except (aiohttp.ClientError, ssl.SSLError, ConnectionError) as error:
            hint = "" if self._shows else " (we showed no client certificate)"
            raise Unavailable(f"no connection to {self._url}: {error}{hint}") from error

    async def _once(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        source: Source | None,
        progress: Progress | None,
    ) -> Reply:
        if self._session is None:
            raise RuntimeError("the connection is not open")
        if self._signer is not None:  # anew for the second try: a signature counts once
            headers = await self._signer.sign(method, url, headers, source)
        body = None if source is None else source.stream(progress)
        request = self._session.request(
            method, url, headers=headers, data=body, allow_redirects=False
        )
        async with request as response:
            self._parting |= response.headers.get("Connection", "").lower() == "close"
            content = bytearray()
            async for piece in response.content.iter_any():
                content += piece
                if len(content) > self._limits.answer_bytes:
                    response.close()
                    raise Unavailable("the answer is too large")
            told = Retold(
                status=response.status,
                media_type=response.content_type,
                retry_after=response.headers.get("Retry-After"),
                body=bytes(content),
            )
            repeated = response.headers.get("Luxor-Repeated") == "true"
        failure = failure_of(told)
        if failure is not None:
            raise failure
        return Reply(body=told.body, repeated=repeated)


def _tls(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks names and certificates
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The pinned authority is the end of the path, root or not (RFC 5280, 6.1).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=credentials.authority)
    except (OSError, ssl.SSLError) as error:
        raise CredentialsError(f"{credentials.authority}: {error.strerror or error}") from error
    if credentials.certificate is None or credentials.key is None:
        return context
    try:
        context.load_cert_chain(credentials.certificate, credentials.key)
    except (OSError, ssl.SSLError) as error:
        files = f"{credentials.certificate}, {credentials.key}"
        raise CredentialsError(f"{files}: {error.strerror or error}") from error
    return context


def _why(error: aiohttp.ClientConnectorCertificateError) -> str:
    cause = error.certificate_error
    return cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else str(cause)
