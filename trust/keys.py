"""Keys that sign and verify: one key, one algorithm, one name.

The algorithm belongs to the key, never to the message (RFC 8725, 3.1). Keys travel as PEM; a
key's default name is its RFC 7638 thumbprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from trust.algorithms import ALGORITHMS, Algorithm, Arithmetic
from trust.clock import stated
from trust.errors import TrustError
from trust.members import SigningKey

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192  # the cost of verifying grows with the size, and the key is somebody else's

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
RawKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
JoseKey = ECKey | OKPKey | RSAKey


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that verifies, with the one algorithm and the time for which it is registered.

    ``key`` is joserfc's view of it, ``raw`` that of ``cryptography``; ``pem`` and ``der`` are the
    key as text and as bytes (SubjectPublicKeyInfo), written once, because every proof repeats it.
    """

    kid: str
    algorithm: Algorithm
    key: JoseKey
    raw: RawKey
    pem: str
    der: bytes
    not_before: datetime | None = None
    not_after: datetime | None = None

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise ``signature.invalid`` unless this key made the signature of the message."""
        self._prove(self.algorithm.message, message, signature)

    def verify_digest(self, digest: bytes, signature: bytes) -> None:
        """The same for a message with this digest, where the algorithm hashes first."""
        self._prove(self.algorithm.digested, digest, signature)

    def _prove(self, arithmetic: Arithmetic | None, message: bytes, signature: bytes) -> None:
        if arithmetic is None:
            raise TrustError("signature.algorithm", f"{self.algorithm.name} takes whole messages")
        try:
            arithmetic.prove(message, signature, self.raw)
        except Exception as error:  # whatever the arithmetic raises on a hostile number means no
            raise TrustError("signature.invalid") from error

    def judge_time(self, at: datetime) -> None:
        """Raise ``signature.key-expired`` unless the key may sign at ``at``."""
        early = self.not_before is not None and at < self.not_before
        if early or (self.not_after is not None and at > self.not_after):
            raise TrustError(
                "signature.key-expired",
                f"at {stated(at)} the key is outside the time in which it may sign",
            )


class Signer(Protocol):
    """A private key, wherever it is kept. Signatures come in their JOSE encoding.

    A key that is kept elsewhere may raise what says that it cannot be reached now.
    """

    @property
    def waits(self) -> bool:
        """True when signing waits for a device: an event loop leaves it to a thread."""

    def chosen(self) -> Signer:
        """The one key that signs now: itself, unless it stands for keys that follow each other.

        Whoever makes a token asks once, so that its header and its signature are of one key.
        """

    @property
    def kid(self) -> str:
        """The name under which receivers know the public key."""

    @property
    def alg(self) -> str:
        """A key of ``ALGORITHMS``."""

    def sign(self, message: bytes) -> bytes:
        """The signature of the message."""

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature of a message with this digest, where the algorithm hashes first."""


