"""Asking: status, outcomes, trace, formats, inbox, and requests that make no sense."""

from __future__ import annotations

import asyncio
import base64

import msgspec
import pytest

from gateway.core.identifiers import MessageId
from gateway.core.records import MessageReport, Outcome, State
from gateway.core.reports import report_of
from gateway.ingress.http.server import HttpIngress
from gateway.pipeline.service import InboxMessage
from tests.fakes import NOW, FakeService, Seen
from tests.gateway.ingress.http.conftest import Client
from tests.pki import Pki
from translators.faults import Note, NoteKind
from translators.translator import FormatId
from trust.identity import PartyId


def message(identifier: str, content: bytes) -> InboxMessage:
    return InboxMessage(
        message_id=MessageId(identifier),
        kind="RiskAssessment",
        format=FormatId("luxor.json.1"),
        content=content,
        accepted_at=NOW,
        signature="a..b",
    )


async def test_status_gives_the_same_receipt(client: Client) -> None:
    _, _, answer = await client.post(b"good")

    status, _, found = await client.call("GET", "/v1/interchanges/i-1")

    assert (status, found) == (200, {"answer": answer, "legs": []})


async def test_interchange_of_another_party_is_not_found(
    client: Client, ingress: HttpIngress, pki: Pki
) -> None:
    await client.post(b"good")
    other = Client(ingress, pki.client("post-b"))

    status, _, problem = await other.call("GET", "/v1/interchanges/i-1")

    await other.session.close()
    assert (status, problem["code"]) == (404, "interchange.not-found")


async def test_outcomes_come_page_by_page(client: Client, service: FakeService) -> None:
    await client.post(b"good")
    key = (PartyId("post-a"), "i-1")
    many = [Outcome(ordinal=n, status=State.ACCEPTED) for n in range(1, 2502)]
    service.stored[key] = msgspec.structs.replace(
        service.stored[key], accepted=2501, outcomes=msgspec.json.encode(many)
    )

    _, _, answer = await client.call("GET", "/v1/interchanges/i-1")
    pages = [answer["answer"]]
    while "next" in pages[-1]:
        path = f"/v1/interchanges/i-1/outcomes?offset={pages[-1]['next']}"
        pages.append((await client.call("GET", path))[2])

    ordinals = [outcome["ordinal"] for page in pages for outcome in page["outcomes"]]
    assert ordinals == list(range(1, 2502))
    assert len(pages) == 3


async def test_formats_are_listed_with_their_standing(client: Client, service: FakeService) -> None:
    _, _, found = await client.call("GET", "/v1/formats")

    assert [line["id"] for line in found["formats"]] == [f.id for f in service.formats]
    assert all(line["standing"] for line in found["formats"])


async def test_trace_takes_any_value(client: Client) -> None:
    status, _, found = await client.call("GET", "/v1/trace/order%2F7")

    assert (status, found) == (200, {"value": "order/7", "messages": []})


async def test_inbox_serves_until_its_cursor_is_acknowledged(
    client: Client, service: FakeService, seen: Seen
) -> None:
    service.waiting = [message("m-1", b'{"a": 1}'), message("m-2", b"\xff")]

    _, _, page = await client.call("GET", "/v1/inbox?limit=1")
    _, _, again = await client.call("GET", "/v1/inbox?limit=1")
    settled = await client.call(
        "POST", "/v1/inbox/acknowledgements", json={"cursor": page["cursor"]}
    )
    _, _, following = await client.call("GET", "/v1/inbox")

    assert page == again
    [first] = page["messages"]
    assert base64.b64decode(first["content"]) == b'{"a": 1}'
    assert settled[0::2] == (200, {"acknowledged": 1})
    assert [m["message_id"] for m in following["messages"]] == ["m-2"]
    assert seen.count("luxor_inbox_messages_total", party="post-a", step="acknowledged") == 1


