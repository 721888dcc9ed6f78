"""The steps of an examination for people and programs, and what an examiner trusts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from cryptography import x509
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trust.certificates import load_certificates
from trust.errors import TrustError
from trust.findings import Findings
from trust.keys import PublicKey, load_public_key, verifying_key
from trust.lists import MAX_CRL_BYTES
from trust.receipt_proof import Trusted

MAX_PEM_BYTES = 1024 * 1024
_MARKS = {"proved": ("✓", "green"), "failed": ("✗", "red"), "unchecked": ("–", "yellow")}


def trusted(authorities: Iterable[Path], lists: Iterable[Path], key: Path | None) -> Trusted:
    """What files of the command line come to; raises ``click.UsageError`` with the file's name."""
    return Trusted(
        authorities=tuple(found for path in authorities for found in _certificates(path)),
        key=None if key is None else public_key(key),
        lists={str(path): _content(path, MAX_CRL_BYTES) for path in lists},
    )


def as_rows(found: Findings) -> Any:
    """The steps for JSON."""
    return msgspec.to_builtins(found.all)


def print_findings(found: Findings, console: Console) -> None:
    """One line for each step."""
    table = Table.grid(padding=(0, 2))
    for step in found.all:
        mark, colour = _MARKS[step.standing]
        said = f"{step.said} ({step.code})" if step.code else step.said
        table.add_row(Text(mark, style=colour), Text(step.step), Text(said, overflow="fold"))
    console.print(table)


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return load_certificates(_content(path, MAX_PEM_BYTES))
    except TrustError as error:
        raise click.UsageError(f"{path}: {error.detail}") from error


def public_key(path: Path) -> PublicKey:
    """The public key of a PEM file; raises ``click.UsageError``."""
    try:
        return verifying_key(load_public_key(_content(path, MAX_PEM_BYTES)).public_key)
    except TrustError as error:
        raise click.UsageError(f"{path}: {error.detail}") from error


def _content(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise click.UsageError(f"{path}: larger than {most} bytes")
    return content
