"""What arrives: bytes and claims, exactly as received."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol

import msgspec

from gateway.core.identifiers import InterchangeId
from gateway.core.records import ProofMethod
from translators.translator import FormatId


class Content(Protocol):
    """The received bytes: in memory or spooled to a file; readable more than once."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    @property
    def digest(self) -> str:
        """SHA-256 in lower-case hexadecimal."""

    def open(self) -> BinaryIO:
        """A new reader from the start; the caller closes it."""

    def slices(self, size: int) -> Iterator[bytes]:
        """The bytes in pieces of at most ``size``, for the journal; at least one piece."""


class Transport(StrEnum):
    """How an envelope came in."""

    HTTPS = "https"
    GRPC = "grpc"
    FOLDER = "folder"
    OWN = "own"
    """The gateway's own notices."""


class SignedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A signature over the digest of the content that an ingress has proved.

    ``kid`` is a key of the sender, ``public_key`` that key as PEM; ``evidence`` is what
    :class:`gateway.core.records.Proof` keeps.
    """

    kid: str
    public_key: str
    method: ProofMethod
    evidence: bytes


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One submission before anything of its content has been looked at."""

    interchange_id: InterchangeId
    format: FormatId
    content: Content
    transport: Transport
    received_at: datetime
    signature: str | None = None
    """Detached JWS over the content, as received."""
    signed: SignedBy | None = None
    """What the ingress has proved beside it, or in its place."""

    on_behalf_of: str | None = None
    """The party in whose name it claims to be sent; a registered delegation has to prove it."""

    @property
    def digest(self) -> str:
        """SHA-256 of the content in lower-case hexadecimal."""
        return self.content.digest


class Bytes:
    """Content that fits in memory."""

    __slots__ = ("_content", "digest")

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.digest = hashlib.sha256(content).hexdigest()

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self._content)

    def open(self) -> BinaryIO:
        """A reader over the bytes."""
        return io.BytesIO(self._content)

    def slices(self, size: int) -> Iterator[bytes]:
        """The bytes in pieces of at most ``size``; one empty piece for no bytes."""
        for at in range(0, max(len(self._content), 1), size):
            yield self._content[at : at + size]
