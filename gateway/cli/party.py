"""``luxor party``: look at a registry of parties, and change it where people keep it, in TOML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from gateway.cli.delegations import (
    accept_delegation,
    delegate,
    delegations,
    withdraw_delegation,
)
from gateway.cli.enrol import enrol, renew
from gateway.cli.groups import Described
from gateway.cli.options import json_option
from gateway.cli.party_views import check_parties, list_parties, show_party, summary
from gateway.cli.registry_file import (
    certificate_row,
    load,
    party_of,
    registry_option,
    replace,
)
from gateway.cli.revoke import certificates, revoke
from gateway.cli.succession import accept_key, announce_key
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import signing_key
from trust.members import Identification, Party
from trust.party import Registry
from trust.registry_write import with_suspended, write_party


@click.group(cls=Described)
def party() -> None:
    """Parties of a registry: who they are, who vouches for them, what they may send."""


@party.command(
    epilog="""\b
Examples:
    luxor party add post-c --role post --country FR --authority luxor \\
        --format 'upu.*' --kind ItemDeclaration --for '*' --speaks upu.cusrsp.1
    luxor party add shop-2 --role platform --authority luxor --certificate shop-2-signing.pem \\
        --must-sign --format luxor.json.1 --kind Order --for '*'
    luxor party add shop-3 --role platform --identified-by signature --key shop-3.pub \\
        --format luxor.json.1 --kind Order --for '*'"""
)
@click.argument("identifier", metavar="ID")
@registry_option
@click.option("--name", default="", help="Its name for people.")
@click.option("--role", "roles", multiple=True, help="A role; may be repeated.")
@click.option("--country", help="ISO 3166-1 alpha-2.")
@click.option("--operator", "operators", multiple=True, help="A code that names it in messages.")
@click.option("--authority", "authorities", multiple=True, help="Who may vouch for it.")
@click.option("--thumbprint", "thumbprints", multiple=True, help="A certificate to pin, SHA-256.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with a public key with which it signs, PEM.",
)
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with a signing certificate, in place of --key; the registry names the file.",
)
@click.option(
    "--speaks", multiple=True, help="A format that it understands, the one it likes best first."
)
@click.option(
    "--identified-by",
    multiple=True,
    type=click.Choice(get_args(Identification)),
    default=("certificate",),
    show_default=True,
    help="How it connects: by a client certificate, by signing each request; may be repeated.",
)
@click.option("--must-sign", is_flag=True, help="Refuse what it sends unsigned.")
@click.option("--format", "formats", multiple=True, help="A format that it may send; a glob.")
@click.option("--kind", "kinds", multiple=True, help="A kind of message that it may send; a glob.")
@click.option("--for", "countries", multiple=True, help="A country it may send for; a glob.")
@click.option(
    "--on-behalf-of", multiple=True, help="A party in whose name it may send, by its delegation."
)
@json_option()
def add(
    *, identifier: str, file: Path, certificates: tuple[Path, ...], as_json: bool, **given: Any
) -> None:
    """Add a party at the end of a registry file; nothing else in the file changes.

    A party that must sign needs a key from the beginning: let its request be certified first
    (luxor party enrol ID --purpose signing), and give the certificate here.
    """
    if given["must_sign"] and not given["keys"] and not certificates:
        raise click.UsageError("who must sign needs a key: say --certificate FILE or --key FILE")
    grant = {key: given.pop(key) for key in ("formats", "kinds", "countries", "on_behalf_of")}
    try:
        row = {
            **given,
            "id": identifier,
            "signing_keys": [
                msgspec.to_builtins(signing_key(path.read_bytes())) for path in given.pop("keys")
            ],
            "grants": [grant] if any(grant.values()) else [],
        }
        added = msgspec.convert(row, Party)
    except (TrustError, msgspec.ValidationError) as error:
        raise click.ClickException(str(error)) from error
    keys = [f"\n{certificate_row(file, certificate)}" for certificate in certificates]
    there = file.read_text("utf-8").rstrip()
    text = "\n\n".join(filter(None, [there, write_party(added) + "".join(keys)]))
    registry = replace(file, text)
    _say(f"{identifier}: added to {file}", party_of(registry, added.id), registry, as_json=as_json)


@party.command(
    epilog="""\b
Examples:
    luxor party suspend post-a"""
)
@click.argument("identifier", metavar="ID")
@registry_option
@json_option()
def suspend(*, identifier: str, file: Path, as_json: bool) -> None:
    """Suspend a party: whatever it sends is refused, on connections that stand too."""
    _set_suspended(file, identifier, suspended=True, as_json=as_json)


@party.command(
    epilog="""\b
Examples:
    luxor party resume post-a"""
)
@click.argument("identifier", metavar="ID")
@registry_option
@json_option()
def resume(*, identifier: str, file: Path, as_json: bool) -> None:
    """End a party's suspension."""
    _set_suspended(file, identifier, suspended=False, as_json=as_json)


def _set_suspended(file: Path, identifier: str, *, suspended: bool, as_json: bool) -> None:
    party_of(load(file), identifier)
    text = with_suspended(file.read_text("utf-8"), PartyId(identifier), suspended=suspended)
    if text is None:
        raise click.ClickException(f"no line id = {identifier!r} under a [[party]] in {file}")
    registry = replace(
        file, text, expect=lambda new: party_of(new, identifier).suspended is suspended
    )
    state = "suspended" if suspended else "active"
    changed = party_of(registry, identifier)
    _say(f"{identifier}: {state}", changed, registry, as_json=as_json)


def _say(line: str, changed: Party, registry: Registry, *, as_json: bool) -> None:
    print(json.dumps(summary(changed, registry)) if as_json else line)


for given in (
    list_parties,
    show_party,
    check_parties,
    enrol,
    renew,
    revoke,
    certificates,
    announce_key,
    accept_key,
    delegate,
    accept_delegation,
    delegations,
    withdraw_delegation,
):
    party.add_command(given)
