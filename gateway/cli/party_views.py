"""``luxor party list | show | check``: what a registry says of its parties, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from gateway.cli.delegations import standing
from gateway.cli.options import json_option
from gateway.cli.registry_file import load, parse, party_of, registry_option
from trust.delegation import Registered
from trust.members import Party, SigningKey
from trust.mistakes import Mistake, RegistryError
from trust.party import Registry
from trust.registry_write import write_party

_UNUSUAL: tuple[tuple[str, Any], ...] = (("receives", "as agreed"), ("acts_for", []))
"""Columns that are told when there is something to tell, and what is not."""


@click.command(
    "list",
    epilog="""\b
Examples:
    luxor party list
    luxor party list --registry certs/partner/registry.toml --json""",
)
@registry_option
@json_option()
def list_parties(*, file: Path, as_json: bool) -> None:
    """List the parties."""
    registry = load(file)
    rows = [summary(party, registry) for party in registry.parties.values()]
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(
        Column("party", no_wrap=True),  # what is typed again is never cut
        "name",
        Column("roles", overflow="fold"),
        Column("vouched for by", overflow="fold", min_width=len("vouched")),
        Column("signs", no_wrap=True),
        Column("standing", no_wrap=True),
    )
    told = [name for name, usual in _UNUSUAL if any(row[name] != usual for row in rows)]
    for name in told:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(
            row["id"],
            row["name"],
            "\n".join(row["roles"]),
            "\n".join(row["authorities"]),
            _signs(row),
            "[red]suspended" if row["suspended"] else "[green]active",
            *(row[name] if isinstance(row[name], str) else ", ".join(row[name]) for name in told),
        )
    Console().print(table)


@click.command(
    "show",
    epilog="""\b
Examples:
    luxor party show post-a
    luxor party show post-a --json""",
)
@click.argument("identifier", metavar="ID")
@registry_option
@json_option()
def show_party(*, identifier: str, file: Path, as_json: bool) -> None:
    """Show everything about one party, the delegations from it and to it too."""
    registry, now = load(file), datetime.now(UTC)
    party = party_of(registry, identifier)
    if as_json:
        told = msgspec.to_builtins(party)
        told["key_standing"] = {key.kid: key_standing(key, now) for key in party.signing_keys}
        told["receives"] = receives(party, registry)
        told["delegations"] = [
            {
                "delegator": each.claims.delegator,
                "delegate": each.claims.delegate,
                "id": each.claims.id,
                "standing": standing(each, now=now, registry=registry),
            }
            for each in _delegations(registry, party)
        ]
        print(json.dumps(told))
        return
    print(write_party(party, registry.authorities.values()), end="")
    for line in _notes(party, registry, now):
        print(f"# {line}")


@click.command(
    "check",
    epilog="""\b
Examples:
    luxor party check certs/luxor/registry.toml""",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option()
def check_parties(*, file: Path, as_json: bool) -> None:
    """Check a registry file; say every mistake with its place. Exit 1 if there is one.

    A delegation that is void is told too, though a gateway takes the file: it counts for nothing.
    """
    mistakes: tuple[Mistake, ...] = ()
    parties = 0
    try:
        registry = parse(file)
        parties, mistakes = len(registry.parties), registry.void()
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


def summary(party: Party, registry: Registry) -> dict[str, Any]:
    """A party in a few words, as JSON."""
    now = datetime.now(UTC)
    return {
        "id": party.id,
        "name": party.name,
        "roles": sorted(party.roles),
        "country": party.country,
        "authorities": party.authorities,
        "signing_keys": [key.kid for key in party.signing_keys],
        "speaks": party.speaks,
        "must_sign": party.must_sign,
        "suspended": party.suspended,
        "grants": len(party.grants),
        "receives": receives(party, registry),
        "acts_for": [
            each.claims.delegator
            for each in _delegations(registry, party)
            if each.claims.delegate == party.id
            and standing(each, now=now, registry=registry) == "in force"
        ],
    }


def _signs(row: dict[str, Any]) -> str:
    """Whether it must sign, and with how many keys it can."""
    count = len(row["signing_keys"])
    keys = "1 key" if count == 1 else f"{count} keys"
    return f"{'must' if row['must_sign'] else 'may'}\n{keys}"


def receives(party: Party, registry: Registry) -> str:
    """What decides about what the party gets."""
    if any(grant.direction == "receive" for grant in party.grants):
        return "as granted"
    return "nothing" if registry.policy.receive == "granted" else "as agreed"


def key_standing(key: SigningKey, now: datetime) -> str:
    """Whether a key counts at that time."""
    if key.not_before is not None and now < key.not_before:
        return "not yet"
    return "over" if key.not_after is not None and now > key.not_after else "in force"


def _delegations(registry: Registry, party: Party) -> list[Registered]:
    return [
        each
        for each in registry.delegations
        if party.id in (each.claims.delegator, each.claims.delegate)
    ]


def _notes(party: Party, registry: Registry, now: datetime) -> Iterator[str]:
    for key in party.signing_keys:
        after = f", announced by key {key.succeeds}" if key.succeeds else ""
        yield f"key {key.kid}: {key_standing(key, now)}{after}"
    yield f"receives {receives(party, registry)}"
    for each in _delegations(registry, party):
        claims = each.claims
        said = standing(each, now=now, registry=registry)
        yield f"delegation {claims.id}: {claims.delegator} to {claims.delegate}, {said}"