async def test_some_messages_of_a_page_are_acknowledged(
    client: Client, service: FakeService
) -> None:
    service.waiting = [message("m-1", b"1"), message("m-2", b"2")]
    _, _, page = await client.call("GET", "/v1/inbox")

    await client.call(
        "POST",
        "/v1/inbox/acknowledgements",
        json={"cursor": page["cursor"], "message_ids": ["m-2"]},
    )

    assert service.acknowledged == ["m-2"]


async def test_empty_inbox_has_no_cursor(client: Client) -> None:
    assert (await client.call("GET", "/v1/inbox"))[2] == {"cursor": None, "messages": []}


async def test_inbox_call_waits_for_a_message(client: Client, service: FakeService) -> None:
    call = asyncio.create_task(client.call("GET", "/v1/inbox?wait=20"))
    await asyncio.sleep(0.1)
    service.waiting = [message("m-1", b"1")]

    assert (await call)[2]["cursor"] == "m-1"


async def test_cursor_that_is_over_is_told(client: Client) -> None:
    status, _, problem = await client.call(
        "POST", "/v1/inbox/acknowledgements", json={"cursor": "gone"}
    )

    assert (status, problem["code"]) == (409, "inbox.cursor")


SENSELESS = [
    ("GET", "/", 404, "request.not-found"),
    ("GET", "/v1", 404, "request.not-found"),
    ("GET", "/v1/interchanges/a/b/c", 404, "request.not-found"),
    ("GET", "/v1/interchanges", 405, "request.method"),
    ("DELETE", "/v1/interchanges/i-1", 405, "request.method"),
    ("PUT", "/v1/interchanges", 405, "request.method"),
    ("GET", "/v1/inbox?limit=0", 400, "request.invalid"),
    ("GET", "/v1/inbox?limit=501", 400, "request.invalid"),
    ("GET", "/v1/inbox?limit=1_0", 400, "request.invalid"),
    ("GET", "/v1/inbox?wait=31", 400, "request.invalid"),
    ("GET", "/v1/inbox?wait=-1", 400, "request.invalid"),
    ("GET", "/v1/inbox?format=no.such.1", 415, "format.unknown"),
    ("GET", "/v1/inbox?colour=red", 400, "request.invalid"),
    ("GET", "/v1/inbox?limit=1&limit=2", 400, "request.invalid"),
    ("GET", "/v1/interchanges/i-1?x=1", 400, "request.invalid"),
    ("GET", "/v1/interchanges/none", 404, "interchange.not-found"),
    ("GET", "/v1/trace/" + "x" * 141, 400, "request.invalid"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), SENSELESS)
async def test_senseless_request_is_a_problem_and_the_next_is_served(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    got, headers, problem = await client.call(method, path)

    assert (got, problem["code"]) == (status, code)
    assert headers["Content-Type"] == "application/problem+json"
    assert (await client.post(b"good"))[0] == 202


async def test_wrong_method_is_told_the_right_ones(client: Client) -> None:
    _, headers, _ = await client.call("DELETE", "/v1/formats")

    assert headers["Allow"] == "GET, HEAD"


async def test_head_tells_what_get_would(client: Client) -> None:
    status, headers, _ = await client.call("HEAD", "/v1/formats")
    missing, _, _ = await client.call("HEAD", "/v1/nothing")

    assert (status, headers["Content-Type"], missing) == (200, "application/json", 404)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"cursor": 1}',
        b'{"cursor": "a", "x": 1}',
        b'{"cursor": "\xb0"}',
        b'{"\xb0": "a"}',
    ],
)
async def test_malformed_acknowledgement_is_a_problem(client: Client, content: bytes) -> None:
    status, _, problem = await client.call("POST", "/v1/inbox/acknowledgements", data=content)

    assert status == 400
    assert problem["code"] in {"body.empty", "request.invalid"}


