"""Submitting over HTTPS: answers, repeats, and what is refused on the way."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multidict import CIMultiDict

from gateway.core.errors import Refused, Unavailable
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.spool import Spooled
from tests.fakes import FakeService, Seen, until
from tests.gateway.ingress.http.conftest import Client
from tests.pki import Pki
from trust import receipt
from trust.keys import KeySigner


async def test_accepted_interchange_is_answered_with_its_signed_receipt(
    client: Client, signer: KeySigner
) -> None:
    status, headers, answer = await client.post(b"good")

    claims = receipt.verify(str(answer["receipt"]), {signer.kid: signer.public_key})
    assert (status, headers["Location"]) == (202, "/v1/interchanges/i-1")
    assert (answer["status"], answer["accepted"], answer["refused"]) == ("accepted", 1, 0)
    assert claims.digest == answer["digest"] == hashlib.sha256(b"good").hexdigest()
    assert answer["outcomes"] == [{"ordinal": 1, "status": "accepted"}]


async def test_wholly_refused_interchange_is_answered_422_with_receipt_and_faults(
    client: Client,
) -> None:
    status, _, answer = await client.post(b"refuse")

    assert (status, answer["status"]) == (422, "refused")
    assert answer["receipt"]
    [outcome] = answer["outcomes"]
    assert outcome["faults"] == [
        {
            "code": "value.too-long",
            "path": "/item_id",
            "detail": "at most 35 characters",
            "line": 3,
        }
    ]


async def test_repeat_gets_the_identical_receipt(client: Client) -> None:
    _, first_headers, first = await client.post(b"good")
    status, headers, again = await client.post(b"good")

    assert again == first
    assert (status, headers["Luxor-Repeated"]) == (202, "true")
    assert "Luxor-Repeated" not in first_headers


async def test_same_id_with_other_bytes_is_a_conflict(client: Client) -> None:
    await client.post(b"good")
    status, _, problem = await client.post(b"other")

    assert (status, problem["code"]) == (409, "interchange.conflict")


async def test_signature_and_claims_reach_the_service(client: Client, service: FakeService) -> None:
    await client.post(b"good", Luxor_Signature="a..b", Luxor_Format="upu.itmatt.1")

    [envelope] = service.envelopes
    assert (envelope.signature, envelope.format) == ("a..b", "upu.itmatt.1")
    assert (envelope.interchange_id, envelope.transport) == ("i-1", "https")


ITMATT = b"<?xml version='1.0'?><itmatt xmlns='urn:luxor:layout:upu.itmatt.1'/>"


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml; charset=utf-8"])
async def test_plain_xml_is_known_by_its_root_element(
    client: Client, service: FakeService, media_type: str
) -> None:
    status, _, _ = await client.post(ITMATT, Content_Type=media_type)

    assert status == 202
    assert service.envelopes[0].format == "upu.itmatt.1"


UNREADABLE_OPENINGS = {
    "DTD": (b"<?xml version='1.0'?>\n<!DOCTYPE itmatt [<!ENTITY x 'y'>]><itmatt/>", "xml.dtd"),
    "an encoding that is not taken": (
        b"<?xml version='1.0' encoding='EBCDIC'?><a/>",
        "xml.encoding",
    ),
    "no XML": (b"hello", "xml.malformed"),
    "malformed before the root": (
        b"<?xml version='1.0'?><!-- a -- b --><itmatt/>",
        "xml.malformed",
    ),
    "a root beyond the bound": (b"<!--" + b"x" * 70_000 + b"--><itmatt/>", "xml.malformed"),
    "blank": (b" \n", "xml.empty"),
}


@pytest.mark.parametrize(("content", "code"), UNREADABLE_OPENINGS.values(), ids=UNREADABLE_OPENINGS)
async def test_xml_whose_root_can_not_be_read_is_refused_with_the_fault(
    client: Client, content: bytes, code: str
) -> None:
    status, _, problem = await client.post(content, Content_Type="application/xml")

    assert (status, problem["code"]) == (415, "media-type.unsupported")
    assert problem["detail"] == "its root element can not be read"
    [fault] = problem["faults"]
    assert fault["code"] == code
    assert fault["detail"]


async def test_what_stands_far_behind_the_root_is_left_to_the_formats_own_reader(
    client: Client, service: FakeService
) -> None:
    content = ITMATT.replace(b"/>", b">" + b" " * 10_000 + b"<a></b>")

    status, _, _ = await client.post(content, Content_Type="application/xml")

    assert (status, service.envelopes[0].format) == (202, "upu.itmatt.1")


REFUSED_ON_THE_WAY = [
    ("missing id", None, b"good", {}, 400, "interchange.id-missing"),
    ("malformed id", "a b", b"good", {}, 400, "interchange.id-invalid"),
    ("unknown format", "i", b"good", {"Luxor_Format": "no.such.1"}, 415, "format.unknown"),
    ("unknown type", "i", b"good", {"Content_Type": "image/png"}, 415, "media-type.unsupported"),
    ("no type", "i", b"good", {"Content_Type": ""}, 415, "media-type.unsupported"),
    ("unknown root", "i", b"<x/>", {"Content_Type": "text/xml"}, 415, "media-type.unsupported"),
    ("content coding", "i", b"good", {"Content_Encoding": "gzip"}, 415, "body.encoding"),
    ("empty", "i", b"", {}, 400, "body.empty"),
    ("declared oversize", "i", b"x" * 100_001, {}, 413, "body.oversize"),
]


@pytest.mark.parametrize(
    ("identifier", "content", "headers", "status", "code"),
    [row[1:] for row in REFUSED_ON_THE_WAY],
    ids=[row[0] for row in REFUSED_ON_THE_WAY],
)
async def test_refused_on_the_way_as_a_problem_then_the_next_is_served(
    client: Client,
    service: FakeService,
    seen: Seen,
    identifier: str | None,
    content: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    got, answer_headers, problem = await client.post(content, identifier=identifier, **headers)

    assert (got, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:luxor:problem:{code}"
    assert problem["instance"] == "/v1/interchanges"
    assert answer_headers["Content-Type"] == "application/problem+json"
    assert service.noted == [code]
    assert seen.count("luxor_refusals_total", code=code, transport="https") == 1
    assert (await client.post(b"good", identifier="next"))[0] == 202


async def raw_connection(
    ingress: HttpIngress, pki: Pki
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(
        "127.0.0.1", ingress.port, ssl=pki.client("post-a"), server_hostname="127.0.0.1"
    )


async def pieces(*chunks: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(pause)


async def test_chunked_body_above_the_bound_is_refused_while_it_comes(client: Client) -> None:
    status, _, problem = await client.post(pieces(*[b"x" * 20_000] * 6))

    assert (status, problem["code"]) == (413, "body.oversize")
    assert (await client.post(b"good", identifier="next"))[0] == 202


async def test_slow_body_is_refused(client: Client) -> None:
    status, _, problem = await client.post(pieces(b"a", b"b", pause=1.0))

    assert (status, problem["code"]) == (408, "body.slow")
    assert (await client.post(b"good", identifier="next"))[0] == 202


BEGUN = (
    b"POST /v1/interchanges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Luxor-Interchange-Id: i-9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n"
)


async def test_body_that_breaks_off_is_kept_nowhere(
    client: Client, ingress: HttpIngress, pki: Pki, service: FakeService
) -> None:
    _, writer = await raw_connection(ingress, pki)
    writer.write(BEGUN)
    await writer.drain()
    writer.close()

    await until(lambda: service.noted)
    assert service.noted == ["body.incomplete"]
    assert service.envelopes == []
    assert (await client.post(b"good"))[0] == 202


async def test_body_with_a_broken_chunk_is_a_problem(
    client: Client, ingress: HttpIngress, pki: Pki, service: FakeService
) -> None:
    reader, writer = await raw_connection(ingress, pki)
    writer.write(BEGUN + b"ZZ\r\n")

    answer = await reader.read()

    writer.close()
    assert answer.split(b" ")[1] in (b"400", b"408")
    assert b"urn:luxor:problem:" in answer
    assert service.envelopes == []
    assert (await client.post(b"good"))[0] == 202


async def test_large_body_is_spooled_and_leaves_no_file(
    client: Client, service: FakeService, spool_folder: Path
) -> None:
    content = bytes(range(256)) * 300

    _, _, answer = await client.post(pieces(content[:5000], content[5000:40_000], content[40_000:]))

    assert service.contents == [content]
    assert answer["digest"] == hashlib.sha256(content).hexdigest()
    assert isinstance(service.envelopes[0].content, Spooled)
    assert not any(os.scandir(spool_folder))


async def test_client_that_waits_for_leave_gets_it_only_when_permitted(client: Client) -> None:
    async def send(**headers: str) -> int:
        answer = await client.post(pieces(b"good"), Expect="100-continue", **headers)
        return answer[0]

    assert await send() == 202
    assert await send(Luxor_Format="no.such.1") == 415


async def test_bug_is_told_as_an_incident_without_its_text(client: Client, seen: Seen) -> None:
    status, _, problem = await client.post(b"explode with Jane Roe")

    [event] = seen.events("request.failed")
    assert (status, problem["code"]) == (500, "internal")
    assert problem["detail"] == f"incident {event['incident']}"
    assert "Jane" not in str(problem)
    assert "Jane" not in seen.text
    assert (await client.post(b"good", identifier="next"))[0] == 202


async def test_unavailable_says_when_to_come_again(client: Client, service: FakeService) -> None:
    service.raises = Unavailable("the journal is busy", retry_after=7)

    status, headers, problem = await client.post(b"good")

    assert (status, problem["code"], headers["Retry-After"]) == (503, "overload", "7")
    assert "journal" not in str(problem)


async def test_missing_signature_asks_for_one(client: Client, service: FakeService) -> None:
    service.raises = Refused("signature.missing")

    status, headers, problem = await client.post(b"good")

    assert (status, problem["code"]) == (401, "signature.missing")
    assert headers["WWW-Authenticate"].startswith("Luxor-Signature")
    assert service.noted == ["signature.missing"]


async def test_more_submissions_than_the_bound_are_sent_away(
    client: Client, service: FakeService
) -> None:
    service.gate.clear()
    held = [asyncio.create_task(client.post(b"good", identifier=f"i-{n}")) for n in range(4)]
    await until(lambda: service.held == 4)

    status, headers, problem = await client.post(b"good", identifier="fifth")
    service.gate.set()

    assert (status, problem["code"]) == (503, "overload")
    assert "Retry-After" in headers
    assert [(await answer)[0] for answer in held] == [202] * 4


@pytest.mark.parametrize("path", ["/v1/interchanges", "/v1/inbox/acknowledgements"])
async def test_a_certificate_that_ends_to_count_while_the_body_comes_is_refused(
    client: Client, service: FakeService, path: str
) -> None:
    """A body may take minutes; a certificate may be revoked in less."""

    async def body() -> AsyncIterator[bytes]:
        yield b'{"cursor": '
        await until(lambda: service.identified == 1)
        service.suspended.add("post-a")
        yield b'"c"}'

    status, _, problem = await client.post(body(), path=path)

    assert (403, "party.suspended") == (status, problem["code"])
    assert ([], []) == (service.envelopes, service.acknowledged)


async def test_a_content_coding_on_a_line_of_its_own_is_seen(client: Client) -> None:
    """Two lines are one list (RFC 9110, 5.3): nothing hides behind the first."""
    headers = CIMultiDict({"Content-Type": "application/json", "Luxor-Interchange-Id": "i-1"})
    headers.extend([("Content-Encoding", "identity"), ("Content-Encoding", "gzip")])

    status, _, problem = await client.call(
        "POST", "/v1/interchanges", data=b"good", headers=headers
    )

    assert (415, "body.encoding") == (status, problem["code"])
