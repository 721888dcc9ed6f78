"""What an authority gives to everybody over plain HTTP: lists, its certificates, OCSP answers.

Plain, because all of it is signed or public, and because who validates TLS cannot be asked to
validate TLS first (RFC 5280, 8; RFC 6960, A.1). Nothing that comes in changes anything.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives import serialization

from gateway.authority.answers import Answers
from gateway.authority.bounds import USUAL_BOUNDS, Askers, AskingBounds
from gateway.authority.connections import Lobby
from gateway.authority.faults import AuthorityError
from gateway.authority.holdings import ROLES, load_holdings
from gateway.authority.ledger import Role
from gateway.authority.lists import Published, read_list
from gateway.authority.office import Office
from gateway.telemetry import EventLog
from trust.certificates import pem_of
from trust.responder import MAX_QUESTION_BYTES, Refusal, read_question, refuse

OCSP_TYPE = "application/ocsp-response"
_ASKED_TYPE = "application/ocsp-request"
_CRL_TYPE = "application/pkix-crl"  # RFC 2585, 4.2
_CERTIFICATE_TYPE = "application/pkix-cert"  # RFC 2585, 4.1
_GET_BYTES = MAX_QUESTION_BYTES * 2
"""Of a question in a path: base64, and perhaps each character escaped."""
LIST_SECONDS = 60
"""How long others may keep a list without asking again; it may be made anew at any time."""

_LOOK_CLOSELY = timedelta(seconds=60)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AuthorityServer:
    """One listener. ``start`` returns when it serves; ``stop`` closes."""

    def __init__(
        self,
        office: Office,
        *,
        host: str,
        port: int,
        clock: Callable[[], datetime],
        log: EventLog,
        bounds: AskingBounds = USUAL_BOUNDS,
        tick: float = 10.0,
    ) -> None:
        """``port`` 0 takes any free one; ``tick``: seconds between looks at what is due."""
        self._office = office
        self._host = host
        self._port = port
        self._clock = clock
        self._log = log
        self._bounds = bounds
        self._tick = tick
        self._answers = Answers(office)
        self._askers = Askers(bounds)
        self._lobby = Lobby(bounds)
        self._runner: web.AppRunner | None = None
        self._task: asyncio.Task[None] | None = None
        self._listener: asyncio.Server | None = None
        self._state: tuple[object, ...] = ()
        self._looked: tuple[tuple[object, ...], datetime] = ((), clock())

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        return self._port

    async def start(self) -> None:
        """Publish what is due, then listen. Raises ``OSError`` when the address is taken."""
        await self._look()
        application = web.Application(client_max_size=MAX_QUESTION_BYTES)
        routes = application.router
        for role in ROLES:
            routes.add_get(f"/crl/{role}.crl", self._bounded(self._list(role)))
            routes.add_get(f"/certs/{role}.cer", self._bounded(self._certificate(role)))
        routes.add_get("/certs/chain.pem", self._bounded(self._chain))
        routes.add_post("/ocsp", self._bounded(self._asked_by_post))
        routes.add_get("/ocsp/{question:.+}", self._bounded(self._asked_by_get))
        routes.add_get("/health/live", self._live)
        routes.add_get("/health/ready", self._ready)
        runner = self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        assert runner.server is not None
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._lobby.admits(runner.server, loop), self._host, self._port, backlog=256
        )
        self._listener = server
        self._port = server.sockets[0].getsockname()[1]
        self._task = asyncio.create_task(self._watch(), name="authority")
        issuers = sorted(self._office.holdings.keys)
        self._log.info("authority.ready", port=self._port, issuers=issuers)

    async def stop(self) -> None:
        """Stop listening. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._tick)
            try:
                await self._look()
            except (OSError, AuthorityError) as error:
                self._log.error("authority.not-looked-after", error=error)

    async def _look(self) -> None:
        """Take over changed certificates, renew responders and lists in time."""
        now = self._clock()
        await asyncio.to_thread(self._reload)
        for one in await asyncio.to_thread(self._publish, now):
            self._log.info(
                "list.published", issuer=one.issuer, number=one.number, entries=one.entries
            )
        for role in await asyncio.to_thread(self._answers.prepare, now=now):
            self._log.info("responder.renewed", issuer=role)

    def _publish(self, now: datetime) -> tuple[Published, ...]:
        """Make lists anew; looks closely only when something changed, or now and then."""
        lists = _states(self._office.folder, [f"crl/{role}.crl" for role in ROLES])
        state = (self._office.ledger.revision(), lists)
        if state == self._looked[0] and now - self._looked[1] < _LOOK_CLOSELY:
            return ()
        published = self._office.publish(now=now)
        self._looked = (state, now)
        return published

    def _reload(self) -> None:
        """Certificates, keys and profile may be changed while this serves."""
        folder = self._office.folder
        names = ("authority.toml", "root.pem", "issuing.pem", "private/issuing.key")
        state = _states(folder, names)
        if state == self._state:
            return
        first = not self._state
        if not first:
            self._office.holdings = load_holdings(folder)
            self._answers.forget()
            self._log.info("authority.reloaded")
        self._state = state

    def _bounded(self, handler: Handler) -> Handler:
        """The handler, for who does not ask too often."""

        async def bounded(request: web.Request) -> web.StreamResponse:
            wait = self._askers.wait(request.remote or "", at=time.monotonic())
            if wait > 0:
                return web.Response(
                    status=429, headers={"Retry-After": str(int(wait) + 1)}, text="too often\n"
                )
            try:
                answer = await handler(request)
            except (ConnectionError, web.RequestPayloadError):  # it went away, or broke off
                answer = web.Response(status=400, text="the request broke off\n")
                answer.force_close()
            answer.headers["X-Content-Type-Options"] = "nosniff"
            return answer

        return bounded

    async def _asked_by_post(self, request: web.Request) -> web.Response:
        if request.content_type != _ASKED_TYPE:
            return web.Response(status=415, text=f"send {_ASKED_TYPE}\n")
        return self._answered(await request.read(), by_get=False)

    async def _asked_by_get(self, request: web.Request) -> web.Response:
        # RFC 6960, A.1: {url}/{url-encoding of base-64 encoding of the DER encoding}. The raw path,
        # because base64 has slashes, which some clients escape and some do not.
        text = unquote(request.rel_url.raw_path.partition("/ocsp/")[2][:_GET_BYTES])
        try:
            question = base64.b64decode(text.encode("ascii"), validate=True)
        except (binascii.Error, ValueError):
            question = b""
        return self._answered(question, by_get=True)

    def _answered(self, question: bytes, *, by_get: bool) -> web.Response:
        now = self._clock()
        try:
            given = self._answers.give(read_question(question), now=now)
        except Refusal as refusal:
            self._log.debug("ocsp.refused", reason=refusal.unanswered.name.lower())
            return web.Response(
                body=refuse(refusal.unanswered),
                content_type=OCSP_TYPE,
                headers={"Cache-Control": "no-store"},
            )
        headers = {
            "Last-Modified": _date(given.this_update),
            "Expires": _date(given.until),
            "ETag": f'"{hashlib.sha256(given.body).hexdigest()}"',
        }
        # RFC 5019, 6.2. A cache may keep it for a part of its time only, so that who asks late
        # still gets an answer that counts for a while.
        seconds = int(min((given.until - now).total_seconds() / 2, LIST_SECONDS))
        headers["Cache-Control"] = (
            f"max-age={max(seconds, 0)}, public, no-transform, must-revalidate"
            if by_get and given.kept
            else "no-store"
        )
        return web.Response(body=given.body, content_type=OCSP_TYPE, headers=headers)

    def _list(self, role: Role) -> Handler:
        path = self._office.folder / "crl" / f"{role}.crl"

        async def handler(request: web.Request) -> web.StreamResponse:
            crl = await asyncio.to_thread(read_list, path)
            if crl is None:
                return web.Response(status=404, text="there is no such list\n")
            body = crl.public_bytes(serialization.Encoding.DER)
            return _whole(request, body, content_type=_CRL_TYPE, changed=crl.last_update_utc)

        return handler

    def _certificate(self, role: Role) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            certificate = self._office.holdings.certificates[role]
            return _whole(
                request,
                certificate.public_bytes(serialization.Encoding.DER),
                content_type=_CERTIFICATE_TYPE,
                changed=certificate.not_valid_before_utc,
            )

        return handler

    async def _chain(self, request: web.Request) -> web.StreamResponse:
        certificates = self._office.holdings.certificates
        body = f"{pem_of(certificates['issuing'])}{pem_of(certificates['root'])}".encode()
        return _whole(
            request,
            body,
            content_type="application/pem-certificate-chain",  # RFC 8555, 9.1
            changed=certificates["issuing"].not_valid_before_utc,
        )

    async def _live(self, request: web.Request) -> web.Response:
        return _json({"live": True}, status=200)

    async def _ready(self, request: web.Request) -> web.Response:
        """Whether both lists are in force, and answers can be signed."""
        now = self._clock()
        checks = {f"crl/{role}": self._in_force(role, now) for role in ROLES}
        checks["watch"] = self._task is not None and not self._task.done()
        ready = all(checks.values())
        return _json({"ready": ready, "checks": checks}, status=200 if ready else 503)

    def _in_force(self, role: Role, now: datetime) -> bool:
        crl = read_list(self._office.folder / "crl" / f"{role}.crl")
        end = None if crl is None else crl.next_update_utc
        return end is not None and now < end - timedelta(seconds=1)


def _states(folder: Path, names: Iterable[str]) -> tuple[tuple[str, int, int, int], ...]:
    """When and how large files are, of those that are there."""
    found = []
    for name in names:
        try:
            stat = (folder / name).stat()
        except FileNotFoundError:
            continue
        found.append((name, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)


def _whole(
    request: web.Request, body: bytes, *, content_type: str, changed: datetime
) -> web.Response:
    """The body, or that it is still the one that the asker has (RFC 9110, 13.1.2)."""
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Last-Modified": _date(changed),
        "Cache-Control": f"max-age={LIST_SECONDS}, public, no-transform, must-revalidate",
    }
    had = request.headers.get("If-None-Match", "").split(",")
    if tag in [part.strip().removeprefix("W/") for part in had]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=content_type, headers=headers)


def _json(value: object, *, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def _date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)
