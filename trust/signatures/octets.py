"""base64 in its one spelling (RFC 4648, 4): with its padding, and nothing else in it."""

from __future__ import annotations

import binascii


def read_base64(written: str) -> bytes | None:
    """The octets; ``None`` for any text that they would not be written as."""
    try:
        packed = written.encode("ascii")
        found = binascii.a2b_base64(packed)
    except ValueError:  # binascii's own, and characters beyond ASCII
        return None
    # What was skipped in reading does not come back, nor do stray bits (RFC 4648, 3.5).
    return found if binascii.b2a_base64(found, newline=False) == packed else None
