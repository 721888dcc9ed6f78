"""What is sent: bytes or a file, read in pieces, as often as it takes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

from trust.keys import Signer
from trust.signatures.jws import sign_detached

PIECE_BYTES = 64 * 1024

Progress = Callable[[int], None]
"""Told how many bytes have left so far; starts again when a connection was cut."""


class Source:
    """Content to be sent. A file must not change before it was taken."""

    def __init__(self, content: bytes | Path) -> None:
        """Raises ``OSError`` for a file that cannot be read."""
        self._content = content
        self.size = content.stat().st_size if isinstance(content, Path) else len(content)
        self.digest = ""
        """SHA-256 in lower-case hexadecimal of what was last sent to its end."""

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces; blocks while a file is read."""
        if isinstance(self._content, bytes):
            for at in range(0, len(self._content), PIECE_BYTES):
                yield self._content[at : at + PIECE_BYTES]
            return
        with self._content.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def whole(self) -> bytes:
        """All of it at once, for transports that know no other way."""
        content = self._content if isinstance(self._content, bytes) else self._content.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        return content

    async def stream(self, progress: Progress | None) -> AsyncIterator[bytes]:
        """The content from its start, counted and hashed as it leaves."""
        seen, sent = hashlib.sha256(), 0
        for piece in self.pieces():
            seen.update(piece)
            yield piece
            sent += len(piece)
            if progress is not None:
                progress(sent)
        self.digest = seen.hexdigest()

    async def sha256(self) -> bytes:
        """SHA-256 of all of it."""
        return await asyncio.to_thread(self._sha256)

    def _sha256(self) -> bytes:
        seen = hashlib.sha256()
        for piece in self.pieces():
            seen.update(piece)
        return seen.digest()

    async def sign(
        self,
        signer: Signer,
        *,
        interchange_id: str,
        format_id: str,
        audience: str,
        now: datetime,
        on_behalf_of: str | None = None,
    ) -> str:
        """A detached JWS over the content; raises ``TrustError`` when the key cannot do it."""
        return await asyncio.to_thread(
            sign_detached,
            self.pieces(),
            signer=signer,
            interchange_id=interchange_id,
            format=format_id,
            audience=audience,
            now=now,
            on_behalf_of=on_behalf_of,
        )
