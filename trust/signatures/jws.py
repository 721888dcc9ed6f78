"""Detached JWS over the received bytes (RFC 7515 appendix F, RFC 7797).

The signing input is the header segment, a full stop, and the content as it is: ``b64`` is false.
The protected header binds the signature to one sending: ``iat`` (time), ``jti`` (interchange
id), ``cty`` (format) and ``aud`` (receiver), all required. ``crit`` lists ``b64``, ``iat``,
``jti`` and ``aud``; RFC 7515, 4.1.11 forbids a producer to list its own ``cty`` there, so it
need not be, and a receiver of this profile demands it all the same. ``obo`` names the party in
whose name the content is sent, if that is another; then it must be there, and in ``crit``.

Content is hashed as it comes. Ed25519 hashes twice, so it needs the content whole and is bound to
``MAX_WHOLE_BYTES``; larger content is signed with ES256, ES384 or RSA.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from trust.algorithms import ALGORITHMS
from trust.clock import made_apart
from trust.errors import TrustError
from trust.keys import PublicKey, Signer
from trust.signatures.compact import Compact, choose_key, put_together, take_apart, unpadded_encode

MAX_WHOLE_BYTES = 16 * 1024 * 1024
MAX_AGE = timedelta(seconds=300)

_CRITICAL = ("b64", "iat", "jti", "aud")
_CRITICALS = frozenset(_CRITICAL)
_REQUIRED = frozenset({*_CRITICAL, "cty", "crit"})


class Verifier:
    """One signature on its way to being proved: made, fed with the content, finished.

    Making it judges everything but the arithmetic, so that a hopeless signature is refused
    before the content is read.
    """

    __slots__ = ("_key", "_seen", "_signature", "_whole", "kid")

    def __init__(
        self,
        token: str,
        *,
        keys: Mapping[str, PublicKey],
        interchange_id: str,
        format: str,  # noqa: A002 - the word that the whole project uses
        audience: str,
        now: datetime,
        max_age: timedelta = MAX_AGE,
        on_behalf_of: str | None = None,
    ) -> None:
        """Raise ``TrustError`` with a code ``signature.*`` for all that is wrong but the sum."""
        compact = take_apart(token, max_payload=0)
        key = choose_key(compact.header, keys)
        _check_binding(compact, interchange_id=interchange_id, format_=format, audience=audience)
        _check_principal(compact, on_behalf_of)
        key.judge_time(now)
        if abs(int(now.timestamp()) - compact.header["iat"]) > max_age.total_seconds():
            raise TrustError("signature.stale", made_apart(compact.header["iat"], now))
        self.kid = key.kid
        self._key = key
        self._signature = compact.signature
        self._seen = key.algorithm.hash() if key.algorithm.hash else None
        self._whole = bytearray()
        self.update(compact.header_segment + b".")

    def update(self, content: bytes) -> None:
        """Take the next part of the content."""
        if self._seen is not None:
            self._seen.update(content)
            return
        if len(self._whole) + len(content) > MAX_WHOLE_BYTES:
            raise TrustError(
                "signature.algorithm", f"Ed25519 signs at most {MAX_WHOLE_BYTES} bytes; use ES256"
            )
        self._whole += content

    def finish(self) -> str:
        """The name of the key that signed what was taken; raises ``signature.invalid``."""
        if self._seen is None:
            self._key.verify(bytes(self._whole), self._signature)
        else:
            self._key.verify_digest(self._seen.digest(), self._signature)
        return self.kid


def verify_detached(
    token: str,
    content: bytes,
    *,
    keys: Mapping[str, PublicKey],
    interchange_id: str,
    format: str,  # noqa: A002 - the word that the whole project uses
    audience: str,
    now: datetime,
    max_age: timedelta = MAX_AGE,
    on_behalf_of: str | None = None,
) -> str:
    """The name of the key that made this signature over exactly this; raises ``signature.*``."""
    verifier = Verifier(
        token,
        keys=keys,
        interchange_id=interchange_id,
        format=format,
        audience=audience,
        now=now,
        max_age=max_age,
        on_behalf_of=on_behalf_of,
    )
    verifier.update(content)
    return verifier.finish()


def sign_detached(
    content: bytes | Iterable[bytes],
    *,
    signer: Signer,
    interchange_id: str,
    format: str,  # noqa: A002 - the word that the whole project uses
    audience: str,
    now: datetime,
    on_behalf_of: str | None = None,
) -> str:
    """A detached JWS over the content, given whole or in parts.

    ``on_behalf_of``: in whose name it is sent, when that is not the signer's own. Raises
    ``signature.algorithm`` for more than ``MAX_WHOLE_BYTES`` with Ed25519.
    """
    signer = signer.chosen()
    header: dict[str, Any] = {
        "alg": signer.alg,
        "kid": signer.kid,
        "b64": False,
        "iat": int(now.timestamp()),
        "jti": interchange_id,
        "cty": format,
        "aud": audience,
        "crit": _CRITICAL,
    }
    if on_behalf_of is not None:
        header |= {"obo": on_behalf_of, "crit": (*_CRITICAL, "obo")}
    segment = put_together(header)
    parts = (content,) if isinstance(content, bytes) else content
    new_hash = ALGORITHMS[signer.alg].hash
    if new_hash is None:
        signature = signer.sign(_gathered(segment + b".", parts))
    else:
        seen = new_hash()
        seen.update(segment + b".")
        for part in parts:
            seen.update(part)
        signature = signer.sign_digest(seen.digest())
    return f"{segment.decode('ascii')}..{unpadded_encode(signature)}"


def _gathered(start: bytes, parts: Iterable[bytes]) -> bytes:
    whole = bytearray(start)
    for part in parts:
        if len(whole) + len(part) > MAX_WHOLE_BYTES:
            raise TrustError("signature.algorithm", "too large for Ed25519; use ES256")
        whole += part
    return bytes(whole)


def _check_binding(compact: Compact, *, interchange_id: str, format_: str, audience: str) -> None:
    header = compact.header
    if not header.keys() >= _REQUIRED:
        missing = ", ".join(sorted(_REQUIRED - header.keys()))
        raise TrustError("signature.malformed", f"the header lacks {missing}")
    if header["b64"] is not False:
        raise TrustError("signature.malformed", "b64 must be false")
    if not _CRITICALS.issubset(header["crit"]):
        raise TrustError("signature.malformed", f"crit must list {', '.join(_CRITICAL)}")
    if header["aud"] != audience:
        raise TrustError("signature.audience")
    if header["jti"] != interchange_id:
        raise TrustError("signature.interchange")
    if header["cty"] != format_:
        raise TrustError("signature.format")


def _check_principal(compact: Compact, claimed: str | None) -> None:
    """A signature in one party's name says nothing in another's, or in one's own."""
    signed = compact.header.get("obo")
    if signed is not None and "obo" not in compact.header["crit"]:
        raise TrustError("signature.malformed", "crit must list obo where it stands")
    if signed != claimed:
        raise TrustError("signature.principal")
