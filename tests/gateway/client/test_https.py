from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.client import (
    Credentials,
    CredentialsError,
    HttpsLimits,
    PartyClient,
    Peer,
    ProblemError,
)
from gateway.core.errors import Unavailable
from gateway.core.records import State
from gateway.ingress.http.server import HttpIngress
from tests.fakes import NOW, FakeService, clock, until
from tests.gateway.client.conftest import JSON, PARTY, Remember, waiting
from tests.gateway.client.cutting import Cutting
from tests.pki import Pki
from trust.authority import generate_key
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.signatures.jws import verify_detached

LIMITS = HttpsLimits(pause=0.01, answer=10.0)


@pytest.fixture
async def client(
    https: HttpIngress, credentials: Credentials, peer: Peer
) -> AsyncIterator[PartyClient]:
    async with PartyClient(
        url(https), credentials, gateway=peer, limits=LIMITS, clock=clock
    ) as made:
        yield made


def url(https: HttpIngress) -> str:
    return f"https://127.0.0.1:{https.port}"


async def test_what_is_accepted_is_answered_with_a_proved_receipt(client: PartyClient) -> None:
    answer = await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert (answer.proved, answer.status, answer.accepted) == (True, State.ACCEPTED, 1)
    assert (answer.claims.party, answer.interchange_id) == (PARTY, "i-1")
    assert not answer.repeated


async def test_sending_again_gives_the_same_receipt(client: PartyClient) -> None:
    first = await client.submit(b"good", interchange_id="i-1", format=JSON)
    second = await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert (second.repeated, second.receipt) == (True, first.receipt)


async def test_what_is_wholly_refused_is_an_answer_with_every_fault(client: PartyClient) -> None:
    answer = await client.submit(b"refuse", interchange_id="i-1", format=JSON)
    assert (answer.status, answer.accepted, answer.refused) == (State.REFUSED, 0, 1)
    assert [fault.path for outcome in answer.outcomes for fault in outcome.faults] == ["/item_id"]


async def test_a_file_is_sent_as_it_is_and_its_progress_told(
    client: PartyClient, service: FakeService, tmp_path: Path
) -> None:
    content = b"line\n" * 100_000
    file = tmp_path / "large.ndjson"
    file.write_bytes(content)
    told: list[int] = []
    answer = await client.submit(file, interchange_id="i-1", format=JSON, progress=told.append)
    assert service.contents == [content]
    assert answer.claims.size == len(content)
    assert told == sorted(told)
    assert told[-1] == len(content)
    assert len(told) > 2


