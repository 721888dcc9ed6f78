"""``luxor serve``: one gateway in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import msgspec
import uvloop

from gateway.app import ALONE, App, Place, new_telemetry
from gateway.app.memory import settle
from gateway.app.opening import check_journal
from gateway.app.workers import Unstartable
from gateway.cli.options import config_option, json_option
from gateway.cli.supervise import (
    ENDING,
    Stops,
    leave_signals,
    supervise,
    unless_hurried,
    write_ports,
)
from gateway.config import Config, ConfigError, Mistake, load
from gateway.config.assemble import formats_of
from gateway.config.check import check
from gateway.telemetry import capture_libraries
from trust.mistakes import RegistryError
from trust.party import Registry

BAD_CONFIGURATION = 2
SWITCH_SECONDS = 0.0005
"""How long the event loop may keep the interpreter while the journal's threads wait for it.

With Python's 5 ms a commit that takes the interpreter a dozen times waits a dozen times as long.
"""


@click.command(
    epilog="""\b
Examples:
  luxor serve --config gateway.toml
  luxor serve --config gateway.toml --workers 4
  luxor serve --config gateway.toml --check
  luxor serve --config gateway.toml --set ingress.https.port=9443"""
)
@config_option("Configuration file; docs/configuration.md explains every key.")
@click.option("--check", "only_check", is_flag=True, help="Check the configuration and end.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace one value of the file; VALUE is TOML.",
)
@click.option(
    "--ports-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the ports that are listened on there as JSON, once ready (for port 0).",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Serve by so many processes, kept by this one (default: as gateway.workers says).",
)
@click.option("--place", "place_json", hidden=True, help="What the supervisor tells a worker.")
@json_option("Print mistakes as JSON.")
def serve(
    file: Path,
    only_check: bool,  # noqa: FBT001 - a click option
    changes: tuple[str, ...],
    ports_file: Path | None,
    workers: int | None,
    place_json: str | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Run a gateway until SIGTERM or Ctrl-C.

    Every mistake in the configuration is named with its path, and nothing starts. On a stop,
    nothing new is taken and what is under way is finished; a second SIGTERM or Ctrl-C hurries.

    With workers, SIGHUP has each of them read the configuration again, and SIGUSR2 (or `luxor
    restart`) replaces them by new ones while they serve.
    """
    try:
        reread = partial(load, file, changes=dict(map(_change, changes)))
        config = reread()
        if only_check:
            _check(config)
            click.echo('{"mistakes":[]}' if as_json else f"{file}: no mistakes")
            return
        workers = workers or config.gateway.workers
        if workers is not None and place_json is None:
            with asyncio.Runner() as runner:
                runner.run(supervise(config, workers=workers, ports_file=ports_file))
            return
        place = ALONE if place_json is None else msgspec.json.decode(place_json, type=Place)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(config, ports_file, reread, place))
    except Unstartable as error:  # the worker has said why
        sys.exit(error.status if error.status > 0 else 1)
    except ConfigError as error:
        if as_json:
            mistakes = [{"path": m.path, "text": m.text} for m in error.mistakes]
            click.echo(msgspec.json.encode({"mistakes": mistakes}).decode())
        else:
            click.echo(str(error), err=True)
        sys.exit(BAD_CONFIGURATION)


def _change(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"--set wants KEY=VALUE, not {text}")
    try:
        return key, msgspec.toml.decode(f"value = {value}")["value"]
    except msgspec.DecodeError:
        return key, value  # a bare word is a text


def _check(config: Config) -> None:
    app = App(config, telemetry=new_telemetry(config, stream=sys.stderr))
    check_journal(config)
    if config.registry.file is None:
        return
    path = config.path(config.registry.file)
    try:
        parties = Registry.from_toml(
            path.read_text("utf-8"), lambda name: (path.parent / name).read_bytes()
        )
    except (OSError, RegistryError) as error:
        raise ConfigError(config.file, [Mistake("registry.file", str(error))]) from error
    mistakes = check(app.config, formats=formats_of(config), parties=parties)
    if mistakes:
        raise ConfigError(config.file, mistakes)


async def _serve(
    config: Config, ports_file: Path | None, reread: Callable[[], Config], place: Place
) -> None:
    # A descriptor of its own: standard error itself may be read by this process, which must not
    # wait for itself when it logs.
    stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, encoding="utf-8")
    telemetry = new_telemetry(config, stream=stream, worker=place.worker_number)
    capture_libraries(telemetry.log)
    sys.setswitchinterval(SWITCH_SECONDS)
    app = App(config, telemetry=telemetry, reread=reread, place=place, settled=settle)
    stops = Stops()
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, stops.ask)
    loop.add_signal_handler(signal.SIGHUP, app.hang_up)
    if place.line is not None:
        loop.add_reader(place.line, stops.orphan, place.line)
    await app.start()
    if place.line is not None:
        os.write(place.line, b"\n")
    elif ports_file is not None:
        await asyncio.to_thread(write_ports, _ports(app), ports_file)
    await stops.asked.wait()
    telemetry.log.info("gateway.stopping")
    await unless_hurried(app.stop(), stops)
    leave_signals(loop)
    telemetry.log.info("gateway.stopped")


def _ports(app: App) -> dict[str, int]:
    return {
        name: ingress.port
        for name, ingress in (
            ("https", app.https),
            ("signed", app.signed),
            ("grpc", app.grpc),
            ("operations", app.operations),
        )
        if ingress is not None
    }
