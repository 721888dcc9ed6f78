"""Delegations: one party lets another send in its name, for some kinds of message and a time.

A compact JWS of the delegator, which the operator registers. Nothing else makes anybody act for
somebody: no field of a message, no role. A delegation is of depth 1: what somebody may do for
another can not be passed on, since every delegation is signed by the very party that it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, field

from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey, Signer
from trust.members import Glob, Label, Party, Shown
from trust.signatures.attached import sign_attached, verify_attached
from trust.signatures.compact import take_apart, unpadded_decode

TYPE = "luxor-delegation+jwt"
MAX_CLAIMS_CHARACTERS = 16_384

Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]  # until the year 9999
Globs = Annotated[tuple[Glob, ...], Meta(min_length=1, max_length=100)]


class Delegation(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a delegation says; the claims are those of RFC 7519 where it has them.

    ``delegator`` (``iss``) lets ``delegate`` (``sub``) send in its name, at the ``gateways``
    (``aud``) and from ``not_before`` (``nbf``) until before ``not_after`` (``exp``), seconds
    since 1970. One of its globs each must match the message's kind, format and country.
    """

    id: Shown = field(name="jti")
    delegator: Label = field(name="iss")
    delegate: Label = field(name="sub")
    gateways: Annotated[tuple[Label, ...], Meta(min_length=1, max_length=100)] = field(name="aud")
    issued_at: Seconds = field(name="iat")
    not_before: Seconds = field(name="nbf")
    not_after: Seconds = field(name="exp")
    kinds: Globs
    formats: Globs = ("*",)
    countries: Globs = ("*",)

    def holds(self, *, gateway: str, at: datetime) -> bool:
        """Whether it counts at that gateway and time (RFC 7519, 4.1.4: ``exp`` is excluded)."""
        return gateway in self.gateways and self.not_before <= at.timestamp() < self.not_after

    def covers(
        self,
        *,
        format: str,  # noqa: A002 - the word that the whole project uses
        kind: str,
        country: str | None,
    ) -> bool:
        """Whether a message is among those that it is for; ``None`` is about no country."""
        return (
            matches(self.formats, format)
            and matches(self.kinds, kind)
            and (country is None or matches(self.countries, country))
        )


class Principal(msgspec.Struct, frozen=True):
    """For whom somebody acts, and by which delegations, all of them in force: at least one."""

    party: Party
    delegations: tuple[Delegation, ...]


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A delegation of a registry. ``void`` says why it counts for nothing; empty: it counts."""

    token: str
    claims: Delegation
    void: str = ""


@lru_cache(maxsize=8_192)
def matches(globs: tuple[str, ...], name: str) -> bool:
    """Whether one of the globs is for that name; asked several times for each message."""
    return any(fnmatchcase(name, glob) for glob in globs)


def sign(delegation: Delegation, signer: Signer) -> str:
    """The delegation as a compact JWS by a key of the delegator."""
    return sign_attached(msgspec.json.encode(delegation), signer=signer, type=TYPE)


def read(token: str) -> Delegation:
    """What a token says, proved by nothing; raises ``delegation.invalid`` if it is none.

    Also for one that contradicts itself: to oneself, or over before it begins.
    """
    try:
        compact = take_apart(token, max_payload=MAX_CLAIMS_CHARACTERS)
        if compact.header.get("typ") != TYPE:
            raise TrustError("delegation.invalid", f"it is not of type {TYPE}")
        return _claims(unpadded_decode(compact.payload_segment))
    except TrustError as error:
        raise TrustError("delegation.invalid", error.detail) from error


def verify(token: str, keys: Mapping[str, PublicKey]) -> Delegation:
    """What the delegation says, if a key signed it that was in force then.

    ``keys`` are those of the party that ``read`` names as delegator. Raises
    ``delegation.invalid``.
    """
    try:
        payload, key = verify_attached(
            token, keys=keys, type=TYPE, max_payload=MAX_CLAIMS_CHARACTERS
        )
        claims = _claims(payload)
        key.judge_time(datetime.fromtimestamp(claims.issued_at, UTC))
    except TrustError as error:
        raise TrustError("delegation.invalid", error.detail) from error
    return claims


def register(
    token: str, keys: Mapping[str, PublicKey] | None, parties: Iterable[str]
) -> Registered:
    """A token as a registry has it; raises ``delegation.invalid`` for what is no delegation.

    ``keys``: the delegator's, ``None`` when there is no such party. A token whose proof does not
    hold (a key was removed, a party is gone) is void and no mistake: or nobody could remove
    a key as long as somebody had once delegated with it.
    """
    claims = read(token)
    if keys is None:
        return Registered(token=token, claims=claims, void=f"no party {claims.delegator!r}")
    if claims.delegate not in parties:
        return Registered(token=token, claims=claims, void=f"no party {claims.delegate!r}")
    try:
        verify(token, keys)
    except TrustError as error:
        return Registered(token=token, claims=claims, void=error.detail)
    return Registered(token=token, claims=claims)


def acting(
    registered: Iterable[Registered],
    parties: Mapping[PartyId, Party],
    *,
    delegate: PartyId,
    principal: str,
    gateway: str,
    now: datetime,
) -> Principal:
    """For whom ``delegate`` acts now; raises ``permission.on-behalf-of`` when it may not.

    Whether the claimed party has given none, is suspended, or is not there at all, can not be told
    by what is raised.
    """
    party = parties.get(PartyId(principal))
    found = tuple(
        each.claims
        for each in registered
        if not each.void
        and (each.claims.delegator, each.claims.delegate) == (principal, delegate)
        and each.claims.holds(gateway=gateway, at=now)
    )
    if party is None or party.suspended or not found:
        detail = f"no delegation by {principal[:80]!r} to {delegate} is in force here"
        raise TrustError("permission.on-behalf-of", detail)
    return Principal(party, found)


def _claims(payload: bytes) -> Delegation:
    try:
        claims = msgspec.json.decode(payload, type=Delegation)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("delegation.invalid", f"its claims: {error}") from error
    if claims.delegator == claims.delegate:
        raise TrustError("delegation.invalid", "nobody delegates to itself")
    if claims.not_after <= claims.not_before:
        raise TrustError("delegation.invalid", "it is over before it begins")
    return claims
