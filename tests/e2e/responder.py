"""A server of revocation evidence for tests: an OCSP responder and a list, as told by the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509

from trust.authority import Issuer, Validity, generate_tls_key, issue_responder, load_tls_key
from trust.responder import (
    Good,
    Refusal,
    Revoked,
    Seat,
    Unanswered,
    answer,
    find_seat,
    read_question,
    refuse,
)


class EvidenceServer:
    """Answers about every certificate of one network's issuing CA; counts what it was asked.

    ``revoked`` are serials, ``down`` makes it answer that it cannot, ``lasts`` is for how long an
    answer counts, ``crl`` is served at ``/crl``.
    """

    def __init__(self, network: Path) -> None:
        issuer = Issuer(
            x509.load_pem_x509_certificate((network / "issuing.pem").read_bytes()),
            load_tls_key((network / "private/issuing.key").read_bytes()),
        )
        now, key = datetime.now(UTC), generate_tls_key("P-256")
        valid = Validity(now - timedelta(hours=1), now + timedelta(days=1))
        self._seat = Seat(
            issuer=issuer.certificate,
            responder=issue_responder(key, issuer=issuer, name="responder", validity=valid),
            key=key,
        )
        self.issuer = issuer
        self.revoked: set[int] = set()
        self.down = False
        self.lasts = timedelta(seconds=300)
        self.crl = b""
        self.asked = 0
        self.fetched = 0
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> EvidenceServer:
        app = web.Application()
        app.router.add_post("/ocsp", self._answer)
        app.router.add_get("/crl", self._list)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(
            body=self._judge(await request.read()), content_type="application/ocsp-response"
        )

    def _judge(self, content: bytes) -> bytes:
        if self.down:
            return refuse(Unanswered.LATER)
        now = datetime.now(UTC).replace(microsecond=0)
        try:
            question = read_question(content)
            seat = find_seat(question, [self._seat])
        except Refusal as refusal:
            return refuse(refusal.unanswered)
        standing = (
            Revoked(now - timedelta(seconds=1)) if question.serial in self.revoked else Good()
        )
        return answer(question, standing, seat=seat, this_update=now, until=now + self.lasts)

    async def _list(self, request: web.Request) -> web.Response:
        self.fetched += 1
        tag = f'"{hash(self.crl)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=self.crl, headers={"ETag": tag})