async def test_a_file_that_is_not_there_is_said_before_anything_is_sent(
    client: PartyClient, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await client.submit(tmp_path / "none", interchange_id="i-1", format=JSON)


async def test_a_signature_binds_content_id_format_and_gateway(
    client: PartyClient, credentials: Credentials, service: FakeService
) -> None:
    signer = credentials.signer()
    assert signer is not None
    await client.submit(b"good", interchange_id="i-1", format=JSON, signer=signer)
    token = service.envelopes[0].signature
    assert token is not None
    verified = verify_detached(
        token,
        b"good",
        keys={signer.kid: signer.public_key},
        interchange_id="i-1",
        format=JSON,
        audience=service.gateway_id,
        now=NOW,
    )
    assert verified == signer.kid


async def test_without_a_gateway_nothing_is_proved_and_nothing_is_said_to_be(
    https: HttpIngress, credentials: Credentials
) -> None:
    async with PartyClient(url(https), credentials) as client:
        answer = await client.submit(b"good", interchange_id="i-1", format=JSON)
        assert (answer.proved, answer.accepted) == (False, 1)
        with pytest.raises(CredentialsError, match="for which gateway"):
            await client.submit(
                b"good", interchange_id="i-1", format=JSON, signer=credentials.signer()
            )


async def test_a_receipt_of_another_key_is_no_receipt(
    https: HttpIngress, credentials: Credentials, peer: Peer
) -> None:
    other = KeySigner(generate_key("P-256"), kid="gateway-1")
    gateway = msgspec.structs.replace(peer, keys={other.kid: other.public_key})
    async with PartyClient(url(https), credentials, gateway=gateway) as client:
        with pytest.raises(TrustError, match=r"receipt\.invalid"):
            await client.submit(b"good", interchange_id="i-1", format=JSON)


async def test_a_receipt_of_another_gateway_is_no_receipt(
    https: HttpIngress, credentials: Credentials, peer: Peer
) -> None:
    gateway = msgspec.structs.replace(peer, id=PartyId("gateway-b"))
    async with PartyClient(url(https), credentials, gateway=gateway) as client:
        with pytest.raises(TrustError, match="given by gateway"):
            await client.submit(b"good", interchange_id="i-1", format=JSON)


async def test_a_receipt_of_other_bytes_is_no_receipt(
    client: PartyClient, service: FakeService
) -> None:
    earlier = await client.submit(b"good", interchange_id="i-1", format=JSON)
    stored = service.stored.pop((PARTY, "i-1"))
    await client.submit(b"other", interchange_id="i-1", format=JSON)
    wrong = msgspec.structs.replace(service.stored[PARTY, "i-1"], receipt=stored.receipt)
    service.stored[PARTY, "i-1"] = wrong
    assert earlier.receipt == stored.receipt
    with pytest.raises(TrustError, match="other bytes"):
        await client.submit(b"other", interchange_id="i-1", format=JSON)


async def test_a_receipt_of_another_interchange_is_no_receipt(
    client: PartyClient, service: FakeService
) -> None:
    await client.submit(b"good", interchange_id="i-1", format=JSON)
    service.stored[PARTY, "i-2"] = service.stored[PARTY, "i-1"]
    with pytest.raises(TrustError, match="another interchange"):
        await client.status("i-2")


async def test_a_receipt_of_another_party_is_no_receipt(
    client: PartyClient, https: HttpIngress, pki: Pki, peer: Peer, service: FakeService
) -> None:
    certificate, key = pki.issue("post-b")
    other = Credentials(certificate=certificate, key=key, authority=pki.authority_file)
    await client.submit(b"good", interchange_id="i-1", format=JSON)
    service.stored[PartyId("post-b"), "i-1"] = service.stored[PARTY, "i-1"]
    async with PartyClient(url(https), other, gateway=peer) as stranger:
        with pytest.raises(TrustError, match="given to post-a"):
            await stranger.status("i-1")


async def test_a_problem_document_is_an_error_with_its_code(client: PartyClient) -> None:
    await client.submit(b"good", interchange_id="i-1", format=JSON)
    with pytest.raises(ProblemError) as caught:
        await client.submit(b"changed", interchange_id="i-1", format=JSON)
    assert (caught.value.status, caught.value.code) == (409, "interchange.conflict")
    assert caught.value.title == "This interchange id was accepted with other bytes"


async def test_an_overload_may_work_later(client: PartyClient, service: FakeService) -> None:
    service.raises = Unavailable("overload", retry_after=7)
    with pytest.raises(Unavailable) as caught:
        await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert (caught.value.retry_after, caught.value.reached) == (7.0, True)


async def test_a_mistake_of_the_gateway_may_work_later(client: PartyClient) -> None:
    with pytest.raises(Unavailable, match="incident"):
        await client.submit(b"explode", interchange_id="i-1", format=JSON)


async def test_nobody_listening_may_work_later(
    https: HttpIngress, credentials: Credentials, peer: Peer
) -> None:
    await https.stop()
    async with PartyClient(url(https), credentials, gateway=peer, limits=LIMITS) as client:
        with pytest.raises(Unavailable) as caught:
            await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert not caught.value.reached


async def test_a_server_of_another_authority_gets_nothing(
    https: HttpIngress, credentials: Credentials, foreign_pki: Pki, service: FakeService
) -> None:
    pinned = msgspec.structs.replace(credentials, authority=foreign_pki.authority_file)
    async with PartyClient(url(https), pinned, limits=LIMITS) as client:
        with pytest.raises(Unavailable, match="is not accepted: "):
            await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert service.contents == []


async def test_a_client_of_an_unknown_authority_learns_that_it_is_not_let_in(
    https: HttpIngress, credentials: Credentials, foreign_pki: Pki
) -> None:
    certificate, key = foreign_pki.issue(PARTY)
    stranger = msgspec.structs.replace(credentials, certificate=certificate, key=key)
    async with PartyClient(url(https), stranger, limits=LIMITS) as client:
        with pytest.raises(Unavailable, match="no connection"):
            await client.submit(b"good", interchange_id="i-1", format=JSON)


async def test_a_lost_answer_is_fetched_by_sending_again(
    https: HttpIngress, credentials: Credentials, peer: Peer, service: FakeService
) -> None:
    service.gate.clear()
    async with (
        Cutting(https.port) as line,
        PartyClient(line.url, credentials, gateway=peer, limits=LIMITS) as client,
        asyncio.TaskGroup() as group,
    ):
        sending = group.create_task(client.submit(b"good", interchange_id="i-1", format=JSON))
        await until(lambda: service.held == 1)
        line.cut()
        await until(lambda: line.connections == 2)
        service.gate.set()
        answer = await sending
    assert (answer.proved, answer.accepted) == (True, 1)
    assert len(service.stored) == 1


async def test_a_connection_that_is_cut_twice_may_work_later(
    https: HttpIngress, credentials: Credentials, peer: Peer, service: FakeService
) -> None:
    service.gate.clear()
    async with (
        Cutting(https.port) as line,
        PartyClient(line.url, credentials, gateway=peer, limits=LIMITS) as client,
        asyncio.TaskGroup() as group,
    ):
        sending = group.create_task(fails(client))
        await until(lambda: service.held == 1)
        line.cut()
        await until(lambda: service.held == 2)
        line.cut()
        failure = await sending
        service.gate.set()
    assert (failure.reached, line.connections) == (False, 2)


async def fails(client: PartyClient) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await client.submit(b"good", interchange_id="i-1", format=JSON)
    return caught.value


async def test_the_receipt_can_be_had_again(client: PartyClient) -> None:
    sent = await client.submit(b"good", interchange_id="i:1~a", format=JSON)
    status = await client.status("i:1~a")
    assert status.answer.receipt == sent.receipt
    assert status.legs == ()


async def test_an_interchange_that_was_never_sent_is_not_found(client: PartyClient) -> None:
    with pytest.raises(ProblemError) as caught:
        await client.status("never")
    assert caught.value.code == "interchange.not-found"


async def test_outcomes_come_from_all_pages(client: PartyClient, remember: Remember) -> None:
    expected = remember("many", 2_345)
    assert (await client.status("many")).answer.more
    assert await client.outcomes("many") == expected


async def test_outcomes_that_are_not_those_of_the_receipt_are_no_proof(
    client: PartyClient, remember: Remember, service: FakeService
) -> None:
    remember("many", 2_000)
    stored = service.stored[PARTY, "many"]
    changed = stored.outcomes.replace(b"K1999", b"K1998")
    service.stored[PARTY, "many"] = msgspec.structs.replace(stored, outcomes=changed)
    with pytest.raises(TrustError, match="list of outcomes"):
        await client.outcomes("many")


async def test_the_inbox_gives_proved_messages_until_they_are_acknowledged(
    client: PartyClient, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one", b"two"], signer))
    page = await client.inbox(limit=10)
    assert [message.content for message in page.messages] == [b"one", b"two"]
    assert page.cursor is not None
    assert await client.acknowledge(page.cursor) == 2
    assert await client.inbox() == msgspec.structs.replace(page, cursor=None, messages=())


async def test_a_part_of_a_page_can_be_acknowledged(
    client: PartyClient, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one", b"two"], signer))
    page = await client.inbox()
    assert page.cursor is not None
    assert await client.acknowledge(page.cursor, [page.messages[0].message_id]) == 1
    assert [message.content for message in (await client.inbox()).messages] == [b"two"]


async def test_a_cursor_that_is_over_is_a_problem(client: PartyClient) -> None:
    with pytest.raises(ProblemError) as caught:
        await client.acknowledge("over")
    assert caught.value.code == "inbox.cursor"


async def test_a_message_that_was_signed_for_somebody_else_is_not_taken(
    client: PartyClient, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one"], signer, party="post-b"))
    with pytest.raises(TrustError, match=r"signature\.audience"):
        await client.inbox()


async def test_a_trace_of_nothing_is_empty(client: PartyClient) -> None:
    trace = await client.trace("EE471108151FR")
    assert (trace.value, trace.messages) == ("EE471108151FR", ())
