"""May these items go? For one item by its address, for many as JSON or line by line (NDJSON)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.core.clearance import ClearanceAnswers
from gateway.core.errors import Refused
from gateway.ingress.http.body import check_announced
from gateway.ingress.http.responses import json_response, lines_response
from gateway.ingress.http.router import Call
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.http.signed import content_of
from gateway.ingress.spool import Intake, SpoolSettings
from gateway.pipeline.service import Service

NDJSON = "application/x-ndjson"


class ClearanceRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The items that are asked about, each as often as it is named."""

    items: tuple[str, ...]


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    item: str


_request = msgspec.json.Decoder(ClearanceRequest)
_lines = msgspec.json.Decoder(_Line)


class Clearances:
    """``/v1/items/{id}/clearance`` and ``/v1/items/clearance``."""

    def __init__(self, *, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings

    async def one(self, call: Call) -> web.Response:
        """``GET /v1/items/{id}/clearance``."""
        call.query()
        (answer,) = await self._service.clearance(call.identity, call.values)
        return json_response(answer)

    async def many(self, call: Call) -> web.Response:
        """``POST /v1/items/clearance``; answered in the form of the request."""
        call.query()
        check_announced(call.request, self._settings)
        bound = self._settings.clearance_bytes
        intake = Intake(SpoolSettings(memory_bytes=bound, max_bytes=bound))
        content = await content_of(call, intake, self._settings)
        by_lines = call.request.content_type == NDJSON
        with content.open() as source:
            try:
                items = _items(source.read(), by_lines=by_lines)
            except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
                raise Refused("request.invalid", f"the items: {error}") from error
        answers = await self._service.clearance(call.identity, items)
        if by_lines:
            return lines_response(answers, media_type=NDJSON)
        return json_response(ClearanceAnswers(answers=answers))


def _items(content: bytes, *, by_lines: bool) -> tuple[str, ...]:
    if by_lines:
        return tuple(line.item for line in _lines.decode_lines(content))
    return _request.decode(content).items
