"""The JWS algorithms that may sign: RFC 7518 and RFC 9864, nothing below SHA-256.

joserfc's models do the arithmetic and the JOSE encodings. A copy of each model takes the digest
in place of the message, so that content larger than memory is hashed as it is read.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from joserfc.jws import JWSRegistry


class Hash(Protocol):
    """What ``hashlib`` gives."""

    def update(self, data: bytes, /) -> None:
        """Take more of the message."""

    def digest(self) -> bytes:
        """The hash of what was taken."""


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """One algorithm.

    ``message`` and ``digested`` are joserfc models that sign and verify a message, or its digest;
    ``digested`` and ``hash`` are ``None`` where the message is needed whole.
    """

    name: str
    message: Any
    digested: Any = None
    hash: Callable[[], Hash] | None = None


def _whole(name: str) -> Algorithm:
    return Algorithm(name=name, message=JWSRegistry.algorithms[name])


def _hashed(name: str, hash_: Callable[[], Hash], primitive: hashes.HashAlgorithm) -> Algorithm:
    message = JWSRegistry.algorithms[name]
    digested = cast("Any", copy.copy(message))
    digested.hash_alg = lambda: Prehashed(primitive)
    return Algorithm(name=name, message=message, digested=digested, hash=hash_)


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        algorithm.name: algorithm
        for algorithm in (
            _whole("Ed25519"),
            _hashed("ES256", hashlib.sha256, hashes.SHA256()),
            _hashed("ES384", hashlib.sha384, hashes.SHA384()),
            _hashed("PS256", hashlib.sha256, hashes.SHA256()),
            _hashed("PS384", hashlib.sha384, hashes.SHA384()),
            _hashed("PS512", hashlib.sha512, hashes.SHA512()),
            _hashed("RS256", hashlib.sha256, hashes.SHA256()),
            _hashed("RS384", hashlib.sha384, hashes.SHA384()),
            _hashed("RS512", hashlib.sha512, hashes.SHA512()),
        )
    }
)
"""By JWS name. Never a shared secret, never ``none``."""
