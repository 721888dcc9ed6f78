"""``luxor certs``: who expires when, requests, and the certificates of a development network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from gateway.authority.files import alone, put
from gateway.cli.certs_request import request
from gateway.cli.certs_status import status
from gateway.cli.groups import Described
from gateway.cli.options import json_option
from trust.development import development_network, revoke
from trust.errors import TrustError
from trust.inventory import Holding, inventory
from trust.mistakes import RegistryError
from trust.profile import Profile, default_profile, read_profile

_ENDINGS = {".pem", ".key", ".pub", ".crl", ".toml"}
_MAX_FILE_BYTES = 16 * 1024 * 1024

_directory = click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("certs"),
    show_default=True,
    help="Where the certificates are.",
)
_profile = click.option(
    "--profile",
    "profile_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What to make; without it profile.toml in the directory, or the one that comes along.",
)


@click.group(cls=Described)
def certs() -> None:
    """Certificates: who expires when, requests for an authority, a development network.

    `status` and `request` are for every day. What `dev` makes, `show` lists and `revoke` revokes is
    for development; in operation each party keeps its own keys, and its authority's certificates
    are named in the registry (`luxor authority` is a small authority).
    """


certs.add_command(status)
certs.add_command(request)


@certs.command(
    epilog="""\b
Examples:
    luxor certs dev
    luxor certs dev --dir /tmp/pki --json"""
)
@_directory
@_profile
@click.option("--force", is_flag=True, help="Make everything anew, registries too.")
@json_option("Print one JSON document.")
def dev(*, directory: Path, profile_file: Path | None, force: bool, as_json: bool) -> None:
    """Make a complete development PKI, or renew what is about to expire.

    What is there and still good is kept, so that running it again changes nothing. A revoked
    certificate stays revoked until --force makes everything anew.
    """
    profile = _load_profile(directory, profile_file)
    directory.mkdir(parents=True, exist_ok=True)
    with alone(directory):
        existing = {} if force else _read(directory)
        made = development_network(profile, now=datetime.now(UTC), existing=existing)
        changed = {path: content for path, content in made.items() if existing.get(path) != content}
        _write(directory, changed)
    if as_json:
        print(json.dumps({"directory": str(directory), "files": len(made), "written": [*changed]}))
    elif changed:
        print(f"{directory}: {len(changed)} of {len(made)} files written")
    else:
        print(f"{directory}: all {len(made)} files are good")


@certs.command(
    epilog="""\b
Examples:
    luxor certs show
    luxor certs show --dir /tmp/pki --json"""
)
@_directory
@json_option("Print one JSON document.")
def show(*, directory: Path, as_json: bool) -> None:
    """Show certificates and revocation lists, and when they expire."""
    now = datetime.now(UTC)
    holdings = inventory(_read(directory))
    if as_json:
        rows = [{**msgspec.to_builtins(h), "standing": h.standing(now)} for h in holdings]
        print(json.dumps(rows))
        return
    if not holdings:
        raise click.ClickException(f"nothing under {directory}; luxor certs dev makes it")
    Console().print(_table(holdings, now))


@certs.command(
    "revoke",
    epilog="""\b
Examples:
    luxor certs revoke post-a
    luxor certs revoke post-b --network partner""",
)
@click.argument("party")
@_directory
@_profile
@click.option("--network", help="Which network's party it is, when several have one of that name.")
@json_option("Print one JSON document.")
def revoke_(
    *,
    party: str,
    directory: Path,
    profile_file: Path | None,
    network: str | None,
    as_json: bool,
) -> None:
    """Put a party's TLS certificate on its issuing authority's revocation list.

    Gateways read the list again when its file changes.
    """
    profile = _load_profile(directory, profile_file)
    homes = [
        path.parent.parent.parent.name
        for path in sorted(directory.glob(f"*/parties/{party}/tls.pem"))
        if path.parent.name == party
    ]
    if network is not None:
        homes = [home for home in homes if home == network]
    if len(homes) != 1:
        found = f"networks {', '.join(homes)}; say --network" if homes else "no network"
        raise click.ClickException(f"{party!r} has a certificate in {found}")
    with alone(directory):
        try:
            changed = revoke(
                _read(directory),
                network=homes[0],
                party=party,
                profile=profile,
                now=datetime.now(UTC),
            )
        except KeyError as error:
            raise click.ClickException(f"{error.args[0]} is missing under {directory}") from error
        except TrustError as error:
            raise click.ClickException(error.detail) from error
        _write(directory, changed)
    if as_json:
        print(json.dumps({"party": party, "network": homes[0], "written": [*changed]}))
    else:
        print(f"{party}: revoked, written to {', '.join(changed)}")


def _load_profile(directory: Path, profile_file: Path | None) -> Profile:
    beside = directory / "profile.toml"
    source = profile_file or (beside if beside.is_file() else None)
    try:
        return read_profile(source.read_text("utf-8") if source else default_profile())
    except RegistryError as error:
        raise click.ClickException(f"{source or 'the profile'}:\n{error}") from error


def _read(directory: Path) -> dict[str, bytes]:
    """The files of every network below the directory, by their relative path."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.glob("*/**/*"))
        if path.suffix in _ENDINGS and path.is_file() and path.stat().st_size <= _MAX_FILE_BYTES
    }


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Put each file in place whole; keys are readable by their owner alone."""
    for relative, content in files.items():
        put(directory / relative, content, private=relative.endswith(".key"))


def _table(holdings: tuple[Holding, ...], now: datetime) -> Table:
    table = Table(Column("file", overflow="fold"), "for", "until", "days", "standing")
    colours = {"good": "green", "revoked": "red", "expired": "red", "not yet valid": "yellow"}
    for holding in holdings:
        standing = holding.standing(now)
        table.add_row(
            holding.path,
            holding.party or holding.subject.removeprefix("CN="),
            f"{holding.not_after:%Y-%m-%d}",
            str((holding.not_after - now).days),
            f"[{colours[standing]}]{standing}",
        )
    return table
