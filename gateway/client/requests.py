"""Signing each request of a party (RFC 9421), so that it needs no client certificate."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from yarl import URL

from gateway.client.content import Source
from gateway.client.credentials import Credentials
from gateway.client.errors import CredentialsError
from trust.identity import PartyId
from trust.keys import Signer
from trust.signatures.http.digest import write_content_digest
from trust.signatures.http.sign import sign_request
from trust.signatures.http.signature_base import Message

_NONCE_BYTES = 18  # 24 characters


class RequestSigner:
    """Signs requests with one key, each of them anew: a gateway takes a signature once."""

    def __init__(self, signer: Signer, *, party: PartyId, clock: Callable[[], datetime]) -> None:
        self._signer = signer
        self._party = party
        self._clock = clock

    async def sign(
        self, method: str, url: URL, headers: Mapping[str, str], source: Source | None
    ) -> dict[str, str]:
        """The headers with those of a signature over them, the URL and the content.

        Raises ``TrustError`` when the key cannot do it, ``OSError`` when the content cannot be
        read.
        """
        given = dict(headers)
        if source is not None:
            given["Content-Digest"] = write_content_digest(await source.sha256())
        message = Message(
            method=method,
            authority=url.host_port_subcomponent or "",
            target=url.raw_path_qs,
            fields=tuple((name.lower(), value) for name, value in given.items()),
        )

        def signed() -> dict[str, str]:
            return sign_request(
                message,
                signer=self._signer,
                party=self._party,
                nonce=secrets.token_urlsafe(_NONCE_BYTES),
                now=self._clock(),
            )

        waits = self._signer.waits
        return given | (await asyncio.to_thread(signed) if waits else signed())


def request_signer(credentials: Credentials, clock: Callable[[], datetime]) -> RequestSigner:
    """The signer of a party's requests; raises ``CredentialsError`` for what is missing."""
    party, signer = credentials.party(), credentials.signer()
    if signer is None:
        raise CredentialsError("to sign requests, a signing key is needed")
    if party is None:
        raise CredentialsError("to sign requests, the party has to be named")
    return RequestSigner(signer, party=party, clock=clock)
