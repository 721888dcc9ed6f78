"""The listener without client certificates, and signatures beside a certificate."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from gateway.client.content import Source
from gateway.client.requests import RequestSigner
from gateway.core.records import ProofMethod
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.tls import ServerTls, server_names
from gateway.pipeline.settings import PartySettings
from tests.fakes import NOW, FakeService, Seen, clock
from tests.gateway.ingress.http.conftest import Client
from tests.pki import Pki
from trust.authority import Validity, generate_key, generate_tls_key, issue_root, issue_tls
from trust.certificates import pem_of
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.signatures.http.evidence import prove_evidence
from trust.signatures.http.structured import read_signature_input

SHOP = PartyId("shop")
KEY = KeySigner(generate_key("Ed25519"), kid="shop-1")


def listening(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings, **more: Any
) -> HttpIngress:
    """A listener that asks for no certificate and knows the shop's key."""
    service.keys[SHOP] = {KEY.kid: KEY.public_key}
    certificate, key = pki.issue("gateway")
    return HttpIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=settings,
        certificates=False,
        **more,
    )


@pytest.fixture
async def open_ingress(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> AsyncIterator[HttpIngress]:
    """A listener that asks for no certificate."""
    listener = listening(pki, service, seen, settings)
    await listener.start()
    yield listener
    await listener.stop()


class SigningClient(Client):
    """A party that signs its requests, and may change them afterwards."""

    def __init__(self, ingress: HttpIngress, context: ssl.SSLContext) -> None:
        super().__init__(ingress, context)
        self.signer = RequestSigner(KEY, party=SHOP, clock=clock)

    async def signed(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        after: Mapping[str, str | None] | None = None,
        sent: Any = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], Any]:
        """``after``: headers as they are sent, but for how they were signed; so with ``sent``."""
        url = URL(self.url + path)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            given.setdefault("Content-Type", "application/json")
        source = None if content is None else Source(content)
        given = await self.signer.sign(method, url, given, source)
        for name, value in (after or {}).items():
            given.pop(name, None)
            if value is not None:
                given[name] = value
        body = content if sent is None else sent
        return await self.call(method, path, data=body, headers=given)

    async def submit(
        self, content: bytes = b"good", **more: Any
    ) -> tuple[int, dict[str, str], Any]:
        """One interchange."""
        given = {"Luxor_Interchange_Id": "i-1", "Luxor_Format": "luxor.json.1", **more}
        return await self.signed("POST", "/v1/interchanges", content=content, **given)


@pytest.fixture
async def shop(open_ingress: HttpIngress, pki: Pki) -> AsyncIterator[SigningClient]:
    client = SigningClient(open_ingress, pki.stranger())
    yield client
    await client.session.close()


@pytest.fixture
async def both(
    ingress: HttpIngress, service: FakeService, pki: Pki
) -> AsyncIterator[SigningClient]:
    """The same party with its certificate, where certificates are asked for."""
    service.keys[SHOP] = {KEY.kid: KEY.public_key}
    client = SigningClient(ingress, pki.client(SHOP))
    yield client
    await client.session.close()


async def test_a_signed_interchange_is_accepted_in_its_senders_name(
    shop: SigningClient, service: FakeService
) -> None:
    status, _, _ = await shop.submit()

    assert 202 == status
    assert [(SHOP, "i-1")] == list(service.stored)
    signed = service.envelopes[0].signed
    assert signed is not None
    assert (KEY.kid, ProofMethod.HTTP_SIGNATURE) == (signed.kid, signed.method)
    values = prove_evidence(signed.evidence, KEY.public_key)
    digest = base64.b64encode(hashlib.sha256(b"good").digest()).decode()
    assert f"sha-256=:{digest}:" == values["content-digest"]


async def test_everything_that_a_party_may_ask_can_be_signed(
    shop: SigningClient, service: FakeService
) -> None:
    await shop.submit()

    for path in (
        "/v1/interchanges/i-1",
        "/v1/interchanges/i-1/outcomes?offset=0&limit=5",
        "/v1/trace/a%20value%2Fwith%7Esigns",
        "/v1/inbox?limit=5&wait=0",
        "/v1/quality",
        "/v1/formats",
        "/openapi.json",
    ):
        assert 200 == (await shop.signed("GET", path))[0], path
    assert 200 == (await shop.signed("HEAD", "/v1/formats"))[0]
    status, _, body = await shop.signed(
        "POST", "/v1/inbox/acknowledgements", content=b'{"cursor": "c"}'
    )
    assert (409, "inbox.cursor") == (status, body["code"])


