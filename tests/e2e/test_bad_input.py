"""What bad input gets: one request per row against a running gateway, over both transports.

After each, the next good message is served; at the end nothing but the good ones is stored.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import grpc
import pytest

from tests.e2e import documents
from tests.e2e.bad_rows import DTD, ENTITY, ITMATT, JSON, LONG, ROWS, Row
from tests.e2e.callers import Answer, client_context, metric, post, signed, submit
from tests.e2e.network import GatewayProcess
from tests.samples import s10

NUMBERS = itertools.count(1)


@pytest.fixture
def identifier() -> str:
    """A fresh interchange id."""
    return f"bad-{next(NUMBERS)}"


@pytest.fixture(autouse=True)
async def the_next_good_message_is_served(gateway: GatewayProcess) -> AsyncIterator[None]:
    """After every row a good interchange must be accepted."""
    yield
    number = next(NUMBERS)
    answer = await post(
        gateway,
        "post-a",
        documents.good(500_000 + number, control=f"good-{number}"),
        identifier=f"good-{number}",
        headers={"Luxor-Format": ITMATT},
    )
    assert (202, 1) == (answer.status, answer.body["accepted"])


def party_for(row: Row) -> str:
    """Orders come from the platform, which must sign; everything else from the post."""
    return "platform-shop" if row.format == JSON else "post-a"


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_over_https(gateway: GatewayProcess, identifier: str, row: Row) -> None:
    party = party_for(row) if row.code != "permission.format" else "platform-shop"
    headers = {"Luxor-Format": row.format}
    if party == "platform-shop" and row.status == 422:
        headers["Luxor-Signature"] = signed(
            gateway, party, row.content, identifier=identifier, format_id=row.format
        )
    if row.code == "permission.format":
        headers["Luxor-Format"] = "upu.itmatt.1"

    answer = await post(gateway, party, row.content, identifier=identifier, headers=headers)

    assert (row.status, row.code) == (answer.status, answer.code), answer.body
    assert_explained(row, answer)


def assert_explained(row: Row, answer: Answer) -> None:
    """The fault is there with its path and line, a judged interchange has its receipt."""
    if row.status == 422:
        assert answer.body["receipt"].count(".") == 2
    else:
        assert answer.media_type == "application/problem+json"
        assert answer.body["type"] == f"urn:luxor:problem:{row.code}"
    if not row.fault:
        return
    found = [fault for fault in answer.faults if fault["code"] == row.fault]
    assert found, answer.faults
    if row.path is not None:
        assert row.path in [fault.get("path", "") for fault in found]
    if row.line:
        assert all(fault.get("line", 0) > 0 for fault in found), found


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_over_grpc(gateway: GatewayProcess, identifier: str, row: Row) -> None:
    party = party_for(row) if row.code != "permission.format" else "platform-shop"
    format_id = "upu.itmatt.1" if row.code == "permission.format" else row.format
    signature = ""
    if party == "platform-shop" and row.status == 422:
        signature = signed(gateway, party, row.content, identifier=identifier, format_id=format_id)

    status, code, faults = await submit(
        gateway,
        party,
        row.content,
        identifier=identifier,
        format_id=format_id,
        signature=signature,
    )

    assert (row.grpc_status, row.code) == (status, code)
    assert not row.fault or row.fault in faults


async def test_every_fault_of_every_item_is_named_at_once(
    gateway: GatewayProcess, identifier: str
) -> None:
    first = documents.item("EE471108152FR", country="QQ", description=LONG)
    second = documents.item(s10(7)).replace("<gross-weight>0.750</gross-weight>", "")
    content = documents.itmatt(first, documents.item(s10(900_001)), second, control="several")

    answer = await post(
        gateway, "post-a", content, identifier=identifier, headers={"Luxor-Format": ITMATT}
    )

    assert (202, 1, 2) == (answer.status, answer.body["accepted"], answer.body["refused"])
    outcomes = {outcome["ordinal"]: outcome for outcome in answer.body["outcomes"]}
    assert {"value.too-long", "s10.check-digit", "country.unknown"} <= {
        fault["code"] for fault in outcomes[1]["faults"]
    }
    assert "accepted" == outcomes[2]["status"]
    assert ["/gross_weight"] == [fault["path"] for fault in outcomes[3]["faults"]]


async def test_an_unsupported_content_type(gateway: GatewayProcess, identifier: str) -> None:
    answer = await post(
        gateway,
        "post-a",
        b"a;b",
        identifier=identifier,
        headers={"Content-Type": "text/csv"},
    )

    assert (415, "media-type.unsupported") == (answer.status, answer.code)


async def test_a_dtd_without_a_named_format(gateway: GatewayProcess, identifier: str) -> None:
    answer = await post(
        gateway,
        "post-a",
        documents.itmatt(ENTITY, declaration=DTD),
        identifier=identifier,
        headers={"Content-Type": "application/xml"},
    )

    assert (415, "media-type.unsupported") == (answer.status, answer.code)
    assert ["xml.dtd"] == [fault["code"] for fault in answer.faults]


async def test_a_missing_interchange_id(gateway: GatewayProcess) -> None:
    answer = await post(
        gateway,
        "post-a",
        documents.good(11, control="x"),
        identifier="",
        headers={"Luxor-Format": ITMATT},
    )

    assert (400, "interchange.id-missing") == (answer.status, answer.code)


@pytest.mark.parametrize(
    ("stranger", "code"),
    [("unknown-party", "party.unknown"), ("expired", "certificate.expired")],
)
async def test_a_certificate_that_proves_nobody(
    gateway: GatewayProcess, identifier: str, stranger: str, code: str
) -> None:
    answer = await post(
        gateway,
        stranger,
        documents.good(12, control="x"),
        identifier=identifier,
        headers={"Luxor-Format": ITMATT},
    )

    assert (403, code) == (answer.status, answer.code)


async def test_an_unknown_party_over_grpc(gateway: GatewayProcess, identifier: str) -> None:
    status, code, _ = await submit(
        gateway,
        "unknown-party",
        documents.good(13, control="x"),
        identifier=identifier,
        format_id=ITMATT,
    )

    assert (grpc.StatusCode.PERMISSION_DENIED, "party.unknown") == (status, code)


async def test_a_missing_signature(gateway: GatewayProcess, identifier: str) -> None:
    answer = await post(
        gateway,
        "platform-shop",
        documents.order("S-1"),
        identifier=identifier,
        headers={"Luxor-Format": JSON},
    )
    status, code, _ = await submit(
        gateway,
        "platform-shop",
        documents.order("S-1"),
        identifier=identifier,
        format_id=JSON,
    )

    assert (401, "signature.missing") == (answer.status, answer.code)
    assert (grpc.StatusCode.UNAUTHENTICATED, "signature.missing") == (status, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": documents.order("S-3")}, "signature.invalid"),
        ({"identifier": "another"}, "signature.interchange"),
        ({"format_id": "luxor.proto.1"}, "signature.format"),
        ({"party": "post-a"}, "signature.key-unknown"),
    ],
)
async def test_a_wrong_signature(
    gateway: GatewayProcess, identifier: str, change: dict[str, str], code: str
) -> None:
    claims = {
        "party": "platform-shop",
        "content": documents.order("S-2"),
        "identifier": identifier,
        "format_id": JSON,
        **change,
    }
    party, content = str(claims.pop("party")), claims.pop("content")
    assert isinstance(content, bytes)
    signature = signed(gateway, party, content, **claims)  # type: ignore[arg-type] # the table's

    answer = await post(
        gateway,
        "platform-shop",
        documents.order("S-2"),
        identifier=identifier,
        headers={"Luxor-Format": JSON, "Luxor-Signature": signature},
    )
    status, grpc_code, _ = await submit(
        gateway,
        "platform-shop",
        documents.order("S-2"),
        identifier=identifier,
        format_id=JSON,
        signature=signature,
    )

    assert (401, code) == (answer.status, answer.code)
    assert (grpc.StatusCode.UNAUTHENTICATED, code) == (status, grpc_code)


async def test_the_same_id_with_other_bytes(gateway: GatewayProcess, identifier: str) -> None:
    headers = {"Luxor-Format": ITMATT}
    content = documents.good(14, control=identifier)
    first = await post(gateway, "post-a", content, identifier=identifier, headers=headers)

    again = await post(gateway, "post-a", content, identifier=identifier, headers=headers)
    other = await post(gateway, "post-a", content + b"\n", identifier=identifier, headers=headers)
    status, code, _ = await submit(
        gateway, "post-a", content + b"\n", identifier=identifier, format_id=ITMATT
    )

    assert (202, 202) == (first.status, again.status)
    assert first.body["receipt"] == again.body["receipt"]
    assert (409, "interchange.conflict") == (other.status, other.code)
    assert (grpc.StatusCode.ALREADY_EXISTS, "interchange.conflict") == (status, code)


async def counted_on(gateway: GatewayProcess, name: str, before: float) -> None:
    """The client may know of its failure before the gateway has counted it."""
    async with asyncio.timeout(30):
        while await metric(gateway, name) <= before:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)


async def test_a_certificate_of_an_unknown_authority_dies_in_the_handshake(
    gateway: GatewayProcess,
) -> None:
    before = await metric(gateway, 'luxor_tls_refused_total{transport="https"}')

    # TLS 1.3 tells the client with its first read, not in its own handshake.
    with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
        await post(gateway, "unknown-ca", b"x", identifier="x", headers={"Luxor-Format": ITMATT})

    await counted_on(gateway, 'luxor_tls_refused_total{transport="https"}', before)
    assert '"tls.refused"' in gateway.log.read_text("utf-8")


@pytest.mark.parametrize("stranger", ["unknown-ca", "expired"])
async def test_on_grpc_a_certificate_that_does_not_hold_dies_in_the_handshake(
    gateway: GatewayProcess, stranger: str
) -> None:
    before = await metric(gateway, 'luxor_tls_refused_total{transport="grpc"}')

    status, code, _ = await submit(gateway, stranger, b"x", identifier="x", format_id=ITMATT)

    assert (grpc.StatusCode.UNAVAILABLE, "") == (status, code)
    await counted_on(gateway, 'luxor_tls_refused_total{transport="grpc"}', before)


async def test_no_certificate_at_all(gateway: GatewayProcess) -> None:
    context = ssl.create_default_context(cafile=str(gateway.certs / "luxor/root.pem"))

    async with aiohttp.ClientSession() as session:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
            await session.get(f"https://localhost:{gateway.ports.https}/v1/inbox", ssl=context)


async def test_tls_below_1_3_is_not_spoken(gateway: GatewayProcess) -> None:
    context = client_context(gateway, "post-a")
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    async with aiohttp.ClientSession() as session:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
            await session.get(f"https://localhost:{gateway.ports.https}/v1/inbox", ssl=context)


async def test_no_answer_and_no_event_shows_a_stack_trace(gateway: GatewayProcess) -> None:
    log = gateway.log.read_text("utf-8")

    assert "Traceback" not in log
    assert '"level": "error"' not in log


def test_only_accepted_messages_reached_the_destination(gateway: GatewayProcess) -> None:
    delivered = list((gateway.folder / "archive").glob("*.json"))

    assert delivered
    for file in delivered:
        assert b"EE471108152FR" not in Path(file).read_bytes()


HALVES = {
    "staged": "SELECT count(*) FROM staged",
    "plans": "SELECT count(*) FROM plan",
    "bytes of no interchange": (
        "SELECT count(*) FROM raw WHERE record NOT IN (SELECT record FROM interchange)"
    ),
    "content of no message": (
        "SELECT count(*) FROM body WHERE (record, ordinal) NOT IN"
        " (SELECT record, ordinal FROM message)"
    ),
    "messages of refused interchanges": (
        "SELECT count(*) FROM message JOIN interchange USING (record) WHERE state = 'refused'"
    ),
    "legs of refused interchanges": (
        "SELECT count(*) FROM leg JOIN interchange USING (record) WHERE state = 'refused'"
    ),
    "ids used up by refusals": (
        "SELECT count(*) FROM seen JOIN interchange USING (record) WHERE state = 'refused'"
    ),
}


async def test_nothing_is_half_stored(gateway: GatewayProcess, identifier: str) -> None:
    broken = documents.itmatt(*(documents.item(s10(700 + n)) for n in range(3_000)))[:-40]
    assert len(broken) > 1 << 20, "large enough to be staged while it is read"
    answer = await post(
        gateway, "post-a", broken, identifier=identifier, headers={"Luxor-Format": ITMATT}
    )
    assert (422, 0) == (answer.status, answer.body["accepted"])

    file = next(gateway.folder.rglob("journal.db"))
    journal = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        refused = "SELECT count(*) FROM interchange WHERE state = 'refused'"
        assert journal.execute(refused).fetchone()[0] >= 1
        found = {what: journal.execute(query).fetchone()[0] for what, query in HALVES.items()}
    finally:
        journal.close()

    assert dict.fromkeys(HALVES, 0) == found
