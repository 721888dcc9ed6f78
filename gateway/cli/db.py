"""``luxor db``: the journal's store itself: its version, its state, bringing it up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from gateway.cli.db_size import size_
from gateway.cli.groups import Described
from gateway.cli.journals import configured, store_of
from gateway.cli.options import config_option, json_option
from gateway.core.errors import Unavailable
from gateway.store.status import StoreStatus
from gateway.store.store import NoJournal, Store, why

PENDING = 1
NOT_NOW = 3


@click.group(cls=Described)
def db() -> None:
    """The store of the journal: a SQLite file, or a PostgreSQL database.

    What is in the journal is told by other commands, such as trace and deliveries.
    """


@db.command(
    "migrate",
    epilog="""\b
Examples:
  luxor db migrate --config gateway.toml
  luxor db migrate --config gateway.toml --check

\b
Exit status: 0 up to date, 1 steps are pending (--check), 2 wrong usage or a journal that this
program can not use, 3 it can not be done now.""",
)
@config_option()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; say what is pending.")
@json_option()
def migrate_(file: Path, only_check: bool, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Bring the tables to the version of this program, or make them.

    A SQLite file must not be in use when steps are pending. On PostgreSQL nodes may go on: do this
    with the new program first, then restart them one by one.
    """
    store = store_of(configured(file))
    try:
        status = store.status()
        after = status.version if only_check else store.migrate().after
    except NoJournal as error:
        raise click.UsageError(f"{file}: {error}") from error
    except Unavailable as error:
        _not_now(store, error)
    _refuse_newer(status)
    if as_json:
        told = {"place": status.place, "before": status.version, "after": after}
        click.echo(msgspec.json.encode({**told, "needed": status.needed}).decode())
    elif after == status.version == status.needed:
        click.echo(f"{status.place}: version {after}, nothing to do")
    elif only_check:
        click.echo(f"{status.place}: version {after}, {status.pending} steps to {status.needed}")
    else:
        click.echo(f"{status.place}: from version {status.version} to {after}")
    if after < status.needed:
        sys.exit(PENDING)


@db.command(
    "status",
    epilog="""\b
Examples:
  luxor db status --config gateway.toml
  luxor db status --config gateway.toml --json

\b
Exit status: 0 this program can use it, 1 it is not up to date or not there yet, 2 wrong usage,
3 it can not be asked now.""",
)
@config_option()
@json_option()
def status_(file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Show the store, its version, who has it open, and what holds back its upkeep."""
    store = store_of(configured(file))
    try:
        status = store.status()
    except NoJournal as error:
        raise click.UsageError(f"{file}: {error}") from error
    except Unavailable as error:
        _not_now(store, error)
    if as_json:
        click.echo(msgspec.json.encode(status).decode())
    else:
        for name, text in _lines(status):
            click.echo(f"{name:<20} {text}")
    if status.pending:
        sys.exit(PENDING)


db.add_command(size_)


def _lines(status: StoreStatus) -> list[tuple[str, str]]:
    lines = [("store", status.place), ("server", status.server), ("version", _version(status))]
    if status.gateway is not None:
        lines.append(("gateway", str(status.gateway)))
    lines.append(("open in", f"{len(status.processes)} processes"))
    if status.oldest_transaction_seconds is not None:
        lines.append(("oldest transaction", f"{status.oldest_transaction_seconds:.1f} s"))
    if status.oldest_snapshot_age is not None:
        lines.append(("oldest snapshot", f"{status.oldest_snapshot_age} transactions behind"))
    return lines


def _version(status: StoreStatus) -> str:
    if status.version == 0:
        return "none: no journal is there yet"
    if status.pending < 0:
        return f"{status.version}: of a later program, which knows more than {status.needed}"
    if status.pending:
        return f"{status.version}: {status.pending} steps pending, see luxor db migrate"
    return str(status.version)


def _refuse_newer(status: StoreStatus) -> None:
    if status.pending < 0:
        raise click.UsageError(
            f"{status.place}: version {status.version} is of a later program than this one,"
            f" which knows {status.needed}"
        )


def _not_now(store: Store, error: Unavailable) -> NoReturn:
    click.echo(f"{store.name}: {why(error)}", err=True)
    sys.exit(NOT_NOW)
