"""A signed request under the profile of this network: everything that can be judged without a key.

The profile (docs/http-signatures.md): one signature; it covers method, authority, target URI, the
digest and type of content if there is any, and every field of ours; it says when it was made and
ends, who signs, and a nonce. Which party and key that is decides the registry afterwards.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from trust.errors import TrustError
from trust.identity import PARTY_ID_PATTERN, PartyId
from trust.keys import PublicKey
from trust.signatures.http.digest import read_content_digest
from trust.signatures.http.names import HTTP_NAMES, http_name
from trust.signatures.http.signature_base import Message, normal_authority, signature_base
from trust.signatures.http.structured import (
    SignatureInput,
    read_signature,
    read_signature_input,
)

TAG = "luxor"
"""RFC 9421, 7.2.7: what was signed for another application says so, and does not count here."""
ALWAYS = ("@method", "@authority", "@target-uri")
CONTENT = ("content-digest", "content-type")
OWN_FIELDS = "luxor-"
"""Fields that begin so are part of what is asked, so a signature covers those that are there."""
SINGLE = (*CONTENT, "content-length", "host", "signature", "signature-input")
MAX_LIFETIME = timedelta(seconds=300)

_PARAMETERS = frozenset({"created", "expires", "nonce", "keyid", "alg", "tag"})
_NONCE = re.compile(r"[A-Za-z0-9+/=_.:~-]{16,128}")
_KEY_ID = re.compile(rf"({PARTY_ID_PATTERN})/([\x20-\x7e]{{1,100}})")
_TARGET = re.compile(r"/[\x21-\x22\x24-\x7e]*")
_AUTHORITY = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that says all that it must, in force now; nothing of it has been proved.

    ``digests`` are those of the content, which who has it must check; none without content.
    Until ``expires`` the same ``nonce`` of the same party must not be taken again.
    """

    party: PartyId
    kid: str
    algorithm: str | None
    created: int
    expires: int
    nonce: str
    base: bytes
    signature: bytes
    digests: Mapping[str, bytes]

    @property
    def ends(self) -> datetime:
        """When it counts no more."""
        return datetime.fromtimestamp(self.expires, UTC)

    @property
    def evidence(self) -> bytes:
        """What proves it later, with the public key: see ``trust.signatures.http.evidence``."""
        return b"%s\n%s" % (self.base, base64.b64encode(self.signature))


def is_signed(message: Message) -> bool:
    """Whether the message carries a signature of this kind, good or bad."""
    return bool(message.lines("signature") or message.lines("signature-input"))


def read_offer(
    message: Message,
    *,
    content: bool,
    names: Collection[str],
    now: datetime,
    max_age: timedelta = MAX_LIFETIME,
) -> Offer:
    """The one signature of a request; raises ``TrustError`` with a code ``signature.*``.

    ``content`` says whether the request has content. ``names`` are the authorities under which
    this receiver is known: ``host`` for any port of it, or ``host:port``, in lower case;
    ``host:443`` is also meant by a request that names no port.
    """
    if not is_signed(message):
        raise TrustError("signature.missing", "a signature of RFC 9421 is needed, and none came")
    _check_single(message)
    given = read_signature_input(_line(message, "signature-input"))
    label, signature = read_signature(_line(message, "signature"))
    if label != given.label:
        raise TrustError("signature.malformed", "Signature and Signature-Input name two labels")
    _check_coverage(message, given, content=content)
    _check_audience(message, names)
    party, kid = read_signer(given.parameters)
    created, expires = _times(given.parameters, now=now, max_age=max_age)
    return Offer(
        party=party,
        kid=kid,
        algorithm=_text(given.parameters, "alg") if "alg" in given.parameters else None,
        created=created,
        expires=expires,
        nonce=_nonce(given.parameters),
        base=signature_base(message, given),
        signature=signature,
        digests=read_content_digest(_line(message, "content-digest")) if content else {},
    )


def prove_offer(offer: Offer, keys: Mapping[str, PublicKey]) -> PublicKey:
    """The key of the party that made the signature; raises ``signature.*``.

    ``keys`` are those of ``offer.party``: none for a party that is not known, which looks the
    same from outside. Whether the key is in force is told to nobody but its holder.
    """
    key = keys.get(offer.kid)
    if key is None:
        raise TrustError("signature.key-unknown")
    name = http_name(key.algorithm.name)
    if offer.algorithm not in (None, name):
        raise TrustError("signature.algorithm", f"this key is registered for {name}")
    verify_base(offer.base, offer.signature, key)
    return key


