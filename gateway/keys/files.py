"""Signing keys in PEM files."""

from __future__ import annotations

from pathlib import Path

from gateway.keys.errors import KeyUnusable
from gateway.keys.permissions import read_private
from gateway.keys.secret import Secret
from trust.errors import TrustError
from trust.keys import KeySigner

_ENCRYPTED = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def file_signer(
    path: Path, *, password: Secret | None = None, kid: str = "", algorithm: str = ""
) -> KeySigner:
    """The signer of a PEM file that only its owner reads; raises ``KeyUnusable``."""
    pem = read_private(path)
    encrypted = any(mark in pem for mark in _ENCRYPTED)
    if encrypted and password is None:
        raise KeyUnusable(f"{path}: the key is encrypted; say where its password is")
    try:
        return KeySigner.from_pem(
            pem,
            kid=kid,
            algorithm=algorithm,
            password=password.reveal().encode() if encrypted and password is not None else None,
        )
    except TrustError as error:
        raise KeyUnusable(f"{path}: {error.detail}") from error
