"""The inbox: a party without an endpoint pulls what is addressed to it."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from gateway.core.errors import Refused
from gateway.core.identifiers import MessageId
from gateway.ingress.http.body import check_announced
from gateway.ingress.http.lookups import whole
from gateway.ingress.http.responses import json_response
from gateway.ingress.http.router import Call
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.http.signed import content_of
from gateway.ingress.spool import Intake, SpoolSettings
from gateway.pipeline.service import InboxPage, Service
from gateway.telemetry import Metrics
from translators.translator import FormatId

STEP_S = 1.0
"""A long call waits in steps, so that a stop need not wait for it."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page with this cursor was taken; without ``message_ids`` all of it."""

    cursor: str
    message_ids: tuple[MessageId, ...] | None = None


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages were settled by this call."""

    acknowledged: int


_decoder = msgspec.json.Decoder(Acknowledgement)


class Inbox:
    """Pages and their acknowledgement."""

    def __init__(
        self,
        *,
        service: Service,
        metrics: Metrics,
        settings: HttpSettings,
        stopping: asyncio.Event,
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._settings = settings
        self._stopping = stopping

    async def page(self, call: Call) -> web.Response:
        """``GET /v1/inbox?limit=&wait=&format=``: the next page, as soon as there is one."""
        query = call.query("limit", "wait", "format")
        limit = whole(query, "limit", default=100, least=1, most=self._settings.inbox_page)
        wait = whole(query, "wait", default=0, least=0, most=int(self._settings.inbox_wait))
        format_id = FormatId(query["format"]) if "format" in query else None
        if format_id is not None and self._service.formats.find(format_id) is None:
            raise Refused("format.unknown")
        page = await self._wait(call, limit=limit, wait=wait, format_id=format_id)
        self._count(call, "served", len(page.messages))
        return json_response(page)

    async def acknowledge(self, call: Call) -> web.Response:
        """``POST /v1/inbox/acknowledgements``."""
        call.query()
        check_announced(call.request, self._settings)
        bound = self._settings.acknowledgement_bytes
        intake = Intake(SpoolSettings(memory_bytes=bound, max_bytes=bound))
        content = await content_of(call, intake, self._settings)
        with content.open() as source:
            try:
                given = _decoder.decode(source.read())
            except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
                raise Refused("request.invalid", f"the acknowledgement: {error}") from error
        settled = await self._service.acknowledge(call.identity, given.cursor, given.message_ids)
        self._count(call, "acknowledged", settled)
        return json_response(Acknowledged(acknowledged=settled))

    async def _wait(
        self, call: Call, *, limit: int, wait: float, format_id: FormatId | None
    ) -> InboxPage:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            left = max(0.0, until - loop.time())
            page = await self._service.inbox(
                call.identity, limit=limit, wait=min(left, STEP_S), format_id=format_id
            )
            await call.still()
            if page.messages or loop.time() >= until or self._stopping.is_set():
                return page

    def _count(self, call: Call, step: str, messages: int) -> None:
        self._metrics.inbox.labels(party=call.identity.party, step=step).inc(messages)
