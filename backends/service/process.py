"""The process: composition, life cycle and command line of a back end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec
import structlog

from backends.service import outbox
from backends.service.books import Books
from backends.service.clerk import Clerk
from backends.service.configuration import ConfigurationError, Settings, read_settings
from backends.service.credentials import Credentials
from backends.service.desk import Desk
from backends.service.formats import encoder, spoken_formats
from backends.service.ledger import Ledger, LedgerError, open_for_reading
from backends.service.server import Server
from backends.service.submitter import Submitter
from backends.service.summary import summarise
from backends.service.timer import Timer
from trust.mistakes import Mistake

T = TypeVar("T", bound=msgspec.Struct)
Build = Callable[[Settings, T], Desk]
"""Makes the desk; raises :class:`ConfigurationError` for tables that cannot be used."""

_log = structlog.get_logger("backends.process")


def command(name: str, section: type[T], build: Build[T]) -> click.Command:
    """The command line of the back end ``name``, whose own settings stand in ``[name]``."""

    @click.command(name=name, help=f"The {name} back end: serves until it is told to stop.")
    @click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        help="Configuration file (TOML).",
    )
    @click.option("--check", is_flag=True, help="Only check the configuration and its tables.")
    @click.option("--summary", is_flag=True, help="Only count what the ledger holds.")
    @click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
    @click.option(
        "--retry-refused", is_flag=True, help="Only have answers sent again that were refused."
    )
    def run(*, file: Path, check: bool, summary: bool, as_json: bool, retry_refused: bool) -> None:
        try:
            settings, own = read_settings(file, name, section)
            desk = build(settings, own)
            if summary:
                _print_summary(settings, desk, as_json=as_json)
            elif retry_refused:
                click.echo(f"{_retry_refused(settings)} answers wait again")
            elif check:
                Credentials(settings)
                _check_format(settings)
                click.echo(f"{file}: good")
            else:
                _set_up_logging()
                asyncio.run(serve(settings, desk))
        except (ConfigurationError, LedgerError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except OSError as error:
            click.echo(f"{name}: {error}", err=True)
            sys.exit(1)

    return run


async def serve(settings: Settings, desk: Desk) -> None:
    """Run until SIGTERM or SIGINT; then finish what was begun."""
    limits = settings.limits
    credentials = Credentials(settings)
    _check_format(settings)
    encode = encoder(settings)
    ledger = Ledger(
        settings.path(settings.service.ledger),
        tables=desk.tables,
        group=limits.group,
        waiting=limits.waiting,
    )
    submitter = Submitter(
        ledger=ledger,
        credentials=credentials,
        gateway=settings.gateway,
        limits=limits,
        clock=_now,
    )
    timer = Timer(
        desk=desk,
        ledger=ledger,
        credentials=credentials,
        encode=encode,
        clock=_now,
        seconds=limits.poll_seconds,
        wake=submitter.wake,
    )

    def wake() -> None:
        submitter.wake()
        timer.wake()

    clerk = Clerk(
        desk=desk,
        ledger=ledger,
        credentials=credentials,
        formats=spoken_formats(),
        encode=encode,
        clock=_now,
        key_life=timedelta(days=limits.key_days),
        max_bytes=limits.message_bytes,
        wake=wake,
    )
    server = Server(clerk, credentials.server(), limits)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        port = await server.start(settings.service.listen)
        _announce(settings, desk.name, port)
        async with asyncio.TaskGroup() as tasks:
            workers = [tasks.create_task(submitter.run()), tasks.create_task(timer.run())]
            await stopping.wait()
            _log.info("process.stopping", backend=desk.name)
            await server.stop()
            for worker in workers:
                worker.cancel()
    finally:
        await server.stop()
        await ledger.close()
    _log.info("process.stopped", backend=desk.name)


def _announce(settings: Settings, name: str, port: int) -> None:
    host, _, _ = settings.service.listen.rpartition(":")
    address = f"{host}:{port}"
    if settings.service.ready_file is not None:
        path = settings.path(settings.service.ready_file)
        draft = path.with_name(path.name + ".new")
        draft.write_text(address + "\n", encoding="ascii")
        draft.replace(path)  # by rename, so that who waits for it reads it whole
    click.echo(f"ready {name} {address}")
    _log.info("process.ready", backend=name, address=address, pid=os.getpid())


def _check_format(settings: Settings) -> None:
    known = spoken_formats()
    if settings.gateway.format not in known:
        detail = f"unknown format; known are {', '.join(sorted(known))}"
        raise ConfigurationError("configuration", [Mistake("gateway.format", detail)])


def _print_summary(settings: Settings, desk: Desk, *, as_json: bool) -> None:
    with closing(open_for_reading(settings.path(settings.service.ledger))) as connection:
        connection.execute("BEGIN")  # one state for all counts
        found: dict[str, Any] = {
            "backend": desk.name,
            "party": settings.service.party,
            **summarise(connection),
            desk.name: desk.figures(Books(connection, _now(), _no_answers)),
        }
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for path, value in _flat(found):
        click.echo(f"{path:<45} {value}")


def _flat(value: dict[str, Any], path: str = "") -> list[tuple[str, Any]]:
    lines: list[tuple[str, Any]] = []
    for name, entry in value.items():
        below = f"{path}.{name}" if path else name
        lines += _flat(entry, below) if isinstance(entry, dict) else [(below, entry)]
    return lines


def _no_answers(*_: object) -> NoReturn:
    raise AssertionError("counting leaves no answers")


def _retry_refused(settings: Settings) -> int:
    path = settings.path(settings.service.ledger)
    open_for_reading(path).close()
    # Beside a running process, which finds what waits at its next look.
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        return outbox.retry_refused(connection)


def _now() -> datetime:
    return datetime.now(UTC)


def _set_up_logging() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
