"""What a party may ask about its own interchanges and items, and which formats there are."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
from aiohttp import web

from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.records import Leg, Result, State, Subject, TraceEntry
from gateway.core.reports import Line
from gateway.ingress.answers import Answer, answer_of, page_of
from gateway.ingress.http.responses import json_response
from gateway.ingress.http.router import Call
from gateway.ingress.http.settings import HttpSettings
from gateway.pipeline.service import ReportPage, Service
from translators.translator import FormatId
from trust.identity import PartyId

MAX_TRACE_VALUE = 140
MAX_VALUES = 10_000
"""Values in one page of reports, unless the first message alone has more."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The answer as it was given, and where each message stands with each destination."""

    answer: Answer
    legs: tuple[Leg, ...]


class TracedAttempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of delivery, as far as it concerns the sender."""

    destination: str
    n: int
    at: datetime
    result: Result
    code: str = ""


class TracedMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message about the item, order or indicator, in order of acceptance.

    ``sent_by`` and ``on_behalf_of`` are there when somebody sent it in another party's name.
    """

    message_id: MessageId
    interchange_id: InterchangeId
    kind: str
    function: str
    version: int
    format: FormatId
    transport: str
    accepted_at: datetime
    subjects: tuple[Subject, ...]
    regards: MessageId | None = None
    sent_by: PartyId | None = None
    on_behalf_of: PartyId | None = None
    attempts: tuple[TracedAttempt, ...] = ()
    legs: tuple[Leg, ...] = ()


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The history of one value."""

    value: str
    messages: tuple[TracedMessage, ...]


class ReportedMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message and every value of it that was not simply carried. ``more``: values not kept."""

    ordinal: int
    kind: str
    notes: tuple[Line, ...]
    more: int = 0


class TranslationReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What reading an interchange did not simply carry.

    Messages that were carried whole are left out. ``next``: the offset of the page after this one.
    """

    interchange_id: InterchangeId
    format: FormatId
    status: State
    messages: tuple[ReportedMessage, ...]
    next: int | None = None


class FormatLine(msgspec.Struct, frozen=True, kw_only=True):
    """One format that is spoken here, and how it stands to its standard."""

    id: FormatId
    title: str
    standing: str
    kinds: tuple[str, ...]
    media_types: tuple[str, ...]


class Formats(msgspec.Struct, frozen=True, kw_only=True):
    """All formats."""

    formats: tuple[FormatLine, ...]


class Lookups:
    """The reading side of the interface."""

    def __init__(self, *, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings

    async def status(self, call: Call) -> web.Response:
        """``GET /v1/interchanges/{id}``."""
        call.query()
        found = await self._service.status(call.identity, InterchangeId(call.values[0]))
        answer = answer_of(found.stored, limit=self._settings.outcome_page)
        return json_response(Status(answer=answer, legs=found.legs))

    async def outcomes(self, call: Call) -> web.Response:
        """``GET /v1/interchanges/{id}/outcomes?offset=&limit=``."""
        query = call.query("offset", "limit")
        offset = whole(query, "offset", default=0, least=0, most=10_000_000)
        most = self._settings.outcome_page
        limit = whole(query, "limit", default=most, least=1, most=most)
        found = await self._service.status(call.identity, InterchangeId(call.values[0]))
        return json_response(page_of(found.stored, offset=offset, limit=limit))

    async def report(self, call: Call) -> web.Response:
        """``GET /v1/interchanges/{id}/report?offset=&limit=``."""
        query = call.query("offset", "limit")
        offset = whole(query, "offset", default=0, least=0, most=10_000_000)
        most = self._settings.outcome_page
        limit = whole(query, "limit", default=most, least=1, most=most)
        found = await self._service.reports(
            call.identity, InterchangeId(call.values[0]), offset=offset, limit=limit
        )
        return json_response(_page(found, offset=offset))

    async def trace(self, call: Call) -> web.Response:
        """``GET /v1/trace/{value}``."""
        call.query()
        value = call.values[0]
        if not 0 < len(value) <= MAX_TRACE_VALUE:
            raise Refused("request.invalid", f"a value has 1 to {MAX_TRACE_VALUE} characters")
        entries = await self._service.trace(call.identity, value)
        return json_response(Trace(value=value, messages=tuple(map(_traced, entries))))

    async def quality(self, call: Call) -> web.Response:
        """``GET /v1/quality?since=&until=&daily=``."""
        query = call.query("since", "until", "daily")
        if query.get("daily", "false") not in ("true", "false"):
            raise Refused("request.invalid", "daily is true or false")
        return json_response(
            await self._service.quality(
                call.identity,
                since=day(query, "since"),
                until=day(query, "until"),
                daily=query.get("daily") == "true",
            )
        )

    async def keys(self, call: Call) -> web.Response:
        """``GET /v1/keys``."""
        call.query()
        return json_response(self._service.signing_keys())

    async def formats(self, call: Call) -> web.Response:
        """``GET /v1/formats``."""
        call.query()
        lines = tuple(
            FormatLine(
                id=translator.id,
                title=translator.title,
                standing=translator.standing,
                kinds=tuple(sorted(translator.kinds)),
                media_types=translator.media_types,
            )
            for translator in self._service.formats
        )
        return json_response(Formats(formats=lines))


def day(query: dict[str, str], name: str) -> date | None:
    """A day of the query string as ``YYYY-MM-DD``, or ``request.invalid``."""
    text = query.get(name)
    if text is None:
        return None
    try:
        # fromisoformat() takes weeks and days without hyphens too.
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise Refused("request.invalid", f"{name} is a day: YYYY-MM-DD") from error


def whole(query: dict[str, str], name: str, *, default: int, least: int, most: int) -> int:
    """A whole number of the query string, within its bounds, or ``request.invalid``."""
    text = query.get(name)
    if text is None:
        return default
    # Python's int() takes other scripts' digits, signs, blanks and underscores too.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise Refused("request.invalid", f"{name} is a whole number from {least} to {most}")
    return int(text)


def _page(found: ReportPage, *, offset: int) -> TranslationReport:
    """As many messages as fit; a single one may have more values than a page."""
    messages: list[ReportedMessage] = []
    values = 0
    for told in found.reports:
        notes = tuple(told.report.values())
        values += len(notes)
        if messages and values > MAX_VALUES:
            break
        messages.append(
            ReportedMessage(
                ordinal=told.ordinal, kind=told.report.kind, notes=notes, more=told.report.more
            )
        )
    more = found.more or len(messages) < len(found.reports)
    return TranslationReport(
        interchange_id=found.stored.interchange_id,
        format=found.stored.format,
        status=found.stored.state,
        messages=tuple(messages),
        next=offset + len(messages) if more else None,
    )


def _traced(entry: TraceEntry) -> TracedMessage:
    """Without bodies, withheld paths and receipts of others, which are not the sender's."""
    message = entry.message
    return TracedMessage(
        message_id=message.message_id,
        interchange_id=message.interchange_id,
        kind=message.kind,
        function=message.function,
        version=message.version,
        format=entry.format,
        transport=entry.transport,
        accepted_at=message.accepted_at,
        subjects=entry.subjects,
        regards=message.regards,
        sent_by=None if message.on_behalf_of is None else message.party,
        on_behalf_of=message.on_behalf_of,
        attempts=tuple(
            TracedAttempt(
                destination=attempt.destination,
                n=attempt.n,
                at=attempt.at,
                result=attempt.result,
                code=attempt.code,
            )
            for attempt in entry.attempts
        ),
        legs=entry.legs,
    )
