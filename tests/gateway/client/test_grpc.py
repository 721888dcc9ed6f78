from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.client import (
    Credentials,
    GrpcLimits,
    GrpcPartyClient,
    Peer,
    ProblemError,
    Submission,
)
from gateway.core.errors import Unavailable
from gateway.core.records import Outcome, State
from gateway.ingress.grpc.server import GrpcIngress
from tests.fakes import NOW, FakeService, clock
from tests.gateway.client.conftest import JSON, Remember, waiting
from trust.authority import generate_key
from trust.errors import TrustError
from trust.keys import KeySigner
from trust.signatures.jws import verify_detached

LIMITS = GrpcLimits(pause=0.01, answer=10.0, window=8)


@pytest.fixture
async def client(
    grpc: GrpcIngress, credentials: Credentials, peer: Peer
) -> AsyncIterator[GrpcPartyClient]:
    async with GrpcPartyClient(
        url(grpc), credentials, gateway=peer, limits=LIMITS, clock=clock
    ) as made:
        yield made


def url(grpc: GrpcIngress) -> str:
    return f"grpc://127.0.0.1:{grpc.port}"


def many(count: int) -> Iterator[Submission]:
    for number in range(count):
        yield Submission(interchange_id=f"i-{number}", format=JSON, content=b"good %d" % number)


async def test_what_is_accepted_is_answered_with_a_proved_receipt(client: GrpcPartyClient) -> None:
    answer = await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert (answer.proved, answer.status, answer.accepted) == (True, State.ACCEPTED, 1)


async def test_what_is_wholly_refused_is_an_answer_with_every_fault(
    client: GrpcPartyClient,
) -> None:
    answer = await client.submit(b"refuse", interchange_id="i-1", format=JSON)
    assert (answer.status, answer.refused) == (State.REFUSED, 1)
    (fault,) = answer.outcomes[0].faults
    assert (fault.code, fault.path, fault.line) == ("value.too-long", "/item_id", 3)


async def test_a_file_is_sent_as_it_is(
    client: GrpcPartyClient, service: FakeService, tmp_path: Path
) -> None:
    file = tmp_path / "items.json"
    file.write_bytes(b"good" * 1_000)
    told: list[int] = []
    await client.submit(file, interchange_id="i-1", format=JSON, progress=told.append)
    assert service.contents == [b"good" * 1_000]
    assert told == [4_000]


async def test_a_signature_binds_content_id_format_and_gateway(
    client: GrpcPartyClient, credentials: Credentials, service: FakeService
) -> None:
    signer = credentials.signer()
    assert signer is not None
    await client.submit(b"good", interchange_id="i-1", format=JSON, signer=signer)
    token = service.envelopes[0].signature
    assert token is not None
    assert signer.kid == verify_detached(
        token,
        b"good",
        keys={signer.kid: signer.public_key},
        interchange_id="i-1",
        format=JSON,
        audience=service.gateway_id,
        now=NOW,
    )


async def test_a_problem_is_an_error_with_its_code_and_status(client: GrpcPartyClient) -> None:
    await client.submit(b"good", interchange_id="i-1", format=JSON)
    with pytest.raises(ProblemError) as caught:
        await client.submit(b"changed", interchange_id="i-1", format=JSON)
    assert (caught.value.status, caught.value.code) == (409, "interchange.conflict")


async def test_an_overload_may_work_later(client: GrpcPartyClient, service: FakeService) -> None:
    service.raises = Unavailable("overload", retry_after=7)
    with pytest.raises(Unavailable) as caught:
        await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert caught.value.reached


async def test_what_is_too_large_for_one_piece_is_refused(client: GrpcPartyClient) -> None:
    with pytest.raises(ProblemError) as caught:
        await client.submit(b"x" * 300_000, interchange_id="i-1", format=JSON)
    assert (caught.value.status, caught.value.code) == (413, "body.oversize")


async def test_a_receipt_of_another_key_is_no_receipt(
    grpc: GrpcIngress, credentials: Credentials, peer: Peer
) -> None:
    other = KeySigner(generate_key("P-256"), kid="gateway-1")
    gateway = msgspec.structs.replace(peer, keys={other.kid: other.public_key})
    async with GrpcPartyClient(url(grpc), credentials, gateway=gateway) as client:
        with pytest.raises(TrustError, match=r"receipt\.invalid"):
            await client.submit(b"good", interchange_id="i-1", format=JSON)


