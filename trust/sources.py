"""The PEM or token to which a registry text refers: in the text, or in a file that it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from trust.certificates import load_certificates, pem_of
from trust.errors import TrustError
from trust.tables import Report

_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+){2}")  # begins as '{"' does
Read = Callable[[str], bytes]
"""Gives the file of that name; raises ``OSError`` or ``ValueError`` when it can not."""


def read_pem(source: str, path: str, read: Read, report: Report) -> bytes | None:
    """The PEM that stands there, or that the named file has; ``None`` after it was reported."""
    if source.lstrip().startswith("-----BEGIN "):
        return source.encode()
    try:
        return read(source)
    except (OSError, ValueError) as error:
        report(path, f"cannot read {source!r}: {getattr(error, 'strerror', None) or error}")
        return None


def read_certificates(source: str, path: str, read: Read, report: Report) -> list[str]:
    """Every certificate of the source, one PEM each; none after a mistake was reported."""
    pem = read_pem(source, path, read, report)
    if pem is None:
        return []
    try:
        return [pem_of(certificate) for certificate in load_certificates(pem)]
    except TrustError as error:
        report(path, error.detail)
        return []


def read_token(source: str, path: str, read: Read, report: Report) -> str | None:
    """The compact JWS that stands there, or that the named file has; ``None`` after a report."""
    if _TOKEN.fullmatch(source.strip()):
        return source.strip()
    try:
        return read(source).decode("ascii").strip()
    except UnicodeDecodeError:
        report(path, f"{source!r} holds no token")
    except (OSError, ValueError) as error:
        report(path, f"cannot read {source!r}: {getattr(error, 'strerror', None) or error}")
    return None
