"""Stored bytes: one byte that names the codec, then the encoded content.

Codecs are never renumbered: 0 = as it is, 1 = Zstandard frame (RFC 8878) with size and checksum,
2 = the three decoded parts of a compact JWS (RFC 7515, 3.1), whose base64url is rebuilt exactly.
"""

from __future__ import annotations

import base64
import binascii
import threading

import zstandard

_PLAIN, _ZSTD, _JWS = b"\x00", b"\x01", b"\x02"
_LEVEL = 3
_WORTHWHILE = 64  # bytes; a frame's own overhead is about 18


class Codec:
    """Packs and unpacks; one instance may be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # a Zstandard context serves one thread at a time
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()

    def pack(self, content: bytes) -> bytes:
        """The stored form of any bytes, compressed when that makes them smaller."""
        if len(content) >= _WORTHWHILE:
            with self._lock:
                frame = self._compressor.compress(content)
            if len(frame) < len(content):
                return _ZSTD + frame
        return _PLAIN + content

    def pack_token(self, token: str) -> bytes:
        """The stored form of a text, shorter when it is a compact JWS with an inline payload."""
        content = token.encode()
        parts = content.split(b".")
        if len(parts) == 3:
            try:
                decoded = [base64.urlsafe_b64decode(part + b"==") for part in parts]
            except binascii.Error:
                return _PLAIN + content
            stored = _JWS + b"".join(len(part).to_bytes(4, "big") + part for part in decoded)
            # Only what is rebuilt byte for byte is stored so: a receipt is evidence.
            if self.unpack(stored) == content:
                return stored
        return _PLAIN + content

    def unpack(self, stored: bytes) -> bytes:
        """The content as it was packed; raises ``ValueError`` for damaged or foreign bytes."""
        codec, content = stored[:1], stored[1:]
        if codec == _PLAIN:
            return content
        if codec == _ZSTD:
            try:
                with self._lock:
                    return self._decompressor.decompress(content)
            except zstandard.ZstdError as error:
                raise ValueError("stored bytes are damaged") from error
        if codec == _JWS:
            return _joined(content)
        raise ValueError("stored bytes name an unknown codec")


def _joined(content: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "big")
        parts.append(base64.urlsafe_b64encode(content[at + 4 : end]).rstrip(b"="))
        at = end
    return b".".join(parts)
