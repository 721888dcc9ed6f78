"""The folder of an authority as an option, and certificates of its ledger as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from gateway.authority import AuthorityError, Entry, Office
from gateway.authority.office import open_office
from trust.errors import TrustError

folder_option = click.option(
    "--authority-dir",
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("authority"),
    show_default=True,
    help="The folder of the authority.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@contextmanager
def said() -> Iterator[None]:
    """What the authority refuses ends the command with that sentence."""
    try:
        yield
    except AuthorityError as error:
        raise click.ClickException(str(error)) from error
    except TrustError as error:
        raise click.ClickException(error.detail) from error


@contextmanager
def opened(folder: Path) -> Iterator[Office]:
    """The authority of a folder, for one command."""
    with said(), open_office(folder) as office:
        yield office


def print_entries(entries: Sequence[Entry], *, now: datetime, as_json: bool) -> None:
    """Certificates of the ledger, as a table or as JSON."""
    rows = [entry_row(entry, now) for entry in entries]
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(
        "party", "purpose", Column("serial", overflow="fold"), "from", "until", "standing"
    )
    for row in rows:
        colour = "green" if row["standing"] == "good" else "red"
        table.add_row(
            row["party"] or "-",
            row["purpose"],
            row["serial"],
            row["not_before"][:10],
            row["not_after"][:10],
            f"[{colour}]{row['standing']}",
        )
    Console().print(table)


def entry_row(entry: Entry, now: datetime) -> dict[str, str]:
    """What a person or a program wants to know of an entry."""
    certificate = entry.parsed()
    end = certificate.not_valid_after_utc
    standing = "good" if now <= end else "expired"
    if entry.revoked_at is not None:
        standing = f"revoked ({entry.reason})"
    return {
        "party": entry.party,
        "purpose": entry.purpose,
        "serial": entry.serial,
        "issuer": entry.issuer,
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": end.isoformat(),
        "issued_at": entry.issued_at.isoformat(),
        "key_id": entry.key_id,
        "standing": standing,
        "revoked_at": "" if entry.revoked_at is None else entry.revoked_at.isoformat(),
    }
