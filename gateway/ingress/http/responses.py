"""How answers look on the wire."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from aiohttp import web

from gateway.core.envelope import Transport
from gateway.core.records import State, Stored
from gateway.ingress.answers import answer_of
from gateway.ingress.problems import Told

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
_encoder = msgspec.json.Encoder()
_HEADERS = {
    "Server": "luxor",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def json_response(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A value of ours as JSON."""
    return web.Response(
        body=_encoder.encode(value),
        status=status,
        headers={**_HEADERS, "Content-Type": JSON, **(headers or {})},
    )


def answer_response(stored: Stored, *, page: int) -> web.Response:
    """The answer to an interchange: 202 when something was accepted, otherwise 422."""
    headers = {"Location": f"/v1/interchanges/{stored.interchange_id}"}
    if stored.repeated:
        headers["Luxor-Repeated"] = "true"
    status = 202 if stored.state is State.ACCEPTED else 422
    return json_response(answer_of(stored, limit=page), status=status, headers=headers)


def problem_response(told: Told, *, allow: tuple[str, ...] = ()) -> web.Response:
    """A problem document (RFC 9457) with the headers that its status asks for."""
    status = told.problem.status
    headers = {**_HEADERS, "Content-Type": PROBLEM_JSON}
    if told.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(told.retry_after))  # RFC 9110, 10.2.3
    if status == 401:
        headers["WWW-Authenticate"] = f'Luxor-Signature realm="{Transport.HTTPS}"'  # 11.6.1
    if allow:
        headers["Allow"] = ", ".join(allow)  # RFC 9110, 10.2.1
    return web.Response(body=_encoder.encode(told.problem), status=status, headers=headers)
