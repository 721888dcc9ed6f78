"""``luxor party``: look at a registry of parties, and change it where people keep it, in TOML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from gateway.cli.enrol import enrol, renew
from gateway.cli.registry_file import (
    json_option,
    load,
    parse,
    party_of,
    registry_option,
    replace,
)
from gateway.cli.revoke import certificates, revoke
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import signing_key
from trust.members import Party
from trust.mistakes import Mistake, RegistryError
from trust.registry_write import with_suspended, write_party


@click.group()
def party() -> None:
    """Parties of a registry: who they are, who vouches for them, what they may send."""


@party.command(
    "list",
    epilog="""\b
Examples:
    luxor party list
    luxor party list --registry certs/partner/registry.toml --json""",
)
@registry_option
@json_option
def list_(*, file: Path, as_json: bool) -> None:
    """List the parties."""
    parties = load(file).parties.values()
    if as_json:
        print(json.dumps([_summary(p) for p in parties]))
        return
    table = Table(
        Column("party", no_wrap=True),  # what is typed again is never cut
        "name",
        "roles",
        Column("authorities", overflow="fold"),
        "keys",
        "signs",
        "standing",
    )
    for p in parties:
        table.add_row(
            p.id,
            p.name,
            ", ".join(sorted(p.roles)),
            ", ".join(p.authorities),
            str(len(p.signing_keys)),
            "must" if p.must_sign else "may",
            "[red]suspended" if p.suspended else "[green]active",
        )
    Console().print(table)


@party.command(
    epilog="""\b
Examples:
    luxor party show post-a
    luxor party show post-a --json"""
)
@click.argument("identifier", metavar="ID")
@registry_option
@json_option
def show(*, identifier: str, file: Path, as_json: bool) -> None:
    """Show everything about one party."""
    found = party_of(load(file), identifier)
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        print(write_party(found), end="")


@party.command(
    epilog="""\b
Examples:
    luxor party check certs/luxor/registry.toml"""
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
def check(*, file: Path, as_json: bool) -> None:
    """Check a registry file; say every mistake with its place. Exit 1 if there is one."""
    mistakes: tuple[Mistake, ...] = ()
    parties = 0
    try:
        parties = len(parse(file).parties)
    except RegistryError as error:
        mistakes = error.mistakes
    if as_json:
        print(json.dumps({"parties": parties, "mistakes": msgspec.to_builtins(mistakes)}))
    else:
        for mistake in mistakes:
            click.echo(f"{file}: {mistake}", err=True)
        if not mistakes:
            print(f"{file}: {parties} parties, no mistakes")
    if mistakes:
        raise SystemExit(1)


@party.command(
    epilog="""\b
Examples:
    luxor party add post-c --role post --country FR --authority luxor
        --format 'upu.*' --kind ItemDeclaration --for '*' --speaks upu.cusrsp.1
    luxor party add shop-2 --role platform --authority luxor --key shop-2.pub --must-sign
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
    "--speaks", multiple=True, help="A format that it understands, the one it likes best first."
)
@click.option("--must-sign", is_flag=True, help="Refuse what it sends unsigned.")
@click.option("--format", "formats", multiple=True, help="A format that it may send; a glob.")
@click.option("--kind", "kinds", multiple=True, help="A kind of message that it may send; a glob.")
@click.option("--for", "countries", multiple=True, help="A country it may send for; a glob.")
@json_option
def add(*, identifier: str, file: Path, as_json: bool, **given: Any) -> None:
    """Add a party at the end of a registry file; nothing else in the file changes."""
    grant = {key: given.pop(key) for key in ("formats", "kinds", "countries")}
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
    text = file.read_text("utf-8")
    replace(file, f"{text.rstrip()}\n\n{write_party(added)}")
    _say(f"{identifier}: added to {file}", added, as_json=as_json)


@party.command(
    epilog="""\b
Examples:
    luxor party suspend post-a"""
)
@click.argument("identifier", metavar="ID")
@registry_option
@json_option
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
@json_option
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
    _say(f"{identifier}: {state}", party_of(registry, identifier), as_json=as_json)


def _say(line: str, changed: Party, *, as_json: bool) -> None:
    print(json.dumps(_summary(changed)) if as_json else line)


def _summary(p: Party) -> dict[str, Any]:
    return {
        "id": p.id,
        "name": p.name,
        "roles": sorted(p.roles),
        "country": p.country,
        "authorities": p.authorities,
        "signing_keys": [key.kid for key in p.signing_keys],
        "speaks": p.speaks,
        "must_sign": p.must_sign,
        "suspended": p.suspended,
        "grants": len(p.grants),
    }


for given in (enrol, renew, revoke, certificates):
    party.add_command(given)
