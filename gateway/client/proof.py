"""Proving what a gateway says: receipts, outcome lists, deliveries. Verification raises."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from gateway.client.credentials import Peer
from trust import receipt
from trust.errors import TrustError
from trust.identity import PartyId
from trust.receipt import ReceiptClaims
from trust.signatures.compact import unpadded_decode
from trust.signatures.jws import verify_detached


class Prover(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks to whom. Without a ``gateway`` nothing can be proved and nothing is claimed to be.

    ``party`` is whom receipts and deliveries must be made out to; ``None``: the certificate does
    not say who one is, and it is not compared.
    """

    gateway: Peer | None
    party: PartyId | None

    @property
    def proves(self) -> bool:
        """True when receipts can be proved."""
        return self.gateway is not None

    def receipt(self, token: str, *, interchange_id: str, digest: str | None) -> ReceiptClaims:
        """What the receipt of an interchange says; ``digest`` is of what was sent, if known.

        Raises ``receipt.invalid`` for one of another gateway, party, id or content.
        """
        if self.gateway is None:
            claims = _unproved(token)
        else:
            claims = receipt.verify(token, self.gateway.keys)
            if claims.gateway != self.gateway.id:
                raise TrustError("receipt.invalid", f"it was given by {claims.gateway}")
            if self.party is not None and claims.party != self.party:
                raise TrustError("receipt.invalid", f"it was given to {claims.party}")
        if claims.interchange_id != interchange_id:
            raise TrustError("receipt.invalid", "it is of another interchange")
        if digest is not None and claims.digest != digest:
            raise TrustError("receipt.invalid", "it is of other bytes than were sent")
        return claims

    def outcomes(self, claims: ReceiptClaims, document: bytes) -> None:
        """Raise ``receipt.invalid`` unless the whole outcome list is the one of the receipt."""
        if hashlib.sha256(document).hexdigest() != claims.outcomes:
            raise TrustError("receipt.invalid", "the list of outcomes is not the receipt's")

    def delivery(
        self, signature: str, content: bytes, *, message_id: str, format_id: str, now: datetime
    ) -> None:
        """Raise ``signature.*`` unless the gateway signed this delivery for this party."""
        if self.gateway is None or self.party is None:
            return
        verify_detached(
            signature,
            content,
            keys=self.gateway.keys,
            interchange_id=message_id,
            format=format_id,
            audience=self.party,
            now=now,
        )


def _unproved(token: str) -> ReceiptClaims:
    """What a receipt says, without a proof; for showing it only."""
    segments = token.split(".")
    try:
        if len(segments) != 3:
            raise TrustError("receipt.invalid", "it is no compact JWS")
        return msgspec.json.decode(unpadded_decode(segments[1]), type=ReceiptClaims)
    except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
        raise TrustError("receipt.invalid", "its claims are not those of a receipt") from error
