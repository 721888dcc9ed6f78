"""The folder of an authority as an option, and what commands say of certificates it issued."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from gateway.authority import AuthorityError, Entry, Office
from gateway.authority.office import open_office
from trust.authority import SigningPublicKey
from trust.enrolment import key_id
from trust.errors import TrustError
from trust.identity import PARTY_ID_PATTERN, PartyId
from trust.keys import load_public_key
from trust.party import Registry

_WIDE = 130
"""For a table that goes into a file or a pipe."""

folder_option = click.option(
    "--authority-dir",
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("authority"),
    show_default=True,
    help="The folder of the authority.",
)


class PartyIdType(click.ParamType[PartyId]):
    """The id of a party, well-formed."""

    name = "party"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> PartyId:
        """Lower case, digits, hyphens; anything else ends the command."""
        if not re.fullmatch(PARTY_ID_PATTERN, value):
            self.fail(f"{value!r} is no id of a party: lower case, digits, hyphens", param, ctx)
        return PartyId(value)


name_option = click.argument("party", metavar="NAME", type=PartyIdType())
authority_option = click.option(
    "--authority-dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("authority"),
    show_default=True,
    help="The folder of the authority.",
)
party_registry_option = click.option(
    "--registry",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The registry of a gateway: keys in it are no other party's, and it names the new one.",
)


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
    if not rows:
        print("no certificates")
        return
    table = Table(
        Column("party", overflow="fold"),
        "purpose",
        Column("serial", overflow="fold"),  # what is typed again is never cut
        "from",
        "until",
        "standing",
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
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table)


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


def owners(registry: Registry | None) -> Mapping[str, str]:
    """To whom the registry's signing keys belong, by ``key_id``."""
    if registry is None:
        return {}
    return {
        registered_key_id(key.public_key): party.id
        for party in registry.parties.values()
        for key in party.signing_keys
    }


def kids(registry: Registry | None, key_ids: set[str]) -> list[str]:
    """The names under which a registry has keys."""
    if registry is None:
        return []
    return [
        key.kid
        for party in registry.parties.values()
        for key in party.signing_keys
        if registered_key_id(key.public_key) in key_ids
    ]


def registered_key_id(pem: str) -> str:
    """The ``key_id`` of a key in a registry."""
    key = load_public_key(pem.encode()).public_key
    assert isinstance(key, SigningPublicKey)  # the only kinds that a registry takes
    return key_id(key)
