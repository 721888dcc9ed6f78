"""``luxor party delegate``: letting another party send in one's name, and taking that back."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.instants import INSTANT, shown
from gateway.cli.options import json_option
from gateway.cli.registry_file import load, party_of, registry_option, replace
from gateway.cli.tokens import open_key, out_option, read_token, token_argument, write_token
from trust.delegation import Delegation, Registered, read, sign
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import public_keys
from trust.party import Registry
from trust.registry_edit import without_delegation
from trust.registry_write import write_delegation
from trust.signatures.attached import MAX_PAYLOAD_CHARACTERS
from trust.signatures.compact import take_apart

USUAL_DAYS = 365
MAX_AHEAD = timedelta(seconds=300)


@click.command(
    epilog="""\b
Examples:
    luxor party delegate post-b broker-x --gateway gateway-lx --sign-with signing.key \\
        --kind ItemDeclaration --kind Despatch --out broker-x.jwt
    luxor party delegate post-b broker-x --gateway gateway-lx --sign-with signing.key \\
        --kind '*' --format 'upu.*' --for FR --until 2027-06-30"""
)
@click.argument("delegator", metavar="ID")
@click.argument("delegate_to", metavar="DELEGATE")
@click.option("--sign-with", "key", required=True, metavar="KEY", help="A signing key of ID.")
@click.option("--kid", default="", help="Its name, if it is not registered by its thumbprint.")
@click.option("--gateway", "gateways", multiple=True, required=True, help="Where; may be repeated.")
@click.option("--kind", "kinds", multiple=True, required=True, help="A kind of message; a glob.")
@click.option("--format", "formats", multiple=True, help="A format; a glob. Without it: any.")
@click.option("--for", "countries", multiple=True, help="A country; a glob. Without it: any.")
@click.option("--from", "start", type=INSTANT, help="From when; by default from now on.")
@click.option("--until", "end", type=INSTANT, help=f"Until when; by default {USUAL_DAYS} days.")
@click.option("--id", "identifier", help="A name for it, unique to ID; by default a random one.")
@out_option
@json_option()
def delegate(
    *,
    delegator: str,
    delegate_to: str,
    key: str,
    kid: str,
    start: datetime | None,
    end: datetime | None,
    identifier: str | None,
    out: Path | None,
    as_json: bool,
    **limits: tuple[str, ...],
) -> None:
    """Sign that DELEGATE may send in the name of party ID.

    Made with ID's signing key, wherever that is. It counts once the operator of a gateway has
    registered it (luxor party accept-delegation), within what ID may send itself, and where a
    grant of DELEGATE names ID (on_behalf_of).
    """
    signer, now = open_key(key, "--sign-with", kid=kid), datetime.now(UTC)
    begins = start or now
    claims = {
        "jti": identifier or secrets.token_hex(8),
        "iss": delegator,
        "sub": delegate_to,
        "aud": limits.pop("gateways"),
        "iat": int(now.timestamp()),
        "nbf": int(begins.timestamp()),
        "exp": int((end or begins + timedelta(days=USUAL_DAYS)).timestamp()),
        **{name: globs for name, globs in limits.items() if globs},
    }
    try:
        token = sign(msgspec.convert(claims, Delegation), signer)
        read(token)
    except (msgspec.ValidationError, TrustError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print(json.dumps({"token": token, "kid": signer.kid, "claims": claims}))
        return
    write_token(token, out, note=f"{delegate_to} may send for {delegator}, once it is registered")


@click.command(
    "accept-delegation",
    epilog="""\b
