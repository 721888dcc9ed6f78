"""Our translators behind a bare HTTP server: a document in, our JSON out, nothing kept.

``python -m bench.peers.serving.library PORT``. Every element and attribute is accounted for, typed
and checked; whatever is wrong is answered with its place, as 422.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
import uvloop
from aiohttp import web

from translators.exchange.json_exchange import JsonExchange
from translators.faults import TranslationError
from translators.layout import packaged
from translators.translator import decode, encode

SOURCE = packaged("upu.itmatt.1")
TARGET = JsonExchange()


async def translate(request: web.BaseRequest) -> web.StreamResponse:
    """Answer one document."""
    content = await request.read()
    try:
        translated = encode(TARGET, decode(SOURCE, content))
    except TranslationError as error:
        return web.Response(
            status=422, body=msgspec.json.encode(error.faults), content_type="application/json"
        )
    return web.Response(body=translated, content_type="application/json")


async def serve(port: int) -> None:
    """Until the process is ended."""
    server = web.Server(translate)
    await asyncio.get_running_loop().create_server(server, "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
