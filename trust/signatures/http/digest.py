"""``Content-Digest`` (RFC 9530): what a signature knows of the content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from trust.algorithms import Hash
from trust.errors import TrustError
from trust.signatures.http.structured import read_bytes_by_key, write_bytes

HASHES: Mapping[str, Callable[[], Hash]] = MappingProxyType(
    {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
)
"""RFC 9530, 5: the active ones of its registry."""


def read_content_digest(value: str) -> Mapping[str, bytes]:
    """Digests by algorithm, one or both; raises ``signature.digest`` or ``.malformed``."""
    digests = read_bytes_by_key(value, "Content-Digest")
    for name, digest in digests.items():
        if name not in HASHES:
            raise TrustError("signature.digest", "Content-Digest is sha-256 or sha-512, or both")
        if len(digest) != len(HASHES[name]().digest()):
            raise TrustError("signature.digest", f"this is no {name}")
    return digests


def write_content_digest(sha256: bytes) -> str:
    """The field for content with this SHA-256."""
    return f"sha-256={write_bytes(sha256)}"


def check_content(digests: Mapping[str, bytes], pieces: Callable[[], Iterable[bytes]]) -> None:
    """Raise ``signature.digest`` unless every digest is that of the content.

    ``pieces`` gives the content from its start; it is read once for each digest.
    """
    for name, digest in digests.items():
        seen = HASHES[name]()
        for piece in pieces():
            seen.update(piece)
        if seen.digest() != digest:
            raise TrustError("signature.digest")
