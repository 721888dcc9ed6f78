"""``luxor party enrol | renew``: a certificate for whoever has the key of a request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.authority import Issued
from gateway.authority.files import put
from gateway.cli.issued import (
    authority_option,
    entry_row,
    name_option,
    opened,
    owners,
    party_registry_option,
    registered_key_id,
)
from gateway.cli.options import json_option
from gateway.cli.registry_file import certificate_row, load, party_of, replace
from trust.enrolment import CertificatePurpose
from trust.identity import PartyId
from trust.party import Registry
from trust.registry_insert import with_party_table

_purpose = click.option(
    "--purpose",
    type=click.Choice(["tls", "signing"]),
    default="tls",
    show_default=True,
    help="To connect with, or the key with which it signs what it sends.",
)
_days = click.option("--days", type=int, help="Shorter than what the authority's profile says.")
_out = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the certificate goes, its issuer's behind it; NAME.pem or NAME-signing.pem.",
)


@click.command(
    epilog="""\b
Examples:
    luxor party enrol post-a --csr post-a.csr --host gw.post-a.example
    luxor party enrol post-a --csr post-a-signing.csr --purpose signing \\
        --registry /etc/luxor/registry.toml --out /etc/luxor/keys/post-a.pem"""
)
@name_option
@click.option(
    "--csr",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="The party's request, PEM or DER; luxor certs request makes one.",
)
@authority_option
@_purpose
@click.option("--host", "hosts", multiple=True, help="A host for which it is; may be repeated.")
@_days
@_out
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@party_registry_option
@json_option()
def enrol(
    *,
    party: PartyId,
    csr: Path,
    folder: Path,
    purpose: CertificatePurpose,
    hosts: tuple[str, ...],
    days: int | None,
    out: Path | None,
    force: bool,
    file: Path | None,
    as_json: bool,
) -> None:
    """Give a party a certificate for the key of its request.

    The request must be signed by that key, and the key be nobody else's and for nothing else.
    Names in the request do not count: the certificate names the party NAME, and the hosts that
    --host gives. With --registry a signing certificate is added to the party's keys there.
    """
    target = _target(out, party, purpose)
    if target.exists() and not force:
        raise click.ClickException(f"{target} is there already; say --force or another --out")
    registry = None if file is None else load(file)
    if registry is not None and party not in registry.parties:
        ready = f" --certificate {target}" if purpose == "signing" else ""
        raise click.ClickException(
            f"{file} has no party {party}: enrol it without --registry, then run\n"
            f"luxor party add {party} --registry {file}{ready} …"
        )
    with opened(folder) as office:
        issued = office.enrol(
            party,
            csr.read_bytes(),
            purpose=purpose,
            now=datetime.now(UTC),
            hosts=hosts,
            days=days,
            owners=owners(registry),
        )
        authority = office.profile.id
    _hand_over(issued, target, file, registry, authority, as_json=as_json)


@click.command(
    epilog="""\b
Examples:
    luxor party renew post-a
    luxor party renew post-a --csr new-key.csr --out post-a-2.pem
    luxor party renew post-a --purpose signing --registry registry.toml"""
)
@name_option
@click.option(
    "--csr",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A request with a new key; without it the key stays.",
)
@authority_option
@_purpose
@_days
@_out
@party_registry_option
@json_option()
def renew(
    *,
    party: PartyId,
    csr: Path | None,
    folder: Path,
    purpose: CertificatePurpose,
    days: int | None,
    out: Path | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Give a party a new certificate for the hosts of its last one.

    The old one stays valid until it ends, so that nothing stops while they are exchanged.
    """
    registry = None if file is None else load(file)
    with opened(folder) as office:
        issued = office.renew(
            party,
            purpose=purpose,
            now=datetime.now(UTC),
            request=None if csr is None else csr.read_bytes(),
            days=days,
            owners=owners(registry),
        )
        authority = office.profile.id
    target = _target(out, party, purpose)
    _hand_over(issued, target, file, registry, authority, as_json=as_json)


def _target(out: Path | None, party: PartyId, purpose: CertificatePurpose) -> Path:
    return out or Path(f"{party}.pem" if purpose == "tls" else f"{party}-signing.pem")


def _hand_over(
    issued: Issued,
    target: Path,
    file: Path | None,
    registry: Registry | None,
    authority: str,
    *,
    as_json: bool,
) -> None:
    """Write the chain, add it to the registry where it counts by its name there, say so."""
    entry = issued.entry
    put(target, issued.chain.encode())
    notes: list[str] = []
    added = False
    if file is not None and registry is not None:
        party = party_of(registry, entry.party)
        if entry.purpose == "signing":
            added = _add_key(file, party.id, target, entry.key_id)
            notes.append(f"{file} names it" if added else f"{file} has this key already")
        elif authority not in party.authorities:
            notes.append(
                f"{file} does not let authority {authority!r} vouch for {party.id}: "
                "add it to its authorities"
            )
    if issued.passed_over:
        names = ", ".join(issued.passed_over)
        notes.append(f"not in it, though the request had it: {names} (say --host)")
    row = entry_row(entry, entry.issued_at)
    if as_json:
        answer = {**row, "file": str(target), "in_registry": added, "notes": notes}
        answer["passed_over"] = list(issued.passed_over)
        print(json.dumps(answer))
        return
    print(f"{entry.party}: {entry.purpose} certificate {entry.serial}")
    print(f"for the key {entry.key_id}")
    print(f"{target}: until {row['not_after'][:10]}")
    for note in notes:
        print(note)


def _add_key(file: Path, party: PartyId, target: Path, key: str) -> bool:
    """Add ``[[party.key]]`` with the certificate; whether the registry lacked it.

    A renewed certificate over the same key replaces nothing by itself: the registry has one row
    per key name, so the file that it names is what is written anew.
    """

    def has(registry: Registry) -> bool:
        known = registry.party(party).signing_keys
        return key in (registered_key_id(one.public_key) for one in known)

    if has(load(file)):
        return False
    text = with_party_table(file.read_text("utf-8"), party, certificate_row(file, target))
    if text is None:
        raise click.ClickException(f"no line id = {party!r} under a [[party]] in {file}")

    replace(file, text, expect=has)
    return True