async def test_who_signs_nothing_is_told_how(shop: SigningClient) -> None:
    status, headers, body = await shop.post()

    assert (401, "signature.missing") == (status, body["code"])
    assert "HTTP-Signature" in headers["WWW-Authenticate"]
    asked = read_signature_input(headers["Accept-Signature"])
    assert {"@method", "@authority", "@target-uri", "content-digest", "content-type"} < {
        part.name for part in asked.components
    }
    _, headers, _ = await shop.call("GET", "/v1/formats")
    asked = read_signature_input(headers["Accept-Signature"])
    assert "content-digest" not in {part.name for part in asked.components}


async def test_a_certificate_that_is_told_of_counts_for_nothing(
    shop: SigningClient, pki: Pki
) -> None:
    certificate, _ = pki.issue("post-a")
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(certificate.read_text().strip())).decode()

    for headers in (
        {"Client-Cert": f":{der}:"},
        {"X-Client-Cert": der, "X-Forwarded-Client-Cert": f"Cert={der}"},
        {"X-SSL-Client-S-DN": "CN=post-a", "X-SSL-Client-Verify": "SUCCESS"},
    ):
        status, _, body = await shop.call("GET", "/v1/formats", headers=headers)
        assert (401, "signature.missing") == (status, body["code"])


async def test_no_certificate_is_asked_for_and_one_that_is_there_stays_unread(
    open_ingress: HttpIngress, pki: Pki
) -> None:
    client = Client(open_ingress, pki.client("post-a"))
    try:
        status, _, body = await client.post()
    finally:
        await client.session.close()

    assert (401, "signature.missing") == (status, body["code"])


@pytest.mark.parametrize(
    ("after", "code"),
    [
        ({"Luxor-Interchange-Id": "i-2"}, "signature.invalid"),
        ({"Luxor-Format": "upu.itmatt.1"}, "signature.invalid"),
        ({"Luxor-On-Behalf-Of": "somebody"}, "signature.component"),
        ({"Luxor-Signature": "a..b"}, "signature.component"),
        ({"Luxor-Format": None}, "signature.component"),
        ({"Content-Type": "application/xml"}, "signature.invalid"),
        ({"Content-Digest": None}, "signature.component"),
        ({"Content-Digest": "sha-256=:AAAA:"}, "signature.digest"),
        ({"Signature": None}, "signature.malformed"),
        ({"Signature-Input": None}, "signature.malformed"),
        ({"Signature": "luxor=:AAAA:"}, "signature.invalid"),
    ],
)
async def test_what_was_changed_on_the_way_is_refused(
    shop: SigningClient, service: FakeService, after: dict[str, str | None], code: str
) -> None:
    status, _, body = await shop.submit(after=after)

    assert (401, code) == (status, body["code"])
    assert [] == service.envelopes


@pytest.mark.parametrize("sent", [b"gooD", b"good ", b"goo"])
async def test_other_content_is_refused_and_noted(
    shop: SigningClient, service: FakeService, sent: bytes
) -> None:
    status, _, body = await shop.submit(sent=sent)

    assert (401, "signature.digest") == (status, body["code"])
    assert [] == service.envelopes
    assert ["signature.digest"] == service.noted


async def test_other_content_settles_nothing_in_the_inbox(
    shop: SigningClient, service: FakeService
) -> None:
    status, _, body = await shop.signed(
        "POST", "/v1/inbox/acknowledgements", content=b'{"cursor": "a"}', sent=b'{"cursor": "b"}'
    )

    assert (401, "signature.digest") == (status, body["code"])
    assert [] == service.acknowledged


