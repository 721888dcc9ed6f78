"""A signing key that never leaves its token (PKCS #11, version 2.40 and later).

Messages are hashed here and the token signs the digest, so that content of any size costs one
short call; Ed25519 alone is given the message.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import AttributeSensitive, AttributeTypeInvalid, FunctionFailed

from gateway.core.errors import Unavailable
from gateway.keys.device import Modules, TokenSession
from gateway.keys.errors import KeyUnusable
from gateway.keys.reference import TokenReference
from gateway.keys.secret import Secret
from trust.errors import TrustError
from trust.keys import PublicKey, Signer, verifying_key

_SELF_TEST = b"luxor: does this token sign with the key that it shows?"
_P256 = bytes.fromhex("06082a8648ce3d030107")  # RFC 5480, 2.1.1.1: the DER of the curve's name
_P384 = bytes.fromhex("06052b81040022")
_ED25519 = (
    bytes.fromhex("06032b6570"),  # RFC 8410, 3: id-Ed25519
    b"\x13\x0cedwards25519",  # PKCS #11 3.0, 6.3.5: the curve's name as PrintableString
)
_HASHES: dict[str, tuple[str, Mechanism, MGF]] = {
    "256": ("sha256", Mechanism.SHA256, MGF.SHA256),
    "384": ("sha384", Mechanism.SHA384, MGF.SHA384),
    "512": ("sha512", Mechanism.SHA512, MGF.SHA512),
}
_DIGEST_INFO = {  # RFC 8017, 9.2, note 1
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


class TokenSigner:
    """A ``trust.keys.Signer`` whose key is on a token; :meth:`open` makes it."""

    waits = True

    def __init__(self, session: TokenSession, reference: TokenReference, key: PublicKey) -> None:
        self._session = session
        self._reference = reference
        self._handle: tuple[Any, Any] | None = None
        self.public_key = key
        self.kid = key.kid

    @classmethod
    def open(
        cls,
        reference: TokenReference,
        *,
        pin: Secret | None,
        modules: Modules,
        kid: str = "",
        algorithm: str = "",
    ) -> TokenSigner:
        """Log in, find the key and have it sign once; raises ``KeyUnusable``."""
        session = TokenSession(reference, pin=pin, modules=modules)
        try:
            public = session.use(lambda open_: _public_half(open_, reference))
            key = verifying_key(public, kid=kid, algorithm=algorithm)
            signer = cls(session, reference, key)
            signer.prove()
        except (Unavailable, TrustError) as error:
            session.close()
            reason = error.detail if isinstance(error, TrustError) else error.reason
            raise KeyUnusable(f"{reference}: {reason}") from error
        except BaseException:
            session.close()
            raise
        return signer

    @property
    def alg(self) -> str:
        """The JWS name of the key's algorithm."""
        return self.public_key.algorithm.name

    def chosen(self) -> Signer:
        """This key."""
        return self

    def sign(self, message: bytes) -> bytes:
        """The signature of the message in its JOSE encoding; raises ``Unavailable``."""
        if self.public_key.algorithm.hash is None:
            return self._made(message, mechanism=Mechanism.EDDSA)
        seen = self.public_key.algorithm.hash()
        seen.update(message)
        return self.sign_digest(seen.digest())

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature of a message with this digest; raises ``Unavailable``.

        Ed25519 raises ``signature.algorithm``.
        """
        if self.public_key.algorithm.hash is None:
            raise TrustError("signature.algorithm", f"{self.alg} signs whole messages only")
        name, hash_, mask = _HASHES[self.alg[2:]]
        if len(digest) != hashlib.new(name).digest_size:
            raise TrustError("signature.algorithm", f"{self.alg} signs digests of {name}")
        match self.alg[:2]:
            case "ES":  # PKCS #11, 2.3.1: r and s side by side, which is how JOSE has them
                return self._made(digest, mechanism=Mechanism.ECDSA)
            case "PS":  # RFC 7518, 3.5: the salt is as long as the digest
                parameters = (hash_, mask, len(digest))
                return self._made(
                    digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=parameters
                )
            case _:
                return self._made(_DIGEST_INFO[name] + digest, mechanism=Mechanism.RSA_PKCS)

    def prove(self) -> None:
        """Raise ``TrustError`` unless what the token signs fits the public key that it shows."""
        signature = self.sign(_SELF_TEST)
        try:
            self.public_key.verify(_SELF_TEST, signature)
        except TrustError as error:
            detail = "its signature does not fit its public key"
            raise TrustError("signature.invalid", detail) from error

    def close(self) -> None:
        """Let go of the token. May be called twice."""
        self._session.close()

    def _made(self, content: bytes, **how: Any) -> bytes:
        def work(session: Any) -> bytes:
            if self._handle is None or self._handle[0] is not session:
                self._handle = session, _private_half(session, self._reference)
            return bytes(self._handle[1].sign(content, **how))

        try:
            return self._session.use(work)
        except KeyUnusable as error:  # it was usable when it was opened, so it may be again
            raise Unavailable(f"the signing key: {error}", reached=True) from error


def _private_half(session: Any, reference: TokenReference) -> Any:
    """The one private key of that name; raises ``KeyUnusable``."""
    found = _objects(session, ObjectClass.PRIVATE_KEY, label=reference.label, id_=reference.id)
    if len(found) != 1:
        many = "several private keys fit; name the id too" if found else "no private key fits"
        hint = "" if found or reference.pin is not None else "; without a PIN a token shows none"
        raise KeyUnusable(f"{reference}: {many}{hint}")
    key = found[0]
    if _attribute(key, Attribute.SIGN) is False:
        raise KeyUnusable(f"{reference}: this key may not sign")
    if _attribute(key, Attribute.ALWAYS_AUTHENTICATE):
        raise KeyUnusable(f"{reference}: this key wants its PIN for each signature")
    return key


def _public_half(session: Any, reference: TokenReference) -> object:
    """The public key as ``cryptography`` has it; raises ``KeyUnusable``.

    From the public object with the private one's id or label; an RSA private object has both
    numbers itself.
    """
    private = _private_half(session, reference)
    id_ = _attribute(private, Attribute.ID) or None
    label = _attribute(private, Attribute.LABEL) or None
    shown: list[Any] = []
    for names in ((label, id_), (None, id_), (label, None)):
        if not shown and names != (None, None):
            shown = _objects(session, ObjectClass.PUBLIC_KEY, label=names[0], id_=names[1])
    for candidate in (*shown, private):
        try:
            public = _read_public(candidate)
        except ValueError as error:
            raise KeyUnusable(f"{reference}: its public key cannot be read") from error
        if public is not None:
            return public
    raise KeyUnusable(f"{reference}: the token has no public key beside it")


def _read_public(key: Any) -> object | None:
    """``None`` when the object does not show its numbers; raises ``ValueError`` for odd ones."""
    kind = _attribute(key, Attribute.KEY_TYPE)
    if kind == KeyType.RSA:
        modulus = _attribute(key, Attribute.MODULUS)
        exponent = _attribute(key, Attribute.PUBLIC_EXPONENT)
        if not modulus or not exponent:
            return None
        numbers = int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")
        return rsa.RSAPublicNumbers(*numbers).public_key()
    curve, point = _attribute(key, Attribute.EC_PARAMS), _attribute(key, Attribute.EC_POINT)
    if not curve or not point:
        return None
    if curve in _ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(_unwrapped(point, 32))
    if curve == _P256:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _unwrapped(point, 65))
    if curve == _P384:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), _unwrapped(point, 97))
    raise ValueError("another curve")


def _unwrapped(point: bytes, size: int) -> bytes:
    """The point itself: the standard wants a DER OCTET STRING around it, not all tokens do."""
    if len(point) == size + 2 and point[:2] == bytes((0x04, size)):
        return bytes(point[2:])
    return bytes(point)


def _objects(session: Any, kind: ObjectClass, *, label: str | None, id_: bytes | None) -> list[Any]:
    wanted: dict[Attribute, Any] = {Attribute.CLASS: kind}
    if label is not None:
        wanted[Attribute.LABEL] = label
    if id_ is not None:
        wanted[Attribute.ID] = id_
    return list(session.get_objects(wanted))


def _attribute(key: Any, name: Attribute) -> Any:
    """The value; ``None`` for one that this kind of object does not have or show."""
    try:
        return key[name]
    except (AttributeTypeInvalid, AttributeSensitive, FunctionFailed):
        return None  # FunctionFailed is the wrapper's word for a value that is not there
