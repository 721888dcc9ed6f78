"""Stored bytes: one byte that names the codec, then the encoded content.

Codecs are never renumbered: 0 = as it is, 1 = Zstandard frame (RFC 8878) with size and checksum,
2 = the three decoded parts of a compact JWS (RFC 7515, 3.1), whose base64url is rebuilt exactly,
3 = a Zstandard frame that names its dictionary: one of the files beside this module, of which none
is ever changed or deleted, since rows need them. They are made of made-up messages
(``bench/dictionaries.py``): one of traffic would hold personal data for longer than the journal.
"""

from __future__ import annotations

import binascii
import threading
from importlib import resources

import zstandard

# RFC 8878, 6.2: numbers from 32,768 to 2^31 - 1 are for private use.
DICTIONARIES = {"json": 32_769, "xml": 32_770}
"""What new content is packed with, by its syntax."""

# RFC 4648, 5: the alphabet that is safe in URLs has these two in place of + and /.
_URL_SAFE, _STANDARD = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_PLAIN, _ZSTD, _JWS, _ZSTD_WITH = b"\x00", b"\x01", b"\x02", b"\x03"
_SYNTAX = {b"{": "json", b"[": "json", b"<": "xml"}
_LEVEL = 3
_WORTHWHILE = 64  # bytes; a frame's own overhead is about 18


class Codec:
    """Packs and unpacks; one instance may be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # a Zstandard context serves one thread at a time
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()
        self._with: dict[str, zstandard.ZstdCompressor] = {}
        self._of: dict[int, zstandard.ZstdDecompressor] = {}

    def pack(self, content: bytes) -> bytes:
        """The stored form of any bytes, compressed when that makes them smaller."""
        if len(content) >= _WORTHWHILE:
            syntax = _SYNTAX.get(content[:1])
            with self._lock:
                compressor = self._compressor if syntax is None else self._compressor_of(syntax)
                frame = compressor.compress(content)
            if len(frame) < len(content):
                return (_ZSTD if syntax is None else _ZSTD_WITH) + frame
        return _PLAIN + content

    def _compressor_of(self, syntax: str) -> zstandard.ZstdCompressor:
        if syntax not in self._with:
            dictionary = _dictionary(DICTIONARIES[syntax])
            dictionary.precompute_compress(level=_LEVEL)
            self._with[syntax] = zstandard.ZstdCompressor(
                level=_LEVEL, write_checksum=True, dict_data=dictionary
            )
        return self._with[syntax]

    def _decompressor_of(self, frame: bytes) -> zstandard.ZstdDecompressor:
        number = zstandard.get_frame_parameters(frame).dict_id
        if number not in self._of:
            self._of[number] = zstandard.ZstdDecompressor(dict_data=_dictionary(number))
        return self._of[number]

    def pack_token(self, token: str) -> bytes:
        """The stored form of a text, shorter when it is a compact JWS with an inline payload."""
        content = token.encode()
        parts = content.split(b".")
        if len(parts) != 3:
            return _PLAIN + content
        stored = [_JWS]
        for part in parts:
            decoded = _decoded(part)
            # Only what is rebuilt byte for byte is stored so: a receipt is evidence.
            if decoded is None or _encoded(decoded) != part:
                return _PLAIN + content
            stored += (len(decoded).to_bytes(4, "big"), decoded)
        return b"".join(stored)

    def unpack(self, stored: bytes) -> bytes:
        """The content as it was packed; raises ``ValueError`` for damaged or foreign bytes."""
        codec, content = stored[:1], stored[1:]
        if codec == _PLAIN:
            return content
        if codec in (_ZSTD, _ZSTD_WITH):
            try:
                with self._lock:
                    decompressor = self._decompressor
                    if codec == _ZSTD_WITH:
                        decompressor = self._decompressor_of(content)
                    return decompressor.decompress(content)
            except zstandard.ZstdError as error:
                raise ValueError("stored bytes are damaged") from error
        if codec == _JWS:
            return _joined(content)
        raise ValueError("stored bytes name an unknown codec")


def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """The dictionary of that number; raises ``ValueError`` when there is none."""
    for file in resources.files("gateway.store").iterdir():
        if file.name.endswith(f".{number}.zdict"):
            return zstandard.ZstdCompressionDict(file.read_bytes())
    raise ValueError("stored bytes name an unknown dictionary")


def _joined(content: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "big")
        parts.append(_encoded(content[at + 4 : end]))
        at = end
    return b".".join(parts)


def _encoded(content: bytes) -> bytes:
    """Base64url without padding (RFC 7515, 2)."""
    return binascii.b2a_base64(content, newline=False).translate(_URL_SAFE).rstrip(b"=")


def _decoded(part: bytes) -> bytes | None:
    """What gives the part when it is encoded, and something else for what nothing gives."""
    try:
        return binascii.a2b_base64(part.translate(_STANDARD) + b"==")
    except binascii.Error:
        return None
