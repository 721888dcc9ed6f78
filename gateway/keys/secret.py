"""Passwords and PINs: where they come from, and a value that does not show itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NoReturn

import msgspec

from gateway.keys.errors import KeyUnusable
from gateway.keys.permissions import read_private

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Set by systemd for a unit with ``LoadCredential=`` (systemd.exec)."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


class Secret:
    """A text that stays out of logs, representations and copies on disk."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


class SecretSource(msgspec.Struct, frozen=True):
    """Where a secret is: in a file, an environment variable or a credential of systemd."""

    kind: Literal["file", "env", "credential"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def secret_source(text: str) -> SecretSource:
    """Read ``file:PATH``, ``env:NAME`` or ``credential:NAME``; a bare path is a file.

    Raises ``KeyUnusable`` without repeating the text: it may be the secret itself.
    """
    kind, colon, name = text.partition(":")
    if kind == "file" and colon and name:
        return SecretSource("file", name.removeprefix("//"))
    if kind in ("env", "credential") and _NAME.fullmatch(name):
        return SecretSource("env" if kind == "env" else "credential", name)
    if not colon and "/" in text:
        return SecretSource("file", text)
    raise KeyUnusable("say where it is: file:PATH, env:NAME or credential:NAME; never itself")


def read_secret(source: SecretSource, *, folder: Path, environ: Mapping[str, str]) -> Secret:
    """The secret; a line break at its end does not belong to it. Raises ``KeyUnusable``.

    ``folder`` is what paths are relative to. A file that others may read is refused.
    """
    if source.kind == "env":
        text = environ.get(source.name, "")
        if not text:
            raise KeyUnusable(f"the environment has no {source.name}")
        return Secret(text)
    if source.kind == "credential":
        directory = environ.get(CREDENTIALS)
        if not directory:
            raise KeyUnusable(f"{source}: {CREDENTIALS} is not set; systemd sets it for a service")
        # Its permissions are systemd's business: with an access list the mode says little.
        content = read_private(Path(directory) / source.name, strict=False)
    else:
        content = read_private(folder / source.name)
    return Secret(_line(content, source))


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ


def _line(content: bytes, source: SecretSource) -> str:
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise KeyUnusable(f"{source}: it is not a text") from None  # the error quotes the content
    if not text or "\n" in text:
        raise KeyUnusable(f"{source}: it is not one line of text")
    return text