MALFORMED = [
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"A%d: x\r\n" % n for n in range(99)) + b"\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=range(len(MALFORMED)))
async def test_malformed_http_is_a_problem_without_a_trace_of_code(
    client: Client, ingress: HttpIngress, pki: Pki, request_bytes: bytes
) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", ingress.port, ssl=pki.client("post-a"), server_hostname="127.0.0.1"
    )
    writer.write(request_bytes)

    answer = await reader.read()

    writer.close()
    assert answer.split(b" ")[1] == b"400"
    assert b"urn:luxor:problem:request.invalid" in answer
    assert b"Traceback" not in answer
    assert (await client.post(b"good"))[0] == 202


def reported(ordinal: int, *paths: str) -> MessageReport:
    notes = [Note(kind=NoteKind.DROPPED, source_path=path, detail="no line") for path in paths]
    report = report_of(notes, format_id=FormatId("acme.items.1"), kind="ItemDeclaration")
    return MessageReport(ordinal=ordinal, report=report)


async def test_a_sender_reads_what_was_not_carried_of_its_own_document(
    client: Client, service: FakeService
) -> None:
    await client.post(b"good")
    service.reported = [reported(3, "/items/2/colour", "/items/2/shape")]

    _, _, found = await client.call("GET", "/v1/interchanges/i-1/report")

    expected = [
        {"kind": "dropped", "source_path": f"/items/2/{name}", "detail": "no line"}
        for name in ("colour", "shape")
    ]
    assert [{"ordinal": 3, "kind": "ItemDeclaration", "notes": expected}] == found["messages"]
    assert "next" not in found


async def test_reports_come_page_by_page(client: Client, service: FakeService) -> None:
    await client.post(b"good")
    service.reported = [reported(number, "/colour") for number in range(1, 6)]

    path, told = "/v1/interchanges/i-1/report?limit=2", []
    while path:
        _, _, page = await client.call("GET", path)
        told += [message["ordinal"] for message in page["messages"]]
        following = page.get("next")
        path = f"/v1/interchanges/i-1/report?limit=2&offset={following}" if following else ""

    assert [1, 2, 3, 4, 5] == told


async def test_a_page_of_reports_is_bounded_in_values(client: Client, service: FakeService) -> None:
    await client.post(b"good")
    paths = [f"/items/{number}" for number in range(6_000)]
    service.reported = [reported(1, *paths), reported(2, *paths)]

    _, _, page = await client.call("GET", "/v1/interchanges/i-1/report")

    assert ([1], 1) == ([message["ordinal"] for message in page["messages"]], page["next"])


async def test_reports_of_another_partys_interchange_are_not_found(
    client: Client, ingress: HttpIngress, pki: Pki
) -> None:
    await client.post(b"good")
    other = Client(ingress, pki.client("post-b"))

    status, _, problem = await other.call("GET", "/v1/interchanges/i-1/report")

    await other.session.close()
    assert (status, problem["code"]) == (404, "interchange.not-found")


async def test_a_party_is_told_how_good_its_data_is(client: Client) -> None:
    query = "since=2026-11-01&until=2026-11-20&daily=true"
    status, _, found = await client.call("GET", f"/v1/quality?{query}")

    judged = {"party": "post-a", "kind": "ItemDeclaration", "messages": 2, "refused": 0}
    assert (200, "2026-11-01", "2026-11-20") == (status, found["since"], found["until"])
    assert [{**judged, "day": "2026-11-01"}] == found["judged"]
    status, _, found = await client.call("GET", "/v1/quality")
    assert (200, [judged]) == (status, found["judged"])


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-11-1x",
        "since=20261101",
        "since=2026-W01-1",
        "until=2026-02-30",
        "daily=yes",
        "since=2026-11-20&until=2026-11-19",
        "since=2020-01-01",
        "until=0001-01-02",
        "from=2026-11-01",
    ],
)
async def test_impossible_periods_are_refused(client: Client, query: str) -> None:
    status, _, problem = await client.call("GET", f"/v1/quality?{query}")

    assert (400, "request.invalid") == (status, problem["code"])
