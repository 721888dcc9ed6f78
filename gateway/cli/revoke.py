"""``luxor party revoke | certificates``: what an authority gave to a party, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.authority import Entry
from gateway.cli.issued import (
    authority_option,
    entry_row,
    kids,
    name_option,
    opened,
    party_registry_option,
    print_entries,
)
from gateway.cli.options import json_option
from gateway.cli.registry_file import load
from trust.certificates import pem_of
from trust.enrolment import REASONS, CertificatePurpose
from trust.identity import PartyId

_BEGINNING = 8
"""Digits of a serial that are enough, if no other of the party begins with them."""


@click.command(
    epilog="""\b
Examples:
    luxor party revoke post-a --reason key-compromise
    luxor party revoke post-a --serial 5b1c07aa --reason superseded
    luxor party revoke post-a --purpose tls"""
)
@name_option
@authority_option
@click.option(
    "--serial",
    "serials",
    multiple=True,
    help="This certificate only, or how it begins (8 digits); may be repeated.",
)
@click.option(
    "--purpose", type=click.Choice(["tls", "signing"]), help="Only certificates of this kind."
)
@click.option(
    "--reason",
    type=click.Choice([*REASONS]),
    default="unspecified",
    show_default=True,
    help="Why; a key that was compromised is never certified again.",
)
@party_registry_option
@json_option()
def revoke(
    *,
    party: PartyId,
    folder: Path,
    serials: tuple[str, ...],
    purpose: CertificatePurpose | None,
    reason: str,
    file: Path | None,
    as_json: bool,
) -> None:
    """Revoke what a party was given: all that is still valid, or what is named.

    The revocation list is written at once, and OCSP answers say so from the next one on. A signing
    key counts because a registry names it: take it out there too.
    """
    now = datetime.now(UTC)
    registry = None if file is None else load(file)
    with opened(folder) as office:
        given = office.ledger.of_party(party)
        if not given:
            raise click.ClickException(f"{party!r} has no certificate of this authority")
        asked = {_found(given, party, serial).serial for serial in serials}
        chosen = [
            entry
            for entry in given
            if (purpose is None or entry.purpose == purpose)
            and (
                entry.serial in asked
                if asked
                else entry.revoked_at is None and entry.parsed().not_valid_after_utc > now
            )
        ]
        if not chosen:
            raise click.ClickException(f"nothing of {party!r} is left to revoke")
        revoked = office.revoke([entry.serial for entry in chosen], reason=reason, now=now)
    signing = {entry.key_id for entry in revoked if entry.purpose == "signing"}
    named = sorted(kids(registry, signing))
    if as_json:
        rows = [entry_row(entry, now) for entry in revoked]
        print(json.dumps({"party": party, "revoked": rows, "registry_keys": named}))
        return
    for entry in revoked:
        print(f"{party}: {entry.purpose} certificate {entry.serial} is revoked")
    if named:
        print(f"take out of {file}: the keys {', '.join(named)} of {party}")
    elif signing and registry is None:
        print("a registry that names its signing key still trusts it: take the key out there")


@click.command(
    epilog="""\b
Examples:
    luxor party certificates post-a
    luxor party certificates post-a --pem 5b1c07aa > post-a.pem"""
)
@name_option
@authority_option
@click.option("--pem", metavar="SERIAL", help="Print that certificate, its issuer's behind it.")
@json_option()
def certificates(*, party: PartyId, folder: Path, pem: str | None, as_json: bool) -> None:
    """List the certificates that the authority gave to a party, or print one again."""
    with opened(folder) as office:
        entries = office.ledger.of_party(party)
        issuing = office.holdings.certificates["issuing"]
    if pem is None:
        print_entries(entries, now=datetime.now(UTC), as_json=as_json)
        return
    print(f"{pem_of(_found(entries, party, pem).parsed())}{pem_of(issuing)}", end="")


def _found(entries: Sequence[Entry], party: PartyId, serial: str) -> Entry:
    """The certificate of that serial, or of the only one that begins so; others end the command."""
    asked = serial.lower().replace(":", "").lstrip("0")
    for entry in entries:
        if entry.serial == asked:
            return entry
    found = [entry for entry in entries if entry.serial.startswith(asked)]
    if len(asked) < _BEGINNING or not found:
        raise click.ClickException(f"{party!r} has no certificate {serial}")
    if len(found) > 1:
        raise click.ClickException(f"{party!r} has several certificates that begin with {serial}")
    return found[0]