def verify_base(base: bytes, signature: bytes, key: PublicKey) -> None:
    """Raise ``signature.invalid`` unless the key made the signature over the base."""
    if key.algorithm.name not in HTTP_NAMES:
        raise TrustError("signature.algorithm")
    key.verify(base, signature)


def _check_single(message: Message) -> None:
    """A field that we read has one line, or somebody else might read the other one."""
    seen: set[str] = set()
    for name, _ in message.fields:
        if name in seen and (name in SINGLE or name.startswith(OWN_FIELDS)):
            raise TrustError("signature.malformed", f"there is more than one field {name[:40]}")
        seen.add(name)


def _line(message: Message, name: str) -> str:
    lines = message.lines(name)
    if not lines:
        raise TrustError("signature.malformed", f"there is no field {name}")
    return lines[0]


def _check_coverage(message: Message, given: SignatureInput, *, content: bool) -> None:
    if any(component.parameters for component in given.components):
        raise TrustError("signature.component", "components have no parameters here")
    own = tuple(name for name, _ in message.fields if name.startswith(OWN_FIELDS))
    needed = (*ALWAYS, *(CONTENT if content else ()), *own)
    covered = {component.name for component in given.components}
    missing = [name for name in dict.fromkeys(needed) if name not in covered]
    if missing:
        raise TrustError("signature.component", f"it does not cover {', '.join(missing)[:200]}")


def _check_audience(message: Message, names: Collection[str]) -> None:
    authority = normal_authority(message)
    found = _AUTHORITY.fullmatch(authority)
    if found is None or _TARGET.fullmatch(message.target) is None:
        raise TrustError("signature.malformed", "the request needs a host, and a target of its own")
    if not any(name in names for name in (found[1], authority, f"{authority}:443")):
        raise TrustError("signature.audience", f"this gateway is not known as {authority[:80]}")


def _times(parameters: Mapping[str, Any], *, now: datetime, max_age: timedelta) -> tuple[int, int]:
    created, expires = _number(parameters, "created"), _number(parameters, "expires")
    if not 0 < expires - created <= MAX_LIFETIME.total_seconds():
        raise TrustError(
            "signature.malformed",
            f"expires lies after created, by at most {MAX_LIFETIME.total_seconds():.0f} seconds",
        )
    here = now.timestamp()
    if abs(here - created) > max_age.total_seconds() or here > expires:
        clock = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        way = "before" if here > created else "after"
        raise TrustError(
            "signature.stale",
            f"it was made {abs(here - created):.0f} seconds {way} now, for {expires - created}; "
            f"the clock here says {clock}",
        )
    return created, expires


def read_signer(parameters: Mapping[str, Any]) -> tuple[PartyId, str]:
    """Party and key that the parameters of a signature name; raises ``signature.malformed``.

    Also when they are not those of this profile: another tag, or a parameter without a meaning.
    """
    unknown = parameters.keys() - _PARAMETERS
    if unknown:
        raise TrustError("signature.malformed", "the signature has a parameter that is not known")
    if _text(parameters, "tag") != TAG:
        raise TrustError("signature.malformed", f'tag is not "{TAG}"')
    found = _KEY_ID.fullmatch(_text(parameters, "keyid"))
    if found is None:
        raise TrustError("signature.malformed", "keyid is PARTY/KID: the party and its key's name")
    return PartyId(found[1]), found[2]


def _nonce(parameters: Mapping[str, Any]) -> str:
    nonce = _text(parameters, "nonce")
    if _NONCE.fullmatch(nonce) is None:
        raise TrustError(
            "signature.malformed", "nonce has 16 to 128 letters, digits and + / = _ . : ~ -"
        )
    return nonce


def _text(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    if type(value) is not str:
        raise TrustError("signature.malformed", f"the parameter {name} is missing, or no string")
    return value


def _number(parameters: Mapping[str, Any], name: str) -> int:
    value = parameters.get(name)
    if type(value) is not int or not 0 < value < 1 << 40:
        raise TrustError("signature.malformed", f"the parameter {name} is missing, or no time")
    return value
