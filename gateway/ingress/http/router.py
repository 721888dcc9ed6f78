"""From request line to handler, and from whatever a handler raises to a problem document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import unquote

import msgspec
from aiohttp import web
from aiohttp.web_request import BaseRequest

from gateway.core.errors import Refused
from gateway.ingress.http.connection import Connection
from gateway.ingress.http.responses import problem_response
from gateway.ingress.limits import CONCURRENT, CONNECTIONS, RATE, Limiter
from gateway.ingress.problems import Problems, Told
from gateway.ingress.reception import printable
from gateway.pipeline.signed import Signed
from gateway.telemetry.stages import Stages
from trust.identity import Identity

Handler = Callable[["Call"], Awaitable[web.Response]]
_READ_AWAY_BYTES = 1 << 20


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A party, and the signature of its request if it had one.

    ``still`` raises ``Refused`` when what the connection shows has ceased to count.
    """

    identity: Identity
    signed: Signed | None = None
    still: Callable[[], Awaitable[None]]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authenticated request. ``values`` are the variable parts of its path, in order.

    Its body is read by ``signed.content_of``, which checks it against the signature.
    """

    request: BaseRequest
    identity: Identity
    signed: Signed | None = None
    still: Callable[[], Awaitable[None]]
    """Judges the caller anew, after whatever took time; raises ``Refused``."""
    values: tuple[str, ...]

    def query(self, *allowed: str) -> dict[str, str]:
        """Query parameters; one that is unknown or given twice is ``request.invalid``."""
        given = self.request.rel_url.query
        if not given:
            return {}
        for name in given:
            if name not in allowed:
                raise Refused("request.invalid", f"there is no parameter {name!r}")
        if len(given) != len(set(given)):
            raise Refused("request.invalid", "a parameter is given twice")
        return dict(given)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A method at a path; ``{}`` stands for one variable segment."""

    method: str
    path: str
    handler: Handler


class Router:
    """Finds the handler, has the caller named, and lets no exception out."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        identify: Callable[[BaseRequest], Awaitable[Caller]],
        limiter: Limiter,
        problems: Problems,
        stages: Stages,
    ) -> None:
        self._identify = identify
        self._limiter = limiter
        self._problems = problems
        self._stages = stages
        self._paths: dict[tuple[str, ...], dict[str, Handler]] = {}
        for route in routes:
            self._paths.setdefault(_segments(route.path), {})[route.method] = route.handler
        self.stopping = False
        self.busy: set[object] = set()

    async def __call__(self, request: BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.busy.add(request.protocol)
        if isinstance(request.protocol, Connection):
            request.protocol.begun()
        try:
            response = await self._answer(request)
        finally:
            self.busy.discard(request.protocol)
        if self.stopping:
            response.force_close()
        return response

    async def _answer(self, request: BaseRequest) -> web.Response:
        party = ""
        try:
            # Who calls comes first: nothing is told to somebody who is not a party.
            watch = self._stages.watch()
            caller = await self._identify(request)
            watch.lap("identify")
            party = caller.identity.party
            if isinstance(request.protocol, Connection):
                request.protocol.used_by(party)
            await self._limiter.admit(party)
            with self._limiter.call(party):
                return await self._called(request, caller)
        except Exception as error:
            told = self._problems.tell(
                error,
                party=party,
                interchange_id=printable(request.headers.get("Luxor-Interchange-Id", "")),
                instance=request.rel_url.raw_path,
            )
            response = problem_response(told, content=request.method == "POST")
            if told.problem.code == CONNECTIONS:
                response.force_close()  # this one is the connection too many
            if not party and _ends_for_strangers(request):
                response.force_close()
            return response if _is_read_away(request, told) else _unread(request, response)

    async def _called(self, request: BaseRequest, caller: Caller) -> web.Response:
        if not _is_plain(request):
            return self._foreign(request)
        handlers, values = self._find(request.rel_url.raw_path)
        handler = handlers.get(request.method)
        if handler is None:
            return self._method(request, tuple(handlers))
        return await handler(
            Call(
                request=request,
                identity=caller.identity,
                signed=caller.signed,
                still=caller.still,
                values=values,
            )
        )

    def _find(self, path: str) -> tuple[dict[str, Handler], tuple[str, ...]]:
        segments = tuple(path.split("/"))
        exact = self._paths.get(segments)
        if exact is not None and "{}" not in segments:
            return exact, ()
        for template, handlers in self._paths.items():
            if len(template) != len(segments):
                continue
            pairs = tuple(zip(template, segments, strict=True))
            if all(have in ("{}", got) for have, got in pairs):
                values = tuple(unquote(got) for have, got in pairs if have == "{}")
                return handlers, values
        raise Refused("request.not-found")

    def _foreign(self, request: BaseRequest) -> web.Response:
        error = Refused("request.invalid", "the target of a request is a path, by HTTP/1.1 or 1.0")
        response = problem_response(self._problems.tell(error))
        response.force_close()  # what comes behind it may be meant for somebody else
        return response

    def _method(self, request: BaseRequest, allowed: tuple[str, ...]) -> web.Response:
        told = self._problems.tell(Refused("request.method"), instance=request.rel_url.raw_path)
        return _unread(request, problem_response(told, allow=tuple(sorted(allowed))))


def certificate_of(request: BaseRequest) -> bytes:
    """The client's certificate as DER, from the connection and nowhere else (no header)."""
    connection = request.protocol
    certificate = connection.certificate if isinstance(connection, Connection) else None
    if certificate is None:
        raise Refused("certificate.missing")
    return certificate


def _unread(request: BaseRequest, response: web.Response) -> web.Response:
    """End the connection after this answer when a body is still coming, and only then."""
    if not request.content.at_eof():
        response.force_close()
    return response


def _ends_for_strangers(request: BaseRequest) -> bool:
    """New connections are bounded by address; so what nobody known may ask is, too."""
    return isinstance(request.protocol, Connection) and request.protocol.ends_for_strangers()


def _is_plain(request: BaseRequest) -> bool:
    """A request of HTTP/1 for an origin, not for a proxy or a tunnel (RFC 9112, 3.2)."""
    return request.raw_path.startswith("/") and request.version.major == 1


def _is_read_away(request: BaseRequest, told: Told) -> bool:
    """Whether a body that comes after a "not so much" is read and forgotten.

    So a party at its rate keeps its connection: a new one costs both sides more than some bytes.
    Not for one that waits to be told whether to send its body: who knows whether it comes.
    """
    return (
        told.problem.code in (RATE, CONCURRENT)
        and "Expect" not in request.headers
        and request.content_length is not None
        and request.content_length <= _READ_AWAY_BYTES
    )


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))