async def test_without_a_gateway_nothing_is_said_to_be_proved(
    grpc: GrpcIngress, credentials: Credentials
) -> None:
    async with GrpcPartyClient(url(grpc), credentials) as client:
        answer = await client.submit(b"good", interchange_id="i-1", format=JSON)
    assert (answer.proved, answer.accepted) == (False, 1)


async def test_nobody_listening_may_work_later(grpc: GrpcIngress, credentials: Credentials) -> None:
    await grpc.stop()
    async with GrpcPartyClient(url(grpc), credentials, limits=LIMITS) as client:
        with pytest.raises(Unavailable, match="UNAVAILABLE"):
            await client.submit(b"good", interchange_id="i-1", format=JSON)


async def test_many_submissions_get_one_reply_each(
    client: GrpcPartyClient, service: FakeService
) -> None:
    replies = {reply.interchange_id: reply async for reply in client.submit_many(many(50))}
    assert set(replies) == {f"i-{number}" for number in range(50)}
    assert all(reply.result().proved for reply in replies.values())
    assert sorted(service.contents) == sorted(made.content for made in many(50))


async def test_a_bad_submission_ends_nothing_but_itself(client: GrpcPartyClient) -> None:
    unknown = Submission(interchange_id="bad", format="no.such.format", content=b"good")
    replies = {
        reply.interchange_id: reply
        async for reply in client.submit_many([*many(3), unknown, *list(many(6))[3:]])
    }
    failure = replies.pop("bad").failure
    assert isinstance(failure, ProblemError)
    assert failure.code == "format.unknown"
    assert [reply.result().accepted for reply in replies.values()] == [1] * 6


async def test_a_subscription_gives_proved_deliveries_and_settles_what_is_acknowledged(
    client: GrpcPartyClient, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one", b"two", b"three"], signer))
    got = []
    async with client.subscribe(max_in_flight=10) as subscription:
        async for delivery in subscription:
            got.append(delivery.content)
            await subscription.acknowledge(delivery.delivery_id)
            if len(got) == 3:
                break
    assert got == [b"one", b"two", b"three"]
    assert set(service.acknowledged) == {"m-0", "m-1", "m-2"}


async def test_what_is_not_acknowledged_stays(
    client: GrpcPartyClient, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one", b"two"], signer))
    async with client.subscribe() as subscription:
        first = await anext(subscription)
        await subscription.acknowledge(first.delivery_id)
        await anext(subscription)
    assert [message.content for message in service.waiting] == [b"two"]


async def test_a_delivery_that_was_signed_for_somebody_else_is_not_taken(
    client: GrpcPartyClient, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one"], signer, party="post-b"))
    async with client.subscribe() as subscription:
        with pytest.raises(TrustError, match=r"signature\.audience"):
            await anext(subscription)


async def test_a_subscription_ends_when_the_gateway_stops(
    client: GrpcPartyClient, grpc: GrpcIngress, service: FakeService, signer: KeySigner
) -> None:
    service.waiting = list(waiting([b"one"], signer))
    async with client.subscribe() as subscription:
        await anext(subscription)
        await grpc.stop()
        assert [delivery async for delivery in subscription] == []


async def test_an_interchange_is_tracked_over_all_pages(
    client: GrpcPartyClient, remember: Remember
) -> None:
    expected = remember("many", 2_345)
    track = await client.track(interchange_id="many")
    assert track.outcomes == expected
    assert track.answer is not None
    assert (track.answer.proved, track.answer.more) == (True, True)
    assert await client.outcomes("many") == expected


async def test_what_was_not_carried_is_counted_over_grpc_too(
    client: GrpcPartyClient, service: FakeService
) -> None:
    await client.submit(b"good", interchange_id="i-1", format=JSON)
    ((key, stored),) = service.stored.items()
    told = Outcome(ordinal=1, status=State.ACCEPTED, not_carried=3, defaulted=2, contradicting=1)
    service.stored[key] = msgspec.structs.replace(stored, outcomes=msgspec.json.encode([told]))

    assert (told,) == await client.outcomes("i-1")


async def test_an_interchange_that_was_never_sent_is_not_found(client: GrpcPartyClient) -> None:
    with pytest.raises(ProblemError) as caught:
        await client.track(interchange_id="never")
    assert (caught.value.status, caught.value.code) == (404, "interchange.not-found")


async def test_a_key_of_which_nothing_is_known_has_no_events(client: GrpcPartyClient) -> None:
    track = await client.track(key="EE471108151FR")
    assert (track.answer, track.events, track.legs) == (None, (), ())


async def test_a_question_names_either_an_interchange_or_a_key(client: GrpcPartyClient) -> None:
    with pytest.raises(ValueError, match="interchange or a key"):
        await client.track()