Examples:
    luxor party accept-delegation broker-x.jwt
    luxor party accept-delegation - --registry certs/partner/registry.toml < broker-x.jwt""",
)
@token_argument
@registry_option
@json_option()
def accept_delegation(*, source: str, file: Path, as_json: bool) -> None:
    """Register a delegation at the end of a registry file; nothing else in it changes.

    The delegator's key must be in force today. Later on the delegation outlives the key's time,
    so that a party may change keys; it ends when the key is taken out of the registry.
    """
    token, registry = read_token(source), load(file)
    try:
        claims = read(token)
        delegator = party_of(registry, claims.delegator)
        kid = take_apart(token, max_payload=MAX_PAYLOAD_CHARACTERS).header["kid"]
        now, keys = datetime.now(UTC), public_keys(delegator.signing_keys)
        if kid in keys:
            keys[kid].judge_time(now)
    except TrustError as error:
        raise click.ClickException(f"{source}: {error.detail}") from error
    if claims.issued_at > (now + MAX_AHEAD).timestamp():
        raise click.ClickException(f"{source}: it was issued in the future; check both clocks")
    if claims.not_after <= now.timestamp():
        raise click.ClickException(f"{source}: it is over since {shown(claims.not_after)}")
    text = f"{file.read_text('utf-8').rstrip()}\n\n{write_delegation(token)}"
    try:
        proposed = Registry.from_toml(text, lambda name: (file.parent / name).read_bytes())
    except ValueError as error:
        raise click.ClickException(f"{source}: {error}") from error
    added = proposed.delegations[-1]
    if added.void:
        raise click.ClickException(f"{source}: {added.void}")
    replace(file, text)
    if as_json:
        print(json.dumps(_summary(added, now=now)))
    else:
        print(f"{claims.delegate} may send for {claims.delegator} until {shown(claims.not_after)}")


@click.command(
    epilog="""\b
Examples:
    luxor party delegations
    luxor party delegations --json"""
)
@registry_option
@json_option()
def delegations(*, file: Path, as_json: bool) -> None:
    """List the delegations, and whether they count today."""
    registry, now = load(file), datetime.now(UTC)
    rows = [_summary(each, now=now, registry=registry) for each in registry.delegations]
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print(f"{file}: no delegations")
        return
    table = Table(
        Column("who, for whom", no_wrap=True),
        Column("id", overflow="fold"),
        Column("what", overflow="fold"),
        Column("where", overflow="fold"),
        Column("until", no_wrap=True),
        Column("standing", overflow="fold", min_width=len("in force")),
    )
    for row in rows:
        what = "\n".join(", ".join(row[name]) for name in ("kinds", "formats", "countries"))
        colour = "green" if row["standing"] == "in force" else "red"
        table.add_row(
            f"{row['delegate']}\nfor {row['delegator']}",
            Text(row["id"]),  # the delegator's word, which colours nothing
            what,
            ", ".join(row["gateways"]),
            row["not_after"].partition("T")[0],
            Text(row["standing"], style=colour),
        )
    Console().print(table)


@click.command(
    "withdraw-delegation",
    epilog="""\b
Examples:
    luxor party withdraw-delegation post-b 5f2a9c01d3e4b687""",
)
@click.argument("delegator", metavar="ID")
@click.argument("identifier", metavar="DELEGATION")
@registry_option
@json_option()
def withdraw_delegation(*, delegator: str, identifier: str, file: Path, as_json: bool) -> None:
    """Take a delegation of party ID out of a registry file; it ends at once."""
    registry = load(file)
    names = [(each.claims.delegator, each.claims.id) for each in registry.delegations]
    if (delegator, identifier) not in names:
        raise click.ClickException(f"{delegator} has no delegation {identifier!r} in {file}")
    at = names.index((PartyId(delegator), identifier))
    text = without_delegation(file.read_text("utf-8"), at)
    kept = [one.token for number, one in enumerate(registry.delegations) if number != at]
    if text is None:
        raise click.ClickException(f"{file} is written in a way that only a person can change")
    replace(file, text, expect=lambda new: [one.token for one in new.delegations] == kept)
    said: dict[str, Any] = {"delegator": delegator, "id": identifier, "standing": "withdrawn"}
    print(json.dumps(said) if as_json else f"{delegator}: delegation {identifier} withdrawn")


def standing(each: Registered, *, now: datetime, registry: Registry | None = None) -> str:
    """Whether a delegation counts at that time, and if not, why."""
    claims, seconds = each.claims, now.timestamp()
    if each.void:
        return f"void: {each.void}"
    for name in (claims.delegator, claims.delegate):
        if registry is not None and party_of(registry, name).suspended:
            return f"{name} is suspended"
    if seconds < claims.not_before:
        return f"from {shown(claims.not_before)}"
    return "in force" if seconds < claims.not_after else "over"


def _summary(
    each: Registered, *, now: datetime, registry: Registry | None = None
) -> dict[str, Any]:
    claims = each.claims
    return {
        "id": claims.id,
        "delegator": claims.delegator,
        "delegate": claims.delegate,
        "gateways": list(claims.gateways),
        "kinds": list(claims.kinds),
        "formats": list(claims.formats),
        "countries": list(claims.countries),
        "not_before": shown(claims.not_before),
        "not_after": shown(claims.not_after),
        "standing": standing(each, now=now, registry=registry),
    }
