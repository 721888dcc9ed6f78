"""The PEM to which a registry text refers: in the text itself, or in a file that it names."""

from __future__ import annotations

from collections.abc import Callable

from trust.certificates import load_certificates, pem_of
from trust.errors import TrustError
from trust.tables import Report

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
