"""The process: composition and life cycle of a back end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, datetime, timedelta

import click
import structlog

from backends.service.clerk import Clerk
from backends.service.configuration import ConfigurationError, Settings
from backends.service.credentials import Credentials
from backends.service.desk import Desk
from backends.service.formats import encoder, spoken_formats
from backends.service.ledger import Ledger
from backends.service.server import Server
from backends.service.submitter import Submitter
from backends.service.timer import Timer
from trust.mistakes import Mistake

_log = structlog.get_logger("backends.process")


async def serve(settings: Settings, desk: Desk) -> None:
    """Run until SIGTERM or SIGINT; then finish what was begun.

    Raises ``ConfigurationError`` or ``LedgerError`` before it serves, ``OSError`` when the address
    is taken.
    """
    _set_up_logging()
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


def check(settings: Settings) -> None:
    """Read keys, registry and format; raises :class:`ConfigurationError`."""
    Credentials(settings)
    _check_format(settings)


def _check_format(settings: Settings) -> None:
    known = spoken_formats()
    if settings.gateway.format not in known:
        detail = f"unknown format; known are {', '.join(sorted(known))}"
        raise ConfigurationError("configuration", [Mistake("gateway.format", detail)])


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
