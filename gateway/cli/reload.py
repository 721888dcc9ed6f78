"""``luxor reload``: a running gateway takes over its changed configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli.control import Operations, checked, url_option
from gateway.cli.options import config_option, json_option
from gateway.config import ConfigError, load

REFUSED = 2
_REFUSED_STATUS = 422


@click.command(
    epilog="""\b
Examples:
  luxor reload --config gateway.toml --check
  luxor reload --config gateway.toml
  luxor reload --config gateway.toml --url http://127.0.0.1:9440 --json"""
)
@config_option("The gateway's configuration; the gateway reads its own copy of that name.")
@click.option("--check", "only_check", is_flag=True, help="Say what is wrong, change nothing.")
@url_option
@json_option()
def reload(
    file: Path,
    only_check: bool,  # noqa: FBT001 - a click option
    url: str | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Have a running gateway load its configuration again: all of it, or nothing.

    Everything is read and judged before anything changes. A mistake, or a change that needs a
    restart, leaves the configuration of before in force; each is named with its path, and the
    exit status is 2.
    """
    try:
        operations = Operations.of(load(file), url=url)
    except ConfigError as error:
        if url is None:  # it could not even be found by it
            _tell(_of_file(error), as_json=as_json, file=file)
        operations = Operations(str(url))
    said = operations.post("/control/reload", {"check": only_check})
    _tell(checked(said, also=lambda status: status == _REFUSED_STATUS), as_json=as_json, file=file)


def _of_file(error: ConfigError) -> dict[str, Any]:
    mistakes = [{"path": mistake.path, "text": mistake.text} for mistake in error.mistakes]
    return {"result": "refused", "mistakes": mistakes}


def _tell(told: dict[str, Any], *, as_json: bool, file: Path) -> None:
    """Print what became of it, and end with 2 when it was refused."""
    if as_json:
        click.echo(msgspec.json.encode(told).decode())
    elif told["result"] == "judged":
        click.echo(f"{file}: no mistakes; {told['digest']} stays in force")
    elif told["result"] == "loaded":
        _tell_loaded(told, file)
    else:
        for mistake in told["mistakes"]:
            parts = (str(file), mistake["path"], mistake["text"])
            click.echo(": ".join(part for part in parts if part), err=True)
        click.echo("nothing has changed", err=True)
    if told["result"] == "refused":
        sys.exit(REFUSED)


def _tell_loaded(told: dict[str, Any], file: Path) -> None:
    click.echo(f"{file}: {told['digest']} is in force")
    words = {"started": "begun", "reopened": "opened anew", "stopped": "left"}
    for name, word in words.items():
        for destination in told["changes"][name]:
            click.echo(f"  destination {destination}: {word}")
    for orphan in told["orphans"]:
        click.echo(
            f"  {orphan['destination']} is no destination any more;"
            f" {orphan['keys']} items, orders or declarations wait for it"
        )
