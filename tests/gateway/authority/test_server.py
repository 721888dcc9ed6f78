"""Lists, certificates and OCSP answers over plain HTTP, as their users ask for them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from gateway.authority import Entry, Office
from gateway.authority.bounds import USUAL_BOUNDS, Askers, AskingBounds
from gateway.authority.founding import renew_issuing
from gateway.authority.holdings import ROLES
from gateway.authority.server import AuthorityServer
from gateway.telemetry import event_log
from tests.fakes import until
from tests.gateway.authority.conftest import DAY, NOW, POST, request_of
from trust.certificates import load_certificates

STATUS = ocsp.OCSPCertStatus
ASKING = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\n"
FAILED = ocsp.OCSPResponseStatus


class Served:
    """A running server, a clock that can be moved, and somebody who asks."""

    def __init__(self, office: Office, bounds: AskingBounds) -> None:
        self.office = office
        self.now = NOW
        self.log = io.StringIO()
        self.server = AuthorityServer(
            office,
            host="127.0.0.1",
            port=0,
            clock=lambda: self.now,
            log=event_log(stream=self.log),
            bounds=bounds,
            tick=0.02,
        )

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server.port}"

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it said under that name."""
        return [e for e in map(json.loads, self.log.getvalue().splitlines()) if e["event"] == name]

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        """One GET."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._raw(path), headers=headers) as answer,
        ):
            return answer.status, await answer.read(), answer.headers

    async def post(
        self, body: bytes, *, type_: str = "application/ocsp-request"
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """One POST to the responder."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/ocsp", data=body, headers={"Content-Type": type_}) as answer,
        ):
            return answer.status, await answer.read(), answer.headers

    async def ask(self, question: bytes) -> ocsp.OCSPResponse:
        """The answer to a question."""
        status, body, headers = await self.post(question)
        assert (200, "application/ocsp-response") == (status, headers["Content-Type"])
        return ocsp.load_der_ocsp_response(body)

    def _raw(self, path: str) -> Any:
        from yarl import URL

        return URL(f"{self.url}{path}", encoded=True)


@asynccontextmanager
async def serving(office: Office, bounds: AskingBounds = USUAL_BOUNDS) -> AsyncIterator[Served]:
    """The server of an authority, stopped at the end."""
    served = Served(office, bounds)
    await served.server.start()
    try:
        yield served
    finally:
        await served.server.stop()


@pytest.fixture
async def served(office: Office) -> AsyncIterator[Served]:
    """A server with the usual bounds."""
    async with serving(office) as found:
        yield found


@pytest.fixture
def entry(office: Office) -> Entry:
    """A certificate of the post."""
    return office.enrol(POST, request_of(POST), purpose="tls", now=NOW).entry


def question(
    office: Office, serial: int, *, nonce: bytes | None = None, role: str = "issuing"
) -> bytes:
    """What a client asks about a serial."""
    issuer = office.holdings.certificates[role]  # type: ignore[index] # one of the roles
    digest = hashes.SHA256()
    name = hashes.Hash(digest)
    name.update(issuer.subject.public_bytes())
    from trust.responder import issuer_hashes

    _, key = issuer_hashes(issuer, "sha256")
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        name.finalize(), key, serial, digest
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def serial_of(entry: Entry) -> int:
    return int(entry.serial, 16)


async def test_good_then_revoked_from_the_next_question_on(
    served: Served, office: Office, entry: Entry
) -> None:
    asked = question(office, serial_of(entry))
    assert STATUS.GOOD == (await served.ask(asked)).certificate_status

    office.revoke([entry.serial], reason="key-compromise", now=NOW)

    told = await served.ask(asked)
    assert STATUS.REVOKED == told.certificate_status
    assert x509.ReasonFlags.key_compromise == told.revocation_reason


async def test_what_was_never_issued_is_unknown_and_strangers_are_not_ours(
    served: Served, office: Office
) -> None:
    assert STATUS.UNKNOWN == (await served.ask(question(office, 99))).certificate_status
    stranger = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        bytes(20),
        bytes(20),
        5,
        hashes.SHA1(),  # noqa: S303 - an id
    )
    told = await served.ask(stranger.build().public_bytes(Encoding.DER))
    assert FAILED.UNAUTHORIZED == told.response_status


async def test_the_root_answers_for_the_issuing_authority(served: Served, office: Office) -> None:
    issuing = office.holdings.certificates["issuing"]

    told = await served.ask(question(office, issuing.serial_number, role="root"))

    assert STATUS.GOOD == told.certificate_status
    told.certificates[0].verify_directly_issued_by(office.holdings.certificates["root"])


@pytest.mark.parametrize("body", [b"", b"rubbish", b"\x30\x03\x02\x01\x01"])
async def test_what_is_no_question_is_malformed(served: Served, body: bytes) -> None:
    assert FAILED.MALFORMED_REQUEST == (await served.ask(body)).response_status


