"""The JWS algorithms that may sign: RFC 7518 and RFC 9864, nothing below SHA-256.

The arithmetic is that of ``cryptography``, called without anything between; what is added here is
the encoding that JOSE gives an ECDSA signature. Where an algorithm hashes first, it can be given
the digest in place of the message, so that content larger than memory is hashed as it is read.
``joserfc`` is what the tests hold all of it against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)


class Hash(Protocol):
    """What ``hashlib`` gives."""

    @property
    def digest_size(self) -> int:
        """Octets of the digest."""

    def update(self, data: bytes, /) -> None:
        """Take more of the message."""

    def digest(self) -> bytes:
        """The hash of what was taken."""


class Arithmetic(Protocol):
    """Signing and proving with a ``cryptography`` key that fits; signatures as JOSE has them."""

    def sign(self, message: bytes, key: Any) -> bytes:
        """The signature of the message."""

    def prove(self, message: bytes, signature: bytes, key: Any) -> None:
        """Return if the key made it; whatever is raised otherwise means no."""


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """One algorithm.

    ``message`` and ``digested`` sign and prove a message, or its digest; ``digested`` and ``hash``
    are ``None`` where the message is needed whole.
    """

    name: str
    message: Arithmetic
    digested: Arithmetic | None = None
    hash: Callable[[], Hash] | None = None


class _Ed25519:
    """RFC 8032, 5.1: it hashes twice, and so takes the message whole."""

    def sign(self, message: bytes, key: Any) -> bytes:
        signature: bytes = key.sign(message)
        return signature

    def prove(self, message: bytes, signature: bytes, key: Any) -> None:
        key.verify(signature, message)


class _Ecdsa:
    """RFC 7518, 3.4: the numbers R and S side by side, each as long as the order of the curve."""

    def __init__(self, hash_: hashes.HashAlgorithm | Prehashed, *, octets: int) -> None:
        self._how = ec.ECDSA(hash_)
        self._octets = octets

    def sign(self, message: bytes, key: Any) -> bytes:
        r, s = decode_dss_signature(key.sign(message, self._how))
        return r.to_bytes(self._octets, "big") + s.to_bytes(self._octets, "big")

    def prove(self, message: bytes, signature: bytes, key: Any) -> None:
        octets = self._octets
        if len(signature) != 2 * octets:
            raise InvalidSignature
        r = int.from_bytes(signature[:octets], "big")
        s = int.from_bytes(signature[octets:], "big")
        key.verify(encode_dss_signature(r, s), message, self._how)


class _Rsa:
    """RFC 7518, 3.3 and 3.5."""

    def __init__(
        self, hash_: hashes.HashAlgorithm | Prehashed, filling: padding.AsymmetricPadding
    ) -> None:
        self._hash = hash_
        self._filling = filling

    def sign(self, message: bytes, key: Any) -> bytes:
        signature: bytes = key.sign(message, self._filling, self._hash)
        return signature

    def prove(self, message: bytes, signature: bytes, key: Any) -> None:
        key.verify(signature, message, self._filling, self._hash)


_HASHES: Mapping[str, tuple[Callable[[], Hash], hashes.HashAlgorithm]] = MappingProxyType(
    {
        "256": (hashlib.sha256, hashes.SHA256()),
        "384": (hashlib.sha384, hashes.SHA384()),
        "512": (hashlib.sha512, hashes.SHA512()),
    }
)


def _ecdsa(bits: str, octets: int) -> Algorithm:
    hash_, primitive = _HASHES[bits]
    return Algorithm(
        name=f"ES{bits}",
        message=_Ecdsa(primitive, octets=octets),
        digested=_Ecdsa(Prehashed(primitive), octets=octets),
        hash=hash_,
    )


def _rsa(family: str, bits: str) -> Algorithm:
    hash_, primitive = _HASHES[bits]
    filling: padding.AsymmetricPadding = padding.PKCS1v15()
    if family == "PS":  # RFC 7518, 3.5: the salt is as long as the digest
        filling = padding.PSS(mgf=padding.MGF1(primitive), salt_length=primitive.digest_size)
    return Algorithm(
        name=f"{family}{bits}",
        message=_Rsa(primitive, filling),
        digested=_Rsa(Prehashed(primitive), filling),
        hash=hash_,
    )


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        algorithm.name: algorithm
        for algorithm in (
            Algorithm(name="Ed25519", message=_Ed25519()),
            _ecdsa("256", 32),
            _ecdsa("384", 48),
            *(_rsa(family, bits) for family in ("PS", "RS") for bits in _HASHES),
        )
    }
)
"""By JWS name. Never a shared secret, never ``none``."""