async def test_content_may_come_in_pieces_of_no_announced_length(
    shop: SigningClient, service: FakeService
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"good"

    status, _, _ = await shop.submit(b"good" * 5, sent=pieces())

    assert 202 == status
    assert [b"good" * 5] == service.contents


@pytest.mark.parametrize("size", [10, 3_000, 90_000])
async def test_a_digest_of_sha512_is_computed_over_content_of_any_size(
    shop: SigningClient, service: FakeService, size: int
) -> None:
    content = b"good" * (size // 4)
    right = base64.b64encode(hashlib.sha512(content).digest()).decode()
    wrong = base64.b64encode(hashlib.sha512(b"other").digest()).decode()
    sent = {"Luxor-Interchange-Id": "i-1", "Luxor-Format": "luxor.json.1"}
    url = URL(shop.url + "/v1/interchanges")

    async def submit(digest: str) -> tuple[int, dict[str, str], Any]:
        headers = {"Content-Type": "application/json", "Content-Digest": f"sha-512=:{digest}:"}
        given = await shop.signer.sign("POST", url, {**sent, **headers}, None)
        return await shop.call("POST", "/v1/interchanges", data=content, headers=given)

    assert 202 == (await submit(right))[0]
    assert "signature.digest" == (await submit(wrong))[2]["code"]
    assert [content] == service.contents


async def test_a_signature_is_taken_once(shop: SigningClient, service: FakeService) -> None:
    url = URL(shop.url + "/v1/interchanges")
    headers = {
        "Content-Type": "application/json",
        "Luxor-Interchange-Id": "i-1",
        "Luxor-Format": "luxor.json.1",
    }
    given = await shop.signer.sign("POST", url, headers, Source(b"good"))

    answers = await asyncio.gather(
        *(shop.call("POST", "/v1/interchanges", data=b"good", headers=given) for _ in range(20))
    )

    assert 1 == sum(status == 202 for status, _, _ in answers)
    assert 19 == sum(body.get("code") == "signature.replayed" for _, _, body in answers)
    assert 1 == len(service.envelopes)


async def test_a_question_is_not_asked_twice_with_one_signature(shop: SigningClient) -> None:
    given = await shop.signer.sign("GET", URL(shop.url + "/v1/formats"), {}, None)

    assert 200 == (await shop.call("GET", "/v1/formats", headers=given))[0]
    status, _, body = await shop.call("GET", "/v1/formats", headers=given)
    assert (401, "signature.replayed") == (status, body["code"])


async def test_a_signature_is_for_one_address(shop: SigningClient) -> None:
    given = await shop.signer.sign("GET", URL(shop.url + "/v1/inbox?limit=5"), {}, None)

    for path in ("/v1/inbox", "/v1/inbox?limit=6", "/v1/inbox?limit=5&wait=1", "/v1/formats"):
        status, _, body = await shop.call("GET", path, headers=given)
        assert (401, "signature.invalid") == (status, body["code"]), path


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1.evil.test", "localhost:1@evil.test"])
async def test_a_signature_for_another_host_is_refused(shop: SigningClient, host: str) -> None:
    given = await shop.signer.sign("GET", URL("https://other.example/v1/formats"), {}, None)

    status, _, body = await shop.call("GET", "/v1/formats", headers={**given, "Host": host})

    assert 401 == status
    assert body["code"] in {"signature.audience", "signature.malformed"}


async def test_a_signature_for_another_gateway_on_the_same_host_is_refused(
    shop: SigningClient,
) -> None:
    """Two gateways may share a host, as they do in the demonstration; each has its port."""
    mine = URL(shop.url + "/v1/formats")
    assert mine.port is not None
    other = mine.with_port(mine.port ^ 1)
    given = await shop.signer.sign("GET", other, {}, None)

    status, _, body = await shop.call(
        "GET", "/v1/formats", headers={**given, "Host": other.authority}
    )

    assert (401, "signature.audience") == (status, body["code"])


async def test_names_of_the_configuration_go_before_those_of_the_certificate(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    listener = listening(pki, service, seen, settings, names=("GW.example",))
    await listener.start()
    client = SigningClient(listener, pki.stranger())
    try:
        assert "signature.audience" == (await client.signed("GET", "/v1/formats"))[2]["code"]
        url = URL("https://gw.example/v1/formats")
        given = await client.signer.sign("GET", url, {}, None)
        status, _, _ = await client.call(
            "GET", "/v1/formats", headers={**given, "Host": "gw.example"}
        )
        assert 200 == status
    finally:
        await client.session.close()
        await listener.stop()


def test_a_listener_is_called_as_its_certificate_says(tmp_path: Path) -> None:
    """But for names with a wildcard, which name no host."""
    key, day = generate_tls_key("P-256"), timedelta(days=1)
    issuer = issue_root(key, name="root", validity=Validity(NOW - day, NOW + day))
    certificate = issue_tls(
        key,
        issuer=issuer,
        name="gateway",
        party=None,
        validity=Validity(NOW - day, NOW + day),
        hosts=("GW.example", "*.example", "192.0.2.7", "2001:DB8::7"),
    )
    file = tmp_path / "tls.pem"
    file.write_text(pem_of(certificate))

    names = server_names(ServerTls(certificate=file, key=file, authorities=""))

    assert {"gw.example", "192.0.2.7", "[2001:db8::7]"} == names
    file.write_text("no certificate")
    assert set() == server_names(ServerTls(certificate=file, key=file, authorities=""))


async def test_a_question_with_content_is_refused(shop: SigningClient) -> None:
    status, _, body = await shop.signed("GET", "/v1/formats", sent=b"x")

    assert (400, "request.invalid") == (status, body["code"])


async def test_strangers_are_told_nothing_of_what_there_is(shop: SigningClient) -> None:
    for path in ("/v1/nothing", "/v1/interchanges/i-1"):
        assert 401 == (await shop.call("GET", path))[0]


async def test_with_a_certificate_a_signature_is_proved_too(
    both: SigningClient, service: FakeService
) -> None:
    assert 202 == (await both.submit())[0]
    assert service.envelopes[0].signed is not None

    status, _, body = await both.submit(after={"Luxor-Interchange-Id": "i-2"})
    assert (401, "signature.invalid") == (status, body["code"])
    assert 200 == (await both.call("GET", "/v1/formats"))[0]  # nothing was signed, nothing had to


async def test_half_a_signature_beside_a_certificate_is_refused(both: SigningClient) -> None:
    for name in ("Signature", "Signature-Input"):
        status, _, body = await both.submit(after={name: None})
        assert (401, "signature.malformed") == (status, body["code"])


async def test_certificate_and_signature_are_of_one_party(
    ingress: HttpIngress, service: FakeService, pki: Pki
) -> None:
    service.keys[SHOP] = {KEY.kid: KEY.public_key}
    client = SigningClient(ingress, pki.client("post-a"))
    try:
        status, _, body = await client.submit()
    finally:
        await client.session.close()

    assert (403, "party.ambiguous") == (status, body["code"])


RAW = {
    "a header twice": b"Signature: luxor=:AAAA:\r\n",
    "a digest twice": b"Content-Digest: sha-256=:AAAA:\r\n",
    "an id twice": b"Luxor-Interchange-Id: i-1\r\n",
    "two hosts": b"Host: 127.0.0.1\r\n",
    "a header that goes on in the next line": b"Luxor-More: a\r\n b\r\n",
    "a name with a blank": b"Luxor-More : a\r\n",
    "letters of no encoding": b"Luxor-More: \xff\xfe\r\n",
}


@pytest.mark.parametrize("name", RAW)
async def test_headers_that_two_readers_might_read_in_two_ways_are_refused(
    shop: SigningClient, open_ingress: HttpIngress, pki: Pki, service: FakeService, name: str
) -> None:
    """Over a socket: no client library would send them."""
    url = URL(f"{shop.url}/v1/interchanges")
    headers = {
        "Content-Type": "application/json",
        "Luxor-Interchange-Id": "i-1",
        "Luxor-Format": "luxor.json.1",
    }
    given = await shop.signer.sign("POST", url, headers, Source(b"good"))
    lines = "".join(f"{key}: {value}\r\n" for key, value in given.items())
    host = f"Host: 127.0.0.1:{open_ingress.port}\r\nContent-Length: 4\r\n"

    async def answer(extra: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", open_ingress.port, ssl=pki.stranger(), server_hostname="127.0.0.1"
        )
        writer.write(b"POST /v1/interchanges HTTP/1.1\r\n" + f"{host}{lines}".encode())
        writer.write(extra + b"Connection: close\r\n\r\ngood")
        try:
            async with asyncio.timeout(10):
                return (await reader.read())[9:12]
        finally:
            writer.close()

    assert await answer(RAW[name]) in {b"400", b"401"}
    assert [] == service.envelopes
    assert b"202" == await answer(b"")


async def test_the_connection_of_a_refused_signature_stays_usable(shop: SigningClient) -> None:
    for _ in range(3):
        assert 401 == (await shop.call("GET", "/v1/formats"))[0]
    assert 200 == (await shop.signed("GET", "/v1/formats"))[0]


async def test_a_party_beyond_its_rate_uses_no_nonce_up(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    """Each nonce is a write of the store: who may ask five times a second may not write more."""
    times = [NOW]
    limits = PartySettings(requests_per_second=1, burst=5)
    limiter = Limiter.alone(telemetry=seen.telemetry, clock=lambda: times[0], settings=limits)
    listener = listening(pki, service, seen, settings, limiter=limiter)
    await listener.start()
    client = SigningClient(listener, pki.stranger())
    try:
        statuses = [(await client.signed("GET", "/v1/formats"))[0] for _ in range(30)]
        assert [200] * 5 + [429] * 25 == statuses
        assert 6 >= len(service.nonces)  # the sixth found out that there is nothing left

        given = await client.signer.sign("GET", URL(client.url + "/v1/formats"), {}, None)
        assert 429 == (await client.call("GET", "/v1/formats", headers=given))[0]
        times[0] += timedelta(seconds=2)
        assert 200 == (await client.call("GET", "/v1/formats", headers=given))[0]
    finally:
        await client.session.close()
        await listener.stop()
