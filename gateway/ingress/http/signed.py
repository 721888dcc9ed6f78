"""HTTP message signatures at the listener: what was signed, by whom, and with which content."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from functools import partial

from aiohttp.web_request import BaseRequest

from gateway.core.envelope import Content
from gateway.core.errors import Refused
from gateway.ingress.http.body import read_body
from gateway.ingress.http.router import Call, Caller, certificate_of
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.spool import Intake
from gateway.pipeline.service import Service
from gateway.pipeline.signed import Signed
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.signatures.http.digest import check_content
from trust.signatures.http.signature_base import Message

_PIECE_BYTES = 256 * 1024
_AT_ONCE_BYTES = 64 * 1024
"""Content up to this size is hashed where it is; larger content in a thread."""
_WITH_CONTENT = frozenset({"POST"})


class Identification:
    """Who sends a request: by its certificate, by its signature, or both that must agree."""

    def __init__(
        self,
        service: Service,
        *,
        names: Collection[str],
        certificates: bool,
        foresee: Callable[[PartyId], None],
    ) -> None:
        """``names`` are the authorities of this listener: ``host`` or ``host:port``.

        Without ``certificates`` each request must be signed. ``foresee`` raises for a party that
        is at its limits, so that a request that is too much uses no nonce up.
        """
        self._service = service
        self._foresee = foresee
        self._certificates = certificates
        self.names = names

    async def __call__(self, request: BaseRequest) -> Caller:
        """Raise ``Refused`` unless it is a party that may come this way."""
        if not self._certificates:
            signed = await self._proved(request, None)
            return Caller(identity=signed.identity, signed=signed, still=_nothing_more)
        certificate = certificate_of(request)
        identity = await self._service.identify(certificate)
        proved = None
        if "Signature" in request.headers or "Signature-Input" in request.headers:
            proved = await self._proved(request, identity)
        still = partial(self._still, certificate, identity)
        return Caller(identity=identity, signed=proved, still=still)

    async def _still(self, certificate: bytes, before: Identity) -> None:
        now = await self._service.identify(certificate)
        if now.party != before.party:
            raise Refused("party.ambiguous", "its certificate was given to another party")

    async def _proved(self, request: BaseRequest, beside: Identity | None) -> Signed:
        content = request.method in _WITH_CONTENT
        if not content and request.can_read_body:  # it would be covered by nothing
            raise Refused("request.invalid", f"a signed {request.method} has no content")
        return await self._service.identify_signed(
            message_of(request),
            content=content,
            names=self.names,
            beside=beside,
            foresee=self._foresee,
        )


async def _nothing_more() -> None:
    """A connection without a certificate shows nothing; the service judges who has signed."""


def message_of(request: BaseRequest) -> Message:
    """The request as it came, for its signature base."""
    fields = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t"))
        for name, value in request.raw_headers
    )
    hosts = [value for name, value in fields if name == "host"]
    return Message(
        method=request.method,
        authority=hosts[0] if len(hosts) == 1 else "",
        target=request.raw_path,
        fields=fields,
    )


async def content_of(call: Call, intake: Intake, settings: HttpSettings) -> Content:
    """The whole body, and that it is the one that was signed if the request was.

    Raises ``Refused`` as ``read_body`` does, or with ``signature.digest``, or as the caller was
    when it is judged again: a body may take minutes, and a suspension counts within seconds.
    """
    awaited = not call.request.content.is_eof()
    content = await read_body(call.request, intake, settings)
    if awaited:
        await call.still()
    if call.signed is None:
        return content
    digests = dict(call.signed.digests)
    known = digests.pop("sha-256", None)  # the content was hashed as it came
    if known is not None and known.hex() != content.digest:
        raise Refused("signature.digest")
    try:
        if content.size <= _AT_ONCE_BYTES:
            check_content(digests, lambda: _pieces(content))
        elif digests:
            await asyncio.to_thread(check_content, digests, lambda: _pieces(content))
    except TrustError as error:
        raise Refused(error.code, error.detail) from error
    return content


def _pieces(content: Content) -> Iterator[bytes]:
    return content.slices(_PIECE_BYTES)