async def test_a_question_may_stand_in_the_path(
    served: Served, office: Office, entry: Entry
) -> None:
    text = base64.b64encode(question(office, serial_of(entry))).decode()

    for path in (quote(text, safe=""), text, quote(text)):
        status, body, headers = await served.get(f"/ocsp/{path}")
        assert 200 == status
        assert STATUS.GOOD == ocsp.load_der_ocsp_response(body).certificate_status
        # RFC 5019, 6.2
        assert "max-age=60, public, no-transform, must-revalidate" == headers["Cache-Control"]
        assert headers["ETag"]
        assert "Sun, 22 Nov 2026 11:59:30 GMT" == headers["Last-Modified"]
        assert "Sun, 22 Nov 2026 12:05:00 GMT" == headers["Expires"]


@pytest.mark.parametrize("path", ["!!!", "AAAA", "%00", "%ff%fe", "A" * 3000])
async def test_a_path_that_is_no_question_is_malformed(served: Served, path: str) -> None:
    status, body, headers = await served.get(f"/ocsp/{path}")

    assert (200, "no-store") == (status, headers["Cache-Control"])
    assert FAILED.MALFORMED_REQUEST == ocsp.load_der_ocsp_response(body).response_status


async def test_a_nonce_comes_back_and_its_answer_is_kept_by_nobody(
    served: Served, office: Office, entry: Entry
) -> None:
    nonce = bytes(range(32))

    _, body, headers = await served.post(question(office, serial_of(entry), nonce=nonce))

    told = ocsp.load_der_ocsp_response(body)
    assert nonce == told.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    assert "no-store" == headers["Cache-Control"]


async def test_an_answer_is_signed_once_while_it_is_fresh(
    served: Served, office: Office, entry: Entry
) -> None:
    asked = question(office, serial_of(entry))
    first = await served.post(asked)

    served.now += timedelta(seconds=60)
    assert first[1] == (await served.post(asked))[1]
    served.now += timedelta(seconds=60)
    later = await served.post(asked)

    assert first[1] != later[1]
    fresh = ocsp.load_der_ocsp_response(later[1])
    assert fresh.next_update_utc == served.now + timedelta(seconds=300)


async def test_lists_are_served_whole_and_once(served: Served, office: Office) -> None:
    for role in ROLES:
        status, body, headers = await served.get(f"/crl/{role}.crl")
        crl = x509.load_der_x509_crl(body)
        assert (200, "application/pkix-crl") == (status, headers["Content-Type"])
        assert crl.issuer == office.holdings.certificates[role].subject

        again = await served.get(f"/crl/{role}.crl", **{"If-None-Match": headers["ETag"]})
        assert (304, b"") == again[:2]


async def test_certificates_are_served(served: Served, office: Office) -> None:
    for role in ROLES:
        _, body, headers = await served.get(f"/certs/{role}.cer")
        assert "application/pkix-cert" == headers["Content-Type"]
        assert office.holdings.certificates[role] == x509.load_der_x509_certificate(body)
    _, chain, _ = await served.get("/certs/chain.pem")
    assert [office.holdings.certificates[role] for role in ROLES[::-1]] == load_certificates(chain)


@pytest.mark.parametrize(
    "path", ["/", "/private/issuing.key", "/crl/../private/issuing.key", "/ledger.db", "/crl/x.crl"]
)
async def test_nothing_else_is_served(served: Served, path: str) -> None:
    assert 404 == (await served.get(path))[0]


async def test_a_list_is_made_anew_before_it_runs_out(served: Served) -> None:
    served.now += 4 * DAY

    await until(lambda: served.events("list.published"))

    _, body, _ = await served.get("/crl/issuing.crl")
    assert served.now + 7 * DAY == x509.load_der_x509_crl(body).next_update_utc


async def test_the_responder_is_renewed_before_it_ends(
    served: Served, office: Office, entry: Entry
) -> None:
    first = (await served.ask(question(office, serial_of(entry)))).certificates[0]
    served.now += 4 * DAY

    await until(lambda: len(served.events("responder.renewed")) == 4)

    second = (await served.ask(question(office, serial_of(entry)))).certificates[0]
    assert first != second
    assert second.not_valid_after_utc == served.now + 7 * DAY


async def test_a_renewed_issuing_authority_is_taken_over(
    served: Served, folder: Path, office: Office, entry: Entry
) -> None:
    renew_issuing(folder, now=NOW + 30 * DAY)

    await until(lambda: served.events("authority.reloaded"))

    _, body, _ = await served.get("/certs/issuing.cer")
    assert (folder / "issuing.pem").read_bytes() == (
        x509.load_der_x509_certificate(body).public_bytes(Encoding.PEM)
    )
    await until(lambda: len(served.events("responder.renewed")) == 4)
    assert STATUS.GOOD == (await served.ask(question(office, serial_of(entry)))).certificate_status


