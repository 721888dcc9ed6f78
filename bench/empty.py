"""The bare baseline of HTTPS: ``python -m bench.empty CERTS PORT_FILE PARTY``.

aiohttp on uvloop with mutual TLS 1.3 by keep-alive: reads each request whole, answers 202 without
content. Nothing is identified, verified, read, kept or signed.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import suppress
from pathlib import Path

import uvloop
from aiohttp import web
from aiohttp.web_request import BaseRequest


async def answer(request: BaseRequest) -> web.Response:
    """202, once the whole request was read."""
    await request.read()
    return web.Response(status=202)


def context(certs: Path, party: str = "gateway-lx") -> ssl.SSLContext:
    """TLS as that party of the development network, asking callers for their certificates."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    place = certs / "luxor/parties" / party
    made.load_cert_chain(place / "tls.pem", place / "tls.key")
    made.load_verify_locations(certs / "luxor/root.pem")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


async def serve(certs: Path, port_file: Path, party: str) -> None:
    """On a free port of the loopback, until the process is ended."""
    server = await asyncio.get_running_loop().create_server(
        web.Server(answer), "127.0.0.1", 0, ssl=context(certs, party)
    )
    written = port_file.with_suffix(".new")
    written.write_text(str(server.sockets[0].getsockname()[1]))
    written.rename(port_file)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # whoever started it is interrupted too, and tells
        uvloop.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
