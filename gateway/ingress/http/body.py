"""Reading a request's body: bounded in size and time, spooled when it is large."""

from __future__ import annotations

import asyncio

from aiohttp import ClientError, web_protocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_request import BaseRequest

from gateway.core.envelope import Content
from gateway.core.errors import Refused
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.spool import Intake, check_size

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"  # RFC 9110, 10.1.1


def check_announced(request: BaseRequest, settings: HttpSettings) -> None:
    """Refuse by its headers a body that would be refused when read."""
    for line in request.headers.getall("Content-Encoding", ()):
        if line.strip().lower() not in ("", "identity"):
            raise Refused("body.encoding")
    if request.content_length is not None:
        check_size(request.content_length, settings.spool)


async def read_body(request: BaseRequest, intake: Intake, settings: HttpSettings) -> Content:
    """The whole body.

    Raises ``Refused`` with ``body.oversize``, ``body.slow``, ``body.incomplete`` or
    ``body.empty``. A client that waits for leave (``Expect``) gets it here.
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(_CONTINUE)
        request.writer.output_size = 0
    stream = request.content
    loop = asyncio.get_running_loop()
    last = loop.time() + settings.body_timeout
    try:
        if not stream.is_eof():  # small bodies are mostly here already: no timer for them
            async with asyncio.timeout_at(min(last, loop.time() + settings.body_idle)) as limit:
                while not stream.is_eof():
                    await intake.feed(await stream.readany())
                    limit.reschedule(min(last, loop.time() + settings.body_idle))
        if not stream.at_eof():
            await intake.feed(await stream.readany())
    except TimeoutError as error:
        raise Refused("body.slow") from error
    except (
        ClientError,
        ConnectionError,
        HttpProcessingError,
        web_protocol.RequestPayloadError,
    ) as error:
        raise Refused("body.incomplete") from error
    return await intake.finish()
