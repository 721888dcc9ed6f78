"""``luxor certs status``: who expires when, for people and for whatever watches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from gateway.authority import AuthorityError
from gateway.authority.expiry import expiring_of_authority
from gateway.authority.office import open_office
from gateway.cli.journals import reading
from gateway.cli.options import json_option
from gateway.config import ConfigError, load
from gateway.config.expiry import expiring_of, expiring_of_registry
from gateway.core.errors import Unavailable
from trust.errors import TrustError
from trust.expiry import Expiring, Level, in_order, of_holdings, worst
from trust.inventory import inventory
from trust.mistakes import RegistryError
from trust.party import Registry

CANNOT_TELL = 3
EXIT_CODES: dict[Level, int] = {"ok": 0, "notice": 0, "warning": 1, "urgent": 2, "expired": 2}
"""As monitoring plugins have them: 0 all is well, 1 warning, 2 critical, 3 cannot tell."""
_COLOURS: dict[Level, str] = {
    "ok": "green",
    "notice": "cyan",
    "warning": "yellow",
    "urgent": "red",
    "expired": "bold red",
}
_ENDINGS = {".pem", ".crl", ".cer", ".crt"}
_MAX_FILE_BYTES = 16 * 1024 * 1024


class _Stored(msgspec.Struct):
    """What of the journal's registry matters here."""

    registry: msgspec.Raw


class _CannotTell(click.ClickException):
    exit_code = CANNOT_TELL


class _Misused(click.UsageError):
    exit_code = CANNOT_TELL


class _Status(click.Command):
    """A command whose mistakes of usage are no level either."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; what is wrong with them exits with 3."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _Misused(error.format_message(), ctx) from error


@click.command(
    cls=_Status,
    epilog="""\b
Exit codes:
    0  everything lasts longer than 30 days
    1  something ends within 30 days
    2  something ends within 7 days, or has ended
    3  it cannot be told: a file cannot be read, or the arguments are wrong
Lists and other things that live shorter count by the half, third and sixth of their time.

\b
Examples:
    luxor certs status --config gateway.toml
    luxor certs status --authority-dir authority --within 90
    luxor certs status --registry registry.toml --crls /etc/luxor --json
    luxor certs status --dir certs""",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Everything of a gateway: its files, its registry, its lists.",
)
@click.option(
    "--registry",
    "registry_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A registry: authorities, keys, delegations, pins, lists.",
)
@click.option(
    "--crls",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the lists of --registry are; its own folder unless said.",
)
@click.option(
    "--authority-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="An authority: itself, its lists, what it issued.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Every certificate and list below a folder; certs when nothing else is asked.",
)
@click.option("--within", type=click.IntRange(min=0), help="Show only what ends in so many days.")
@json_option()
def status(
    *,
    config_file: Path | None,
    registry_file: Path | None,
    crls: Path | None,
    authority_dir: Path | None,
    directory: Path | None,
    within: int | None,
    as_json: bool,
) -> None:
    """Show who expires when: what, whose, the day, how many are left; the most urgent first.

    Levels: notice at 60 days, warning at 30, urgent at 7, expired. The exit code tells the worst of
    everything that was looked at, shown or not.
    """
    now = datetime.now(UTC)
    if (config_file, registry_file, authority_dir, directory) == (None,) * 4:
        directory = Path("certs")
    found: list[Expiring] = []
    if config_file is not None:
        found += _of_config(config_file)
    if registry_file is not None:
        registry = _registry(registry_file)
        found += expiring_of_registry(registry, registry_file, crls or registry_file.parent)
    if authority_dir is not None:
        found += _of_authority(authority_dir, now)
    if directory is not None:
        found += _of_directory(directory)
    things = in_order(dict.fromkeys(found), now=now)
    shown = [one for one in things if within is None or one.left(now) <= timedelta(days=within)]
    level = worst(things, now=now)
    if as_json:
        rows = [_row(one, now) for one in shown]
        print(json.dumps({"level": level, "at": now.isoformat(), "things": rows}))
    else:
        _print(shown, things, level, now)
    raise SystemExit(EXIT_CODES[level])


def _of_config(file: Path) -> list[Expiring]:
    try:
        config = load(file)
    except ConfigError as error:
        _cannot_tell(str(error))
    named = config.registry.file
    registry = _stored(file) if named is None else _registry(config.path(named))
    return list(expiring_of(config, registry))


def _stored(file: Path) -> Registry:
    """The registry of a gateway that has it in its journal alone."""
    try:
        with reading(file) as (_, reader):
            document = reader.registry()
        if document is None:
            _cannot_tell(f"{file}: the gateway has no registry yet")
        stored = msgspec.json.decode(document, type=_Stored)
        return Registry.from_json(bytes(stored.registry))
    except click.UsageError as error:
        _cannot_tell(error.message)
    except Unavailable as error:
        _cannot_tell(f"{file}: {error.reason}")
    except RegistryError as error:
        _cannot_tell(f"{file}: the registry in the journal:\n{error}")


def _registry(file: Path) -> Registry:
    try:
        return Registry.from_toml(
            file.read_text("utf-8"), lambda name: (file.parent / name).read_bytes()
        )
    except RegistryError as error:
        _cannot_tell(f"{file}:\n{error}")
    except (OSError, UnicodeDecodeError) as error:
        _cannot_tell(f"{file}: {getattr(error, 'strerror', None) or 'is no text'}")


def _of_authority(folder: Path, now: datetime) -> list[Expiring]:
    try:
        with open_office(folder) as office:
            return list(expiring_of_authority(office, now=now))
    except AuthorityError as error:
        _cannot_tell(str(error))
    except TrustError as error:
        _cannot_tell(error.detail)
    except OSError as error:
        _cannot_tell(f"{error.filename or folder}: {error.strerror}")


def _of_directory(directory: Path) -> Iterator[Expiring]:
    if not directory.is_dir():
        _cannot_tell(f"no folder {directory}")
    files = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.suffix in _ENDINGS and path.is_file() and path.stat().st_size <= _MAX_FILE_BYTES
    }
    return of_holdings(inventory(files))


def _cannot_tell(text: str) -> NoReturn:
    raise _CannotTell(text)


def _row(one: Expiring, now: datetime) -> dict[str, Any]:
    return {
        "level": one.level(now),
        "kind": one.kind,
        "name": one.name,
        "what": one.what,
        "until": one.until.isoformat(),
        "days": one.days(now),
        "replaced": one.replaced,
    }


def _print(shown: list[Expiring], things: list[Expiring], level: Level, now: datetime) -> None:
    table = Table("level", "kind", "whose", Column("what", overflow="fold"), "until", "days")
    for one in shown:
        mine = one.level(now)
        table.add_row(
            f"[{_COLOURS[mine]}]{'replaced' if one.replaced else mine}",
            one.kind,
            one.name,
            Text(one.what),  # a party chose the names of its keys
            f"{one.until:%Y-%m-%d}",
            str(one.days(now)),
        )
    if shown:
        Console().print(table)
    hidden = len(things) - len(shown)
    print(f"{level}: {len(things)} looked at{f', {hidden} not shown' if hidden else ''}")