class KeySigner:
    """A signer that holds its key in memory."""

    __slots__ = ("_algorithm", "_key", "alg", "kid", "public_key", "waits")

    def __init__(self, key: PrivateKey, *, kid: str = "", algorithm: str = "") -> None:
        """Raise ``signature.algorithm`` when the key does not fit the profile."""
        self._key = key
        self.public_key = verifying_key(jose_key(key).public_key, kid=kid, algorithm=algorithm)
        """The other half, without a limit in time."""
        self._algorithm = self.public_key.algorithm
        self.alg = self._algorithm.name
        """The JWS name of the key's algorithm."""
        self.kid = self.public_key.kid
        self.waits = False

    @classmethod
    def from_pem(
        cls, pem: bytes, *, kid: str = "", algorithm: str = "", password: bytes | None = None
    ) -> KeySigner:
        """The signer of a PEM private key."""
        return cls(load_private_key(pem, password=password), kid=kid, algorithm=algorithm)

    def chosen(self) -> Signer:
        """This key."""
        return self

    @property
    def public_pem(self) -> bytes:
        """The other half as PEM, for a registry."""
        return self.public_key.pem.encode("ascii")

    def sign(self, message: bytes) -> bytes:
        """The signature of the message in its JOSE encoding."""
        return self._algorithm.message.sign(message, self._key)

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature of a message with this digest; Ed25519 raises ``signature.algorithm``."""
        if self._algorithm.digested is None:
            raise TrustError("signature.algorithm", f"{self.alg} signs whole messages only")
        return self._algorithm.digested.sign(digest, self._key)


def verifying_key(
    key: object,
    *,
    kid: str = "",
    algorithm: str = "",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> PublicKey:
    """The public half of a ``cryptography`` key; raises ``signature.algorithm`` for an unfit one.

    Without ``kid`` and ``algorithm`` they are the ones that follow from the key.
    """
    return _ready(
        jose_key(key), kid=kid, algorithm=algorithm, not_before=not_before, not_after=not_after
    )


def public_key(registered: SigningKey) -> PublicKey:
    """A registered key, ready to verify; raises ``signature.algorithm`` for an unfit one."""
    return _ready(
        load_public_key(registered.public_key.encode()),
        kid=registered.kid,
        algorithm=registered.algorithm,
        not_before=registered.not_before,
        not_after=registered.not_after,
    )


def signing_fingerprint(registered: SigningKey) -> str:
    """SHA-256 of the key itself, as ``trust.certificates.key_fingerprint`` has it of another."""
    key = load_public_key(registered.public_key.encode())
    return hashlib.sha256(bytes(key.as_der(private=False))).hexdigest()


def public_keys(registered: Iterable[SigningKey]) -> dict[str, PublicKey]:
    """Registered keys by name, ready to verify."""
    return {key.kid: public_key(key) for key in registered}


def signing_key(
    pem: bytes | str,
    *,
    kid: str = "",
    algorithm: str = "",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> SigningKey:
    """A registry row for a PEM public key, with what is left out filled in from the key."""
    text = pem if isinstance(pem, str) else pem.decode("ascii", "replace")
    key = load_public_key(text.encode())
    return SigningKey(
        kid=kid or key.thumbprint(),
        public_key=text,
        algorithm=_fitting(key, algorithm).name,
        not_before=not_before,
        not_after=not_after,
    )


def thumbprint_kid(key: object) -> str:
    """The RFC 7638 thumbprint of the public key, whichever half is given."""
    return jose_key(key).thumbprint()


def public_key_pem(key: PrivateKey) -> bytes:
    """The public half as PEM."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def load_public_key(pem: bytes) -> JoseKey:
    """Read a PEM public key; raises ``signature.algorithm`` for any that the profile refuses."""
    try:
        key = serialization.load_pem_public_key(pem)
    except Exception as error:  # whatever a parser raises on foreign bytes means no
        raise TrustError("signature.algorithm", "not a PEM public key") from error
    return jose_key(key)


def load_private_key(pem: bytes, *, password: bytes | None = None) -> PrivateKey:
    """Read a PEM private key; raises ``signature.algorithm`` for an unfit one.

    An encrypted one needs its password; with one that is not encrypted, none may be given.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=password)
    except Exception as error:  # whatever a parser raises means no; it never repeats the key
        wanted = "an unencrypted PEM" if password is None else "a PEM"
        detail = f"not {wanted} private key" + ("" if password is None else " of that password")
        raise TrustError("signature.algorithm", detail) from error
    if not isinstance(key, PrivateKey):
        raise TrustError("signature.algorithm", f"{type(key).__name__} cannot sign here")
    return key


def jose_key(key: object) -> JoseKey:
    """joserfc's view of a ``cryptography`` key; raises ``signature.algorithm`` for an unfit one."""
    match key:
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            if key.curve.name in _CURVES:
                return ECKey.import_key(key)
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            return OKPKey.import_key(key)
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
                return RSAKey.import_key(key)
    raise TrustError(
        "signature.algorithm",
        f"a key is EC P-256 or P-384, Ed25519, or RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits",
    )


_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384"}


def _ready(
    key: JoseKey,
    *,
    kid: str,
    algorithm: str,
    not_before: datetime | None,
    not_after: datetime | None,
) -> PublicKey:
    """Everything of a public key that every signature asks for, worked out once."""
    raw = key.public_key
    if not isinstance(raw, RawKey):  # joserfc knows curves that are none of ours
        raise TrustError("signature.algorithm", f"{type(raw).__name__} cannot verify here")
    return PublicKey(
        kid=kid or key.thumbprint(),
        algorithm=_fitting(key, algorithm),
        key=key,
        raw=raw,
        pem=key.as_pem(private=False).decode("ascii"),
        der=raw.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        not_before=not_before,
        not_after=not_after,
    )


def _fitting(key: JoseKey, algorithm: str) -> Algorithm:
    """The named algorithm, or the key's own, if the key can be used for it."""
    if not algorithm:
        match key:
            case ECKey():
                algorithm = _CURVES[key.raw_value.curve.name]
            case OKPKey():
                algorithm = "Ed25519"
            case _:
                algorithm = "PS256"  # RFC 8017, 8: PSS is the one for new applications
    found = ALGORITHMS.get(algorithm)
    if found is None:
        raise TrustError("signature.algorithm", f"{algorithm!r} is not allowed")
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError as error:
        raise TrustError("signature.algorithm", f"the key does not fit {algorithm}") from error
    return found
