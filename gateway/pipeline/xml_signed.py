"""Signatures inside XML content: proved before anything is read, and what they cover read alone.

A signature in XML says nothing of the interchange that brings it, of the receiver or, without
XAdES, of the time. So it is tied to the first interchange that it came with: under another id it
is refused, for as long as its key or its signing time would let it pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeGuard

import msgspec

from gateway.core.envelope import Content, Envelope
from gateway.core.errors import Refused
from gateway.core.ports import Clock, Journal
from gateway.core.records import Proof, ProofMethod, State
from gateway.pipeline.judge import Sender
from translators.faults import Fault
from translators.layout import Detached as Enveloping
from translators.registry import Registry as Formats
from translators.xml import XmlError, parse_exactly
from trust.authenticator import Authenticator
from trust.errors import TrustError
from trust.keys import PublicKey
from trust.signatures.xmldsig.place import Detached
from trust.signatures.xmldsig.properties import MAX_AGE
from trust.signatures.xmldsig.verifying import VerifiedXml, is_signed, verify_xml

MAX_BYTES = 4 * 1024 * 1024
"""Content with a signature inside is parsed and put into canonical form as a whole."""
KEPT_WITHOUT_END = timedelta(days=3650)
"""For how long a signature without a time is known whose key has no end."""

_ASIDE = 65_536
"""From this size on a signature is verified in a thread, so that others need not wait."""
_NAMES = tuple("SignatureValue".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))
_PIECE = 262_144


class Enveloped(Protocol):
    """A format whose documents are XML."""

    @property
    def root_elements(self) -> tuple[str, ...]:
        """The document elements; none for a format of another syntax."""

    @property
    def detached(self) -> Enveloping | None:
        """Where documents stand that come in an envelope with a signature beside them."""


def is_enveloped(translator: object) -> TypeGuard[Enveloped]:
    """True for a format that says how its documents begin; asked for each submission."""
    return hasattr(translator, "root_elements") and hasattr(translator, "detached")


class SignedXml(msgspec.Struct, frozen=True, kw_only=True):
    """Content whose signature was proved: what is to be read of it, and what is kept of that.

    ``statement`` is what a repeat of the signature is known by, until ``until``.
    """

    content: bytes
    proof: Proof
    statement: str
    until: datetime


class XmlSignatures:
    """Proves signatures inside of content, each for one interchange."""

    def __init__(
        self,
        *,
        authenticator: Callable[[], Authenticator],
        formats: Callable[[], Formats],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._authenticator = authenticator
        self._formats = formats
        self._journal = journal
        self._clock = clock

    async def prove(self, sender: Sender, envelope: Envelope) -> SignedXml | None:
        """What the signature in the content covers; ``None`` when there is none to look at.

        Raises ``Refused`` for a signature that does not hold.
        """
        translator: object = self._formats().find(envelope.format)
        if not is_enveloped(translator) or not translator.root_elements:
            return None
        if "xml" not in sender.party.signatures or not await _mentioned(envelope.content):
            return None
        if envelope.content.size > MAX_BYTES:
            raise Refused(
                "signature.malformed",
                f"signatures are verified in XML of at most {MAX_BYTES} bytes; "
                "sign larger content with a detached JWS, and put no signature into it",
            )
        now = self._clock()
        found = await self._verified(sender, envelope, translator.detached, now)
        if found is None:
            return None
        return SignedXml(
            content=found.content,
            proof=_proof(found, sender),
            statement=found.statement,
            until=_until(found, now),
        )

    async def tie(self, sender: Sender, envelope: Envelope, signed: SignedXml) -> None:
        """Let the signature count for this interchange and for no other.

        Raises ``Refused`` for one that came with another. An id that was accepted before ties
        nothing: it is answered as before, or refused, whatever is in it now.
        """
        party = sender.identity.party
        earlier = await self._journal.find(party, envelope.interchange_id)
        if earlier is not None and earlier.state is State.ACCEPTED:
            return
        fresh = await self._journal.remember(
            f"xml-signature:{party}",
            signed.statement,
            until=signed.until,
            now=self._clock(),
            holder=envelope.interchange_id,
        )
        if not fresh:
            raise Refused(
                "signature.replayed", "this signature came with another interchange before"
            )

    async def _verified(
        self, sender: Sender, envelope: Envelope, enveloping: Enveloping | None, now: datetime
    ) -> VerifiedXml | None:
        with envelope.content.open() as source:
            content = source.read(MAX_BYTES)
        keys = self._authenticator().keys(sender.identity.party)

        def verified() -> VerifiedXml | None:
            try:
                document = parse_exactly(content)
            except XmlError as error:
                fault = Fault(code=error.code, detail=error.detail, line=error.line)
                detail = "the document that has it can not be read"
                raise Refused("signature.malformed", detail, faults=[fault]) from error
            if not is_signed(document):
                return None
            place = place_of(enveloping, str(document.tag))
            return verify_xml(document, keys=keys, now=now, place=place)

        try:
            if len(content) < _ASIDE:
                return verified()
            return await asyncio.to_thread(verified)
        except TrustError as error:
            raise Refused(error.code, error.detail) from error


def place_of(enveloping: Enveloping | None, root: str) -> Detached | None:
    """Where the signature stands: beside the content in the envelope of the format, or in it."""
    if enveloping is None or enveloping.content[0] != root:
        return None
    return Detached(root=root, signature=enveloping.signature[1:-1], covered=enveloping.content[1:])


def _until(found: VerifiedXml, now: datetime) -> datetime:
    """When the signature can be forgotten, since it would not be taken any more."""
    if found.signing_time is not None:
        return max(found.signing_time, now) + MAX_AGE
    end = found.key.not_after or now + KEPT_WITHOUT_END
    return max(end, now + MAX_AGE)


def _proof(found: VerifiedXml, sender: Sender) -> Proof:
    key: PublicKey = found.key
    return Proof(
        method=ProofMethod.XML_SIGNATURE,
        kid=key.kid,
        public_key=key.pem,
        algorithm=key.algorithm.name,
        fingerprint=sender.identity.fingerprint,
    )


async def _mentioned(content: Content) -> bool:
    """True when a name stands in the content that each signature has.

    What hides it from this, in an encoding that is not taken say, is no signature: whoever sends
    it could as well have left it out, and content that must be signed then is not.
    """
    before = b""
    longest = max(map(len, _NAMES)) - 1
    for number, piece in enumerate(content.slices(_PIECE)):
        if number:
            await asyncio.sleep(0)
        joined = before + piece
        if any(name in joined for name in _NAMES):
            return True
        before = joined[-longest:]
    return False
