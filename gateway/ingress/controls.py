"""What an operator may ask of a running gateway, on the operations listener.

Reading and changing are told apart by method. Whoever reaches the listener may ask, so controls
are served on a loopback address alone, unless a token guards them. A page in a browser on the
same machine cannot: what changes something must be JSON and must not say that it has an origin
(Fetch standard: neither goes across origins without being asked for first).
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec
from aiohttp import web

from gateway.core.errors import Refused, Unavailable

LARGEST = 64 << 10
"""Bytes of a control's body."""


class Asked(msgspec.Struct, frozen=True):
    """A request to a control: what the path, the query and the JSON body say."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True):
    """What a control answers: any value that is JSON."""

    value: object
    status: int = 200


class Control(msgspec.Struct, frozen=True):
    """One thing that may be asked for; ``path`` has aiohttp's form, as in ``/deliveries/{id}``.

    ``handle`` raises ``ValueError`` for what is asked wrongly, and what the service raises.
    """

    method: Literal["GET", "POST"]
    path: str
    handle: Callable[[Asked], Awaitable[Answer]]


class Guard:
    """Who may use the controls."""

    def __init__(self, *, host: str, token: str | None) -> None:
        self._token = token
        self._loopback = is_loopback(host)

    @property
    def open(self) -> bool:
        """Whether controls are served at all."""
        return self._loopback or self._token is not None

    def refuses(self, request: web.Request) -> tuple[int, str] | None:
        """Status and reason, when this request may not be served."""
        if self._token is not None:
            scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(
                shown.strip().encode(errors="surrogateescape"), self._token.encode()
            ):
                return 401, "the token of [ingress.operations] is needed"
        elif not is_loopback(request.url.host or ""):
            return 403, "ask by a loopback address"  # a name of somebody's that leads here
        if request.method != "GET":
            if "Origin" in request.headers:
                return 403, "not for pages in browsers"
            if request.content_type != "application/json":
                return 415, "changes are asked for as application/json"
        return None


def is_loopback(host: str) -> bool:
    """Whether a name or address never leaves this machine (RFC 6761, 6.3)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def routes(controls: tuple[Control, ...], guard: Guard) -> list[web.RouteDef]:
    """The controls as routes, each behind the guard; none when nobody could be told apart."""
    if not guard.open:
        return []
    return [
        web.route(control.method, control.path, _served(control, guard)) for control in controls
    ]


def _served(
    control: Control, guard: Guard
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        refusal = guard.refuses(request)
        if refusal is not None:
            return _told(*refusal)
        try:
            asked = Asked(dict(request.match_info), dict(request.query), await request.read())
            answer = await control.handle(asked)
        except ValueError as error:
            return _told(400, str(error))
        except Refused as refused:
            return _told(409, str(refused))
        except Unavailable as unavailable:
            return _told(503, unavailable.reason)
        return _json(answer.value, answer.status)

    return serve


def _told(status: int, reason: str) -> web.Response:
    return _json({"error": reason}, status)


def _json(value: object, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