async def test_a_folder_that_was_opened_to_others_is_an_event_and_it_serves_on(
    served: Served, folder: Path, office: Office, entry: Entry
) -> None:
    renew_issuing(folder, now=NOW + 30 * DAY)
    (folder / "private/issuing.key").chmod(0o644)

    await until(lambda: served.events("authority.not-looked-after"))

    assert STATUS.GOOD == (await served.ask(question(office, serial_of(entry)))).certificate_status


async def test_readiness_needs_lists_in_force(served: Served, folder: Path) -> None:
    assert 200 == (await served.get("/health/ready"))[0]
    assert 200 == (await served.get("/health/live"))[0]

    (folder / "crl/root.crl").write_bytes(b"rubbish")
    status, body, _ = await served.get("/health/ready")

    assert status in (200, 503)  # the watch may have made it anew already
    await until(lambda: served.events("list.published"))
    status, body, _ = await served.get("/health/ready")
    assert (200, True) == (status, json.loads(body)["ready"])


async def test_a_list_that_ran_out_makes_it_unready(office: Office, folder: Path) -> None:
    (folder / "private/root.key").unlink()
    from gateway.authority.office import open_office

    with open_office(folder) as rootless:
        async with serving(rootless) as served:
            served.now += 181 * DAY

            status, body, _ = await served.get("/health/ready")

    assert 503 == status
    assert json.loads(body)["checks"]["crl/root"] is False


async def test_a_body_that_is_too_large_is_refused(served: Served) -> None:
    assert 413 == (await served.post(b"x" * 5000))[0]
    assert 415 == (await served.post(b"x", type_="text/plain"))[0]


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00" + bytes(200),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
        ASKING + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        ASKING + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n" + b"x" * 9_000,
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_anybody_can_send_is_answered_and_not_logged(
    served: Served, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
    writer.write(content)
    async with asyncio.timeout(10):
        status = int((await reader.readline()).split()[1])
    writer.close()

    assert status in (200, 400, 404, 413)
    assert [] == caplog.records
    assert 200 == (await served.get("/health/live"))[0]


async def test_a_body_that_breaks_off_is_not_logged(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
    writer.write(ASKING + b"Content-Length: 100\r\n\r\nabc")
    await writer.drain()
    assert 200 == (await served.get("/health/live"))[0]
    writer.transport.abort()

    for _ in range(3):  # the server's turns, in which it learns of the end
        assert 200 == (await served.get("/health/live"))[0]
    assert [] == caplog.records


async def test_who_asks_too_often_waits(office: Office) -> None:
    bounds = AskingBounds(per_second=1.0, burst=3)
    async with serving(office, bounds) as served:
        statuses = [(await served.get("/certs/root.cer"))[0] for _ in range(3)]
        status, _, headers = await served.get("/certs/root.cer")

        assert [200, 200, 200] == statuses
        assert (429, "1") == (status, headers["Retry-After"])
        assert 200 == (await served.get("/health/live"))[0]


async def test_one_address_has_so_many_connections(office: Office) -> None:
    async with serving(office, AskingBounds(connections_each=2)) as served:
        open_ = [await asyncio.open_connection("127.0.0.1", served.server.port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        assert await closed(reader)

        for _, one in (*open_, (reader, writer)):
            one.close()
        async with asyncio.timeout(10):
            while True:  # the server learns of it when its loop has turned
                try:
                    assert 200 == (await served.get("/health/live"))[0]
                except aiohttp.ClientError:
                    continue
                break


async def test_a_request_that_never_comes_is_cut_off(office: Office) -> None:
    async with serving(office, AskingBounds(connection_seconds=0.1)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        writer.write(b"GET /crl/root.crl HTTP/1.1\r\nHost: a\r\nX: ")

        assert await closed(reader)
        writer.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the other end closes without a word."""
    async with asyncio.timeout(10):
        try:
            return b"" == await reader.read()
        except ConnectionError:
            return True


def test_tokens_come_back_with_time_and_addresses_are_forgotten() -> None:
    askers = Askers(AskingBounds(per_second=2.0, burst=2, addresses=2))

    assert [0, 0] == [askers.wait("a", at=0.0) for _ in range(2)]
    assert 0.5 == askers.wait("a", at=0.0)
    assert 0 == askers.wait("a", at=0.5)
    assert 0 < askers.wait("a", at=0.5)
    assert 0 == askers.wait("b", at=0.5)
    assert 0 == askers.wait("c", at=0.5)  # a was quiet longest
    assert 0 == askers.wait("a", at=0.5)
    unbounded = Askers(AskingBounds(per_second=0))
    assert {0.0} == {unbounded.wait("a", at=0.0) for _ in range(1000)}
