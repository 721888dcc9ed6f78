"""Fetching evidence of revocation: lists by GET, answers by POST; bounded, and nothing more.

Whether what came may be used is for ``trust`` to say. Addresses come from the registry alone,
never from a certificate, and a redirect is an error: whoever answers at a registered address could
otherwise send a gateway anywhere in its own network.
"""

from __future__ import annotations

import aiohttp
import msgspec

from trust.lists import MAX_CRL_BYTES
from trust.ocsp import MAX_ANSWER_BYTES

CONNECTIONS = 8


class FetchFailed(Exception):
    """Nothing came; the text is one of this project's own."""


class Listed(msgspec.Struct, frozen=True):
    """A list as it came, and what the server calls this state of it."""

    content: bytes
    tag: str = ""


class EvidenceClient:
    """One session to all responders. Safe for concurrent use; close it once."""

    def __init__(self, *, answer_seconds: float, list_seconds: float) -> None:
        """Nothing is opened before the first request."""
        self._answer_seconds = answer_seconds
        self._list_seconds = list_seconds
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, url: str, question: bytes) -> bytes:
        """What a responder answers to a request (RFC 6960, A.1); raises ``FetchFailed``."""
        found = await self._fetch(
            "POST",
            url,
            seconds=self._answer_seconds,
            limit=MAX_ANSWER_BYTES,
            body=question,
            headers={
                "Content-Type": "application/ocsp-request",
                "Accept": "application/ocsp-response",
            },
        )
        if found is None:
            raise FetchFailed("the responder does not answer the question")
        return found.content

    async def fetch(self, url: str, *, tag: str = "") -> Listed | None:
        """The list at an address; ``None`` while it is what ``tag`` names.

        Raises ``FetchFailed``.
        """
        return await self._fetch(
            "GET",
            url,
            seconds=self._list_seconds,
            limit=MAX_CRL_BYTES,
            headers={"If-None-Match": tag} if tag else {},
        )

    async def close(self) -> None:
        """Close what is open. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _fetch(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        limit: int,
        headers: dict[str, str],
        body: bytes | None = None,
    ) -> Listed | None:
        try:
            async with self._open().request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as answer:
                if answer.status == 304 and "If-None-Match" in headers:
                    return None
                if answer.status != 200:
                    raise FetchFailed(f"status {answer.status}")
                content = bytearray()
                async for chunk in answer.content.iter_any():
                    content += chunk
                    if len(content) > limit:
                        raise FetchFailed(f"more than {limit} bytes")
                return Listed(bytes(content), answer.headers.get("ETag", ""))
        except TimeoutError as error:
            raise FetchFailed(f"nothing within {seconds:g} seconds") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed(type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session
