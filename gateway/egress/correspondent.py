"""The receiving party behind a destination: what we sign for it, and the proof that it has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from gateway.core.errors import Unavailable
from gateway.core.ports import Clock
from gateway.core.records import Outgoing
from gateway.pipeline.signing import SigningDesk
from trust import receipt
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey, Signer
from trust.signatures.jws import sign_detached


class Correspondent(msgspec.Struct, frozen=True, kw_only=True):
    """Two parties and their keys. ``keys`` gives the receiver's as they are registered now."""

    sender: PartyId
    receiver: PartyId
    desk: SigningDesk
    keys: Callable[[], Mapping[str, PublicKey]]
    clock: Clock

    async def sign(self, outgoing: Outgoing) -> str:
        """Our detached JWS over the content, for this receiver alone."""

        def made(signer: Signer) -> str:
            return sign_detached(
                outgoing.content,
                signer=signer,
                interchange_id=outgoing.message_id,
                format=outgoing.format,
                audience=self.receiver,
                now=self.clock(),
            )

        return await self.desk.sign(made)

    def prove(self, token: str, outgoing: Outgoing) -> str:
        """The receipt, once it is proved to be the receiver's for exactly this delivery.

        Raises ``Unavailable`` otherwise: without proof nothing is delivered, and the cause (a key
        that was not registered yet, mostly) lies in the link and not in the message.
        """
        try:
            claims = receipt.verify(token, self.keys())
        except TrustError as error:
            raise Unavailable(f"the receipt is no proof: {error.detail}") from error
        told = (claims.gateway, claims.party, claims.interchange_id, claims.digest, claims.status)
        digest = hashlib.sha256(outgoing.content).hexdigest()
        if told != (self.receiver, self.sender, outgoing.message_id, digest, "accepted"):
            raise Unavailable("the receipt is no proof: it speaks of something else")
        return token
