"""Ping: who the caller is to this gateway, proved both ways; nothing is journaled or counted.

The caller signs its question for this gateway alone, with the nonce as its ``jti``; the gateway
signs its answer for the caller alone, with the same nonce. Both signatures are made out to
``PING_FORMAT``, so neither can be taken for one over a message.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.core.errors import Refused
from gateway.core.identifiers import MessageId
from gateway.core.ports import Clock
from gateway.pipeline.echo import Echo
from gateway.pipeline.inbox import Sign
from translators.translator import FormatId
from trust.authenticator import Authenticator
from trust.errors import TrustError
from trust.identity import Identity
from trust.members import Direction, SignatureForm
from trust.signatures.jws import verify_detached

PING_FORMAT = FormatId("luxor.ping.1")
PING_BYTES = 1_024
"""Bounds the question."""

Nonce = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,64}\Z")]


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The question: a nonce that the answer has to name."""

    nonce: Nonce


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """What a grant lets the caller send or receive, as globs."""

    direction: Direction
    formats: tuple[str, ...]
    kinds: tuple[str, ...]
    countries: tuple[str, ...]


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: who the caller is here, and what it may do.

    ``signed_by`` is the key whose signature over the question was proved; ``None`` when it was not
    signed. ``speaks`` are the formats in which its inbox is served.
    """

    gateway: str
    nonce: Nonce
    at: datetime
    party: str
    roles: tuple[str, ...]
    signed_by: str | None
    must_sign: bool
    signatures: tuple[SignatureForm, ...]
    speaks: tuple[str, ...]
    rights: tuple[Right, ...]


class Pinging:
    """Answers pings."""

    def __init__(
        self,
        *,
        gateway_id: str,
        authenticator: Callable[[], Authenticator],
        sign: Sign,
        clock: Clock,
        max_age: Callable[[], timedelta],
    ) -> None:
        """``max_age``: how far the time in the caller's signature may be from now."""
        self._gateway_id = gateway_id
        self._authenticator = authenticator
        self._sign = sign
        self._clock = clock
        self._max_age = max_age

    async def answer(
        self, identity: Identity, content: bytes, *, signature: str | None, proved: str | None
    ) -> Echo:
        """Answer one ping of a proven party; ``proved`` is the key that signed its request.

        Raises ``Refused``: ``request.invalid``, and ``signature.*`` for a signature that does not
        hold, or that is missing from a party that must sign.
        """
        try:
            ping = msgspec.json.decode(content, type=Ping)
        except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
            raise Refused("request.invalid", f"the ping: {error}") from error
        authenticator = self._authenticator()
        now = self._clock()
        try:
            authenticator.still(identity)
            party = authenticator.registry.party(identity.party)
            if signature is not None:
                proved = verify_detached(
                    signature,
                    content,
                    keys=authenticator.keys(party.id),
                    interchange_id=ping.nonce,
                    format=PING_FORMAT,
                    audience=self._gateway_id,
                    now=now,
                    max_age=self._max_age(),
                )
        except TrustError as error:
            raise Refused(error.code, error.detail) from error
        if party.must_sign and proved is None:
            raise Refused("signature.missing")
        pong = Pong(
            gateway=self._gateway_id,
            nonce=ping.nonce,
            at=now,
            party=party.id,
            roles=tuple(sorted(party.roles)),
            signed_by=proved,
            must_sign=party.must_sign,
            signatures=tuple(party.signatures),
            speaks=tuple(party.speaks),
            rights=tuple(
                Right(
                    direction=grant.direction,
                    formats=grant.formats,
                    kinds=grant.kinds,
                    countries=grant.countries,
                )
                for grant in party.grants
            ),
        )
        answer = msgspec.json.encode(pong)
        made = await self._sign(answer, MessageId(ping.nonce), PING_FORMAT, party.id)
        return Echo(content=answer, signature=made)
