"""How answers look on the wire."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from gateway.core.envelope import Transport
from gateway.core.records import State, Stored
from gateway.ingress.answers import answer_of
from gateway.ingress.problems import Told
from gateway.ingress.security import SECURITY
from trust.signatures.http.sign import wanted

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
_CHALLENGES = ", ".join(
    f'{scheme} realm="{Transport.HTTPS}"' for scheme in ("Luxor-Signature", "HTTP-Signature")
)
"""A detached JWS over the content, or a signature of the request (docs/http-signatures.md)."""
_encoder = msgspec.json.Encoder()
_HEADERS = {
    **SECURITY,
    # RFC 6797, 7.2: only over TLS. The name serves nothing else, for two years.
    "Strict-Transport-Security": "max-age=63072000",
}
_JSON_HEADERS = CIMultiDict({**_HEADERS, "Content-Type": JSON})
"""To be copied: each answer owns its headers."""


def json_response(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A value of ours as JSON."""
    own = _JSON_HEADERS.copy()
    own.update(headers or {})
    return web.Response(body=_encoder.encode(value), status=status, headers=own)


def raw_response(content: bytes, *, headers: dict[str, str]) -> web.Response:
    """JSON whose bytes matter, because they are signed."""
    return web.Response(body=content, headers={**_HEADERS, "Content-Type": JSON, **headers})


def lines_response(values: Iterable[Any], *, media_type: str) -> web.Response:
    """Values of ours as JSON, each on a line of its own."""
    return web.Response(
        body=_encoder.encode_lines(values), headers={**_HEADERS, "Content-Type": media_type}
    )


def answer_response(stored: Stored, *, page: int) -> web.Response:
    """The answer to an interchange: 202 when something was accepted, otherwise 422."""
    headers = {"Location": f"/v1/interchanges/{stored.interchange_id}"}
    if stored.repeated:
        headers["Luxor-Repeated"] = "true"
    status = 202 if stored.state is State.ACCEPTED else 422
    return json_response(answer_of(stored, limit=page), status=status, headers=headers)


def problem_response(
    told: Told, *, allow: tuple[str, ...] = (), content: bool = True
) -> web.Response:
    """A problem document (RFC 9457) with the headers that its status asks for.

    ``content``: whether the request is of a kind that has some, for what a signature has to cover.
    """
    status = told.problem.status
    headers = {**_HEADERS, "Content-Type": PROBLEM_JSON}
    if told.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(told.retry_after))  # RFC 9110, 10.2.3
    if status == 401:
        headers["WWW-Authenticate"] = _CHALLENGES  # RFC 9110, 11.6.1
        headers["Accept-Signature"] = wanted(content=content)  # RFC 9421, 5
    if allow:
        headers["Allow"] = ", ".join(allow)  # RFC 9110, 10.2.1
    return web.Response(body=_encoder.encode(told.problem), status=status, headers=headers)
