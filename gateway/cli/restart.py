"""``luxor restart``: the workers of a running gateway are replaced by new ones while it serves."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gateway.cli.control import Operations, checked, load_config, url_option
from gateway.cli.options import config_option, json_option


@click.command(
    epilog="""\b
Examples:
  luxor restart --config gateway.toml
  luxor restart --config gateway.toml --status
  luxor restart --config gateway.toml --url http://127.0.0.1:9440 --json"""
)
@config_option("The gateway's configuration, by which it is found.")
@click.option("--status", "only_status", is_flag=True, help="Say how its workers are, no more.")
@url_option
@json_option()
def restart(
    file: Path,
    only_status: bool,  # noqa: FBT001 - a click option
    url: str | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Replace the workers of a gateway that runs with --workers.

    New ones are started from the program that is installed now. When all of them serve, the old
    ones finish what they have begun and end. When one of the new ones does not get so far, the old
    ones go on and the exit status is 1.
    """
    operations = Operations.of(load_config(file), url=url)
    if only_status:
        said = operations.get("/control/workers")
    else:
        said = operations.post("/control/workers/restart", {})
    if said.status == 404:
        raise click.ClickException(
            f"{file}: this gateway runs without workers (luxor serve --workers N starts one with"
            " them); it takes a new program by a stop and a start"
        )
    workers = checked(said)
    if as_json:
        click.echo(msgspec.json.encode(workers).decode())
        return
    for worker in workers:
        ready = "" if worker["ready"] or worker["state"] != "ready" else ", but says it is not"
        click.echo(f"worker {worker['worker']}: process {worker['pid']}, {worker['state']}{ready}")
