"""``luxor demo``: the demonstration network."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.live import Live

from gateway.cli.certs import certs as certs_command
from gateway.cli.options import json_option
from gateway.demo.run import Run, play, prepare
from gateway.demo.screen import addresses, picture, summary
from gateway.demo.topology import PORTS, Topology, free_ports


@click.command(
    epilog="""\b
Examples:
  luxor demo                 stays up until Ctrl-C
  luxor demo --once          ends by itself; status 0 only if everything arrived
  luxor demo --once --json   one object with counts, lost, doubled, unexplained"""
)
@click.option("--once", is_flag=True, help="End when everything arrived.")
@json_option("Print the result as one JSON object.")
@click.option(
    "--dir",
    "folder",
    # Each process works in a folder of its own, from where a relative path leads elsewhere.
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=Path("var/demo"),
    show_default=True,
    help="Where configuration, journals and logs go; emptied first.",
)
@click.option(
    "--certs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("certs"),
    show_default=True,
    help="The development PKI; made when it is not there.",
)
@click.option("--seed", default="demo", show_default=True, help="Another seed, other messages.")
def demo(
    once: bool,  # noqa: FBT001 - a click option
    as_json: bool,  # noqa: FBT001 - a click option
    folder: Path,
    certs: Path,
    seed: str,
) -> None:
    """Run two administrations, a post, a platform and three back ends on this machine.

    Everything is real: processes, TLS, signatures, journals. What arrives is counted at the
    receivers. With --once the ports are free ones, so that several runs do not meet.
    """
    console = Console(stderr=as_json)
    _make_certificates(certs)
    ports = free_ports() if once else dict(PORTS)
    # Absolute: the processes have working folders of their own.
    topology = Topology(root=folder.absolute(), certs=certs.absolute(), ports=ports)
    run = prepare(topology, seed=seed)
    began = datetime.now(UTC)
    _play(run, console, once=once)
    if as_json:
        click.echo(msgspec.json.encode(run.ledger.verdict()).decode())
    elif once or not run.ledger.good:
        seconds = (datetime.now(UTC) - began).total_seconds()
        summary(console, run.ledger)
        console.print(f"{seconds:.1f} s; configuration, journals and logs are in {folder}")
    if not run.ledger.good:
        sys.exit(1)


def _play(run: Run, console: Console, *, once: bool) -> None:
    if not console.is_terminal:
        shown: list[str] = []

        def tell() -> None:
            for step in run.ledger.steps[len(shown) :]:
                shown.append(step)
                console.print(f"… {step}")

        asyncio.run(play(run, show=tell, stay=not once, ready=lambda: _ready(run, console, once)))
        return
    with Live(console=console, refresh_per_second=4, transient=once) as live:

        def ready() -> None:
            live.stop()
            _ready(run, console, once)

        asyncio.run(
            play(
                run,
                show=lambda: live.update(picture(run.ledger)),
                stay=not once,
                ready=ready,
            )
        )


def _ready(run: Run, console: Console, once: bool) -> None:  # noqa: FBT001 - told by the caller
    if once:
        return
    summary(console, run.ledger)
    addresses(console, run.topology, run.plan)
    console.print("Ctrl-C ends the network.")


def _make_certificates(certs: Path) -> None:
    """As ``luxor certs dev`` does; nothing changes when all is there and good."""
    command = certs_command.commands["dev"]
    context = command.make_context("dev", ["--dir", str(certs), "--json"])
    with context, contextlib.redirect_stdout(io.StringIO()):
        command.invoke(context)
