"""Successors: a party announces its next signing key with the key that it has.

Two compact JWS, one in the other. The new key signs what is announced, which proves that somebody
holds it; the old key signs that, which proves that it is the party. Whoever has a stolen public
key can not announce it as its own, and nobody who has the old key alone can name a key that is
somebody else's. An announcement counts once an operator accepts it, while the old key counts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from trust.delegation import Seconds
from trust.errors import TrustError
from trust.keys import Signer, public_key, public_keys, signing_key
from trust.members import Label, Party, Shown, SigningKey
from trust.signatures.attached import sign_attached, verify_attached
from trust.signatures.compact import take_apart, unpadded_decode

TYPE = "luxor-successor+jwt"
PROOF_TYPE = "luxor-successor-proof+jwt"
MAX_CLAIMS_CHARACTERS = 16_384
MAX_AGE = timedelta(days=30)
MAX_AHEAD = timedelta(seconds=300)


class Announcement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is announced. Times are seconds since 1970.

    From ``key_from`` to ``key_until`` (``None``: open) ``party`` signs with ``public_key`` (PEM),
    known as ``kid``, by ``algorithm``. The key ``replaces``, the ``kid`` of the one that signs
    this, counts until ``old_until``, or less long if it is registered so.
    """

    party: Label = msgspec.field(name="iss")
    issued_at: Seconds = msgspec.field(name="iat")
    replaces: Shown
    kid: Shown
    algorithm: Annotated[str, Meta(max_length=20)]
    public_key: Annotated[str, Meta(max_length=8_192)]
    key_from: Seconds
    old_until: Seconds
    key_until: Seconds | None = None

    def key(self) -> SigningKey:
        """The announced key as a registry has it; raises ``signature.algorithm`` if it is unfit."""
        key = signing_key(
            self.public_key,
            kid=self.kid,
            algorithm=self.algorithm,
            not_before=_instant(self.key_from),
            not_after=None if self.key_until is None else _instant(self.key_until),
        )
        return msgspec.structs.replace(key, succeeds=self.replaces)


def announce(announcement: Announcement, *, old: Signer, new: Signer) -> str:
    """The announcement as a token, signed by both keys."""
    proof = sign_attached(msgspec.json.encode(announcement), signer=new, type=PROOF_TYPE)
    return sign_attached(proof.encode("ascii"), signer=old, type=TYPE)


def read(token: str) -> Announcement:
    """What a token announces, proved by nothing; raises ``successor.invalid`` if it is none."""
    try:
        outer = take_apart(token, max_payload=2 * MAX_CLAIMS_CHARACTERS)
        if outer.header.get("typ") != TYPE:
            raise TrustError("successor.invalid", f"it is not of type {TYPE}")
        return _claims(_text(unpadded_decode(outer.payload_segment)))
    except TrustError as error:
        raise TrustError("successor.invalid", error.detail) from error


def verify(token: str, party: Party, *, now: datetime) -> Announcement:
    """What ``party`` announces, if it may be accepted now; raises ``successor.invalid``.

    The key that signed it must be registered and in force at this very time, not only when it was
    made: a key that was given up announces nothing, whatever date is written on it.
    """
    try:
        if party.suspended:
            raise TrustError("party.suspended")
        payload, old = verify_attached(
            token,
            keys=public_keys(party.signing_keys),
            type=TYPE,
            max_payload=2 * MAX_CLAIMS_CHARACTERS,
        )
        old.judge_time(now)
        proof = _text(payload)
        announcement = _claims(proof)  # the old key has signed it
        key = announcement.key()
        verify_attached(
            proof,
            keys={key.kid: public_key(key)},
            type=PROOF_TYPE,
            max_payload=MAX_CLAIMS_CHARACTERS,
        )
    except TrustError as error:
        raise TrustError("successor.invalid", error.detail) from error
    if announcement.replaces != old.kid or announcement.party != party.id:
        raise TrustError("successor.invalid", "it speaks of another key or party than signed it")
    if broken := _broken_rule(announcement, key, party, now):
        raise TrustError("successor.invalid", broken)
    return announcement


def succeed(party: Party, announcement: Announcement) -> Party:
    """The party with the new key beside the old one, which ends as announced, never later."""
    end = _instant(announcement.old_until)
    keys = tuple(
        msgspec.structs.replace(key, not_after=ending(key, end))
        if key.kid == announcement.replaces
        else key
        for key in party.signing_keys
    )
    return msgspec.structs.replace(party, signing_keys=(*keys, announcement.key()))


def ending(key: SigningKey, announced: datetime) -> datetime:
    """Until when the old key counts: no announcement makes it last longer."""
    return announced if key.not_after is None else min(announced, key.not_after)


def _broken_rule(announcement: Announcement, key: SigningKey, party: Party, now: datetime) -> str:
    """What keeps a proved announcement from being accepted, or an empty text."""
    issued = _instant(announcement.issued_at)
    if issued > now + MAX_AHEAD:
        return "it was issued in the future; check both clocks"
    if issued < now - MAX_AGE:
        return f"it is older than {MAX_AGE.days} days; announce the key again"
    old = next(each for each in party.signing_keys if each.kid == announcement.replaces)
    end = ending(old, _instant(announcement.old_until))
    if end < now:
        return "the old key would be over already"
    if _instant(announcement.key_from) > end:
        return "the new key begins after the old one ends; nothing could be signed in between"
    if announcement.key_until is not None and announcement.key_until <= announcement.old_until:
        return "the new key ends before the old one"
    if any(each.kid == key.kid for each in party.signing_keys):
        return f"there is a key {key.kid!r} already"
    same = public_key(key).key.thumbprint()
    if any(public_key(each).key.thumbprint() == same for each in party.signing_keys):
        return "this key is registered already"
    return ""


def _claims(proof: str) -> Announcement:
    """What the inner token says; who has signed it is for the caller to prove."""
    compact = take_apart(proof, max_payload=MAX_CLAIMS_CHARACTERS)
    try:
        return msgspec.json.decode(unpadded_decode(compact.payload_segment), type=Announcement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("successor.invalid", f"its claims: {error}") from error


def _text(payload: bytes) -> str:
    try:
        return payload.decode("ascii")
    except UnicodeDecodeError as error:
        raise TrustError("successor.invalid", "it holds no proof by the new key") from error


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
