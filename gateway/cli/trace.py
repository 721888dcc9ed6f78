"""``luxor trace``: the whole history of an item, order, indicator or interchange."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli import journals, own_view
from gateway.cli.access import access, why, with_access
from gateway.cli.options import DEFAULT_CONFIG
from gateway.cli.story import Said, in_order, in_words, nested
from gateway.cli.tables import wide_console
from gateway.cli.timeline import print_story
from gateway.client import CredentialsError, ProblemError
from gateway.core.errors import Unavailable
from trust.errors import TrustError

NOTHING = 1
NOT_READ = 3


@click.command(
    epilog="""\b
Examples:
  luxor trace EE471108151FR --config gateway.toml
  luxor trace EE471108151FR --config lx/gateway.toml --config pn/gateway.toml
  luxor trace items-4f2a90bb21c0 --to https://localhost:8443 --as post-a
  luxor trace SO-ABCD-000004 --config gateway.toml --json

\b
Exit status: 0 something is known, 1 nothing is, 2 wrong usage, 3 it could not be asked now."""
)
@click.argument("value", metavar="ID")
@click.option(
    "--config",
    "configs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="An operator's gateway, read from its journal (gateway.toml here, if it is there);"
    " several make one story across them.",
)
@with_access
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    help="Messages at most, of each gateway.",
)
@click.option("--json", "json_output", is_flag=True, help="Print JSON.")
def trace(
    value: str,
    configs: tuple[Path, ...],
    limit: int,
    json_output: bool,  # noqa: FBT001 - a click option
    **options: Any,
) -> None:
    """Print everything that is known about ID, in order.

    ID is an item (S10), order, indicator, declaration, interchange or message id. With --config it
    is what the operator knows; with --to and --as what that party itself sent and got.
    """
    if configs and options["url"] is not None:
        raise click.UsageError("either --config (an operator) or --to (a party), not both")
    if not configs and options["url"] is None:
        if not DEFAULT_CONFIG.is_file():
            raise click.UsageError("--config FILE is needed, or --to URL with --as PARTY")
        configs = (DEFAULT_CONFIG,)
    told = _told(value, configs, limit, options)
    if json_output:
        click.echo(msgspec.json.encode({"value": value, "messages": in_order(told)}).decode())
    elif told:
        print_story(value, nested(told), wide_console())
        if any(map(_loses, told)):
            click.echo(f"What was not carried, and why: luxor report {value} {_where(configs)}")
    else:
        click.echo(f"Nothing is known about {value}.", err=True)
    if not told:
        sys.exit(NOTHING)


def _loses(said: Said) -> bool:
    tries = (attempt.counts for way in said.ways for attempt in way.tries)
    return any(map(in_words, (said.counts, *tries)))


def _where(configs: tuple[Path, ...]) -> str:
    return " ".join(f"--config {file}" for file in configs) or "--to URL --as PARTY"


def _told(
    value: str, configs: tuple[Path, ...], limit: int, options: dict[str, Any]
) -> tuple[Said, ...]:
    try:
        if configs:
            return journals.tell(dict.fromkeys(configs), value, limit=limit)
        return asyncio.run(own_view.tell(access(**options), value, limit=limit))
    except CredentialsError as error:
        raise click.UsageError(str(error)) from error
    except ProblemError as error:
        click.echo(why(error), err=True)
    except (Unavailable, TrustError) as error:
        click.echo(why(error), err=True)
    sys.exit(NOT_READ)
