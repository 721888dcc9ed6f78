"""Who signed a request, and that nobody has shown this signature before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from gateway.core.envelope import SignedBy
from gateway.core.errors import Refused
from gateway.core.ports import Clock, Journal
from gateway.core.records import Proof, ProofMethod
from trust.authenticator import Authenticator
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.keys import PublicKey
from trust.signatures.http.offer import Offer, read_offer
from trust.signatures.http.signature_base import Message

REMEMBERED_LONGER = timedelta(seconds=60)
"""For how much longer than it counts a nonce is remembered: clocks of nodes on one store differ."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose signature was proved over everything but its content.

    Whoever reads the content checks ``digests`` (RFC 9530, by algorithm) against it; there are
    none for a request without content.
    """

    identity: Identity
    by: SignedBy
    digests: Mapping[str, bytes]


def proof_of(
    signed: SignedBy, identity: Identity, keys: Mapping[str, PublicKey], *, now: datetime
) -> Proof:
    """What is kept of a signature that an ingress has proved with one of the party's ``keys``.

    Raises ``Refused`` when that key was taken away, replaced or over in the meantime: content may
    be long in coming.
    """
    key = keys.get(signed.kid)
    if key is None or key.pem != signed.public_key:
        raise Refused("signature.key-unknown")
    try:
        key.judge_time(now)
    except TrustError as error:
        raise Refused(error.code, error.detail) from error
    return Proof(
        method=signed.method,
        kid=key.kid,
        public_key=signed.public_key,
        algorithm=key.algorithm.name,
        fingerprint=identity.fingerprint,
        signature=signed.evidence,
    )


class Signatures:
    """Proves the signatures of requests, each of them once."""

    def __init__(
        self,
        *,
        authenticator: Callable[[], Authenticator],
        journal: Journal,
        clock: Clock,
        max_age: Callable[[], timedelta],
    ) -> None:
        self._authenticator = authenticator
        self._journal = journal
        self._clock = clock
        self._max_age = max_age

    async def prove(
        self,
        request: Message,
        *,
        content: bool,
        names: Collection[str],
        beside: Identity | None = None,
        foresee: Callable[[PartyId], None] | None = None,
    ) -> Signed:
        """The party that signed a request; raises ``Refused``.

        ``names`` are those of the listener. ``beside`` is who has proved itself by the connection
        already: the signature must be of the same party, and identifies nobody. ``foresee`` is
        told the party, and may raise, before its nonce is written down: who asks too often would
        otherwise have the store write all the same.
        """
        now = self._clock()
        try:
            offer = read_offer(
                request, content=content, names=names, now=now, max_age=self._max_age()
            )
            identity, key = self._judge(offer, beside, now)
        except TrustError as error:
            raise Refused(error.code, error.detail) from error
        if foresee is not None:
            foresee(offer.party)
        # Only now, or strangers could use up what a party is about to send.
        fresh = await self._journal.remember(
            f"http-signature:{offer.party}",
            offer.nonce,
            until=offer.ends + REMEMBERED_LONGER,
            now=now,
        )
        if not fresh:
            raise Refused("signature.replayed")
        return Signed(
            identity=identity,
            by=SignedBy(
                kid=offer.kid,
                public_key=key.pem,
                method=ProofMethod.HTTP_SIGNATURE,
                evidence=offer.evidence,
            ),
            digests=offer.digests,
        )

    def _judge(
        self, offer: Offer, beside: Identity | None, now: datetime
    ) -> tuple[Identity, PublicKey]:
        """Who signed, and with which key."""
        authenticator = self._authenticator()
        if beside is None:
            identity = authenticator.signed(offer, now=now)
            return identity, authenticator.keys(offer.party)[offer.kid]
        if offer.party != beside.party:
            raise TrustError(
                "party.ambiguous", "the certificate and the signature name two parties"
            )
        return beside, authenticator.signer(offer, now=now)
