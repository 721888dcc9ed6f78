"""``luxor authority serve``: lists, certificates and OCSP answers for everybody."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.authority import Office
from gateway.authority.bounds import USUAL_BOUNDS, AskingBounds
from gateway.authority.files import put
from gateway.authority.server import AuthorityServer
from gateway.cli.issued import folder_option, opened
from gateway.telemetry import capture_libraries, event_log


@click.command(
    epilog="""\b
Examples:
    luxor authority serve
    luxor authority serve --host 0.0.0.0 --port 8085
    luxor authority serve --port 0 --ports-file ports.json"""
)
@folder_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8085, show_default=True)
@click.option(
    "--per-second",
    type=click.FloatRange(min=0),
    default=USUAL_BOUNDS.per_second,
    show_default=True,
    help="Requests per second of one address in the long run; 0: as many as come.",
)
@click.option("--log", type=click.Choice(["json", "console"]), default="json", show_default=True)
@click.option(
    "--ports-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the port there as JSON, once ready (for port 0).",
)
@click.option("--check", "only_check", is_flag=True, help="Check the folder and end.")
def serve(
    *,
    folder: Path,
    host: str,
    port: int,
    per_second: float,
    log: str,
    ports_file: Path | None,
    only_check: bool,
) -> None:
    """Serve lists, certificates and OCSP over plain HTTP until SIGTERM or Ctrl-C.

    \b
    GET  /crl/root.crl  /crl/issuing.crl            the revocation lists, DER
    GET  /certs/root.cer  /certs/issuing.cer  /certs/chain.pem
    POST /ocsp     GET /ocsp/BASE64                 RFC 6960, RFC 5019
    GET  /health/live  /health/ready

    Lists and the responder's certificate are renewed in time. It holds the issuing key: run it as
    a user of its own.
    """
    with opened(folder) as office:
        if only_check:
            print(f"{folder}: good")
            return
        bounds = AskingBounds(per_second=per_second)
        asyncio.run(_serve(office, host, port, bounds, log, ports_file))


async def _serve(
    office: Office,
    host: str,
    port: int,
    bounds: AskingBounds,
    rendering: str,
    ports_file: Path | None,
) -> None:
    log = event_log(stream=sys.stderr, rendering="json" if rendering == "json" else "console")
    capture_libraries(log)
    server = AuthorityServer(
        office,
        host=host,
        port=port,
        clock=lambda: datetime.now(UTC),
        log=log.bind(part="authority"),
        bounds=bounds,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await server.start()
        if ports_file is not None:
            content = json.dumps({"authority": server.port, "pid": os.getpid()}).encode()
            await asyncio.to_thread(put, ports_file, content)
        await stop.wait()
    finally:
        await server.stop()
    log.info("authority.stopped")
