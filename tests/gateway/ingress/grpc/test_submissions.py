"""Submitting over gRPC: replies, statuses with their problems, and streams."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc import aio

from gateway.core.errors import Unavailable
from gateway.ingress.admission import Admission
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.tls import ServerTls
from tests.fakes import FakeService, Seen, clock, until
from tests.gateway.ingress.grpc.conftest import channel, exchange, serving, submission
from tests.pki import Pki
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeStub
from trust import receipt
from trust.keys import KeySigner

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub


def problem(error: aio.AioRpcError) -> wire.Problem:
    packed = dict(error.trailing_metadata())["luxor-problem-bin"]
    assert isinstance(packed, bytes)
    return wire.Problem.FromString(packed)


async def refused(stub: ExchangeAsyncStub, request: wire.Submission) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Submit(request)
    return caught.value


async def test_accepted_interchange_is_answered_with_its_signed_receipt(
    stub: ExchangeAsyncStub, signer: KeySigner
) -> None:
    reply = await stub.Submit(submission())

    claims = receipt.verify(reply.receipt, {signer.kid: signer.public_key})
    assert (reply.interchange_id, reply.status) == ("i-1", wire.STATUS_ACCEPTED)
    assert (claims.interchange_id, claims.party) == ("i-1", "post-a")
    assert [(o.ordinal, o.status) for o in reply.outcomes] == [(1, wire.STATUS_ACCEPTED)]


async def test_repeat_gets_the_identical_receipt(stub: ExchangeAsyncStub) -> None:
    assert (await stub.Submit(submission())).receipt == (await stub.Submit(submission())).receipt


async def test_wholly_refused_interchange_ends_with_its_faults_and_receipt(
    stub: ExchangeAsyncStub,
) -> None:
    error = await refused(stub, submission(content=b"refuse"))

    told = problem(error)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert told.code == "interchange.refused"
    assert [(f.code, f.path, f.line) for f in told.faults] == [("value.too-long", "/item_id", 3)]
    assert dict(error.trailing_metadata())["luxor-receipt"]


REFUSED = [
    (submission(identifier=""), "INVALID_ARGUMENT", "interchange.id-missing"),
    (submission(identifier="a b"), "INVALID_ARGUMENT", "interchange.id-invalid"),
    (submission(format_id="no.such.1"), "INVALID_ARGUMENT", "format.unknown"),
    (submission(content=b""), "INVALID_ARGUMENT", "body.empty"),
]


@pytest.mark.parametrize(("request_", "status", "code"), REFUSED, ids=[row[2] for row in REFUSED])
async def test_refused_on_the_way_with_a_status_then_the_next_is_served(
    stub: ExchangeAsyncStub, service: FakeService, request_: wire.Submission, status: str, code: str
) -> None:
    error = await refused(stub, request_)

    assert (error.code(), problem(error).code) == (grpc.StatusCode[status], code)
    assert service.noted == [code]
    assert (await stub.Submit(submission("next"))).receipt


async def test_same_id_with_other_bytes_is_a_conflict(stub: ExchangeAsyncStub) -> None:
    await stub.Submit(submission())

    error = await refused(stub, submission(content=b"other"))

    assert error.code() is grpc.StatusCode.ALREADY_EXISTS
    assert problem(error).code == "interchange.conflict"


async def test_oversize_is_refused_by_the_transport_and_the_next_is_served(
    stub: ExchangeAsyncStub,
) -> None:
    error = await refused(stub, submission(content=b"x" * 200_000))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await stub.Submit(submission("next"))).receipt


async def test_unavailable_says_when_to_come_again(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    service.raises = Unavailable("the journal is busy", retry_after=7)

    error = await refused(stub, submission())

    assert (error.code(), problem(error).code) == (grpc.StatusCode.UNAVAILABLE, "overload")
    assert dict(error.trailing_metadata())["retry-after"] == "7"
    assert "journal" not in str(error)


async def test_bug_is_told_as_an_incident_without_its_text(
    stub: ExchangeAsyncStub, seen: Seen
) -> None:
    error = await refused(stub, submission(content=b"explode with Jane Roe"))

    [event] = seen.events("request.failed")
    assert (error.code(), problem(error).code) == (grpc.StatusCode.INTERNAL, "internal")
    assert problem(error).detail == f"incident {event['incident']}"
    assert "Jane" not in str(error)
    assert "Jane" not in seen.text
    assert (await stub.Submit(submission("next"))).receipt


async def test_stream_answers_each_submission_and_a_bad_one_ends_nothing(
    stub: ExchangeAsyncStub,
) -> None:
    sent = [
        submission("a"),
        submission("b", b"refuse"),
        submission("c", b"explode"),
        submission("d", format_id="no.such.1"),
        submission("e"),
    ]

    replies = {reply.interchange_id: reply async for reply in stub.SubmitStream(iter(sent))}

    assert replies.keys() == {"a", "b", "c", "d", "e"}
    assert [replies[i].status for i in "ae"] == [wire.STATUS_ACCEPTED] * 2
    assert [replies[i].problem.code for i in "cd"] == ["internal", "format.unknown"]
    assert replies["b"].receipt
    assert [f.code for f in replies["b"].outcomes[0].faults] == ["value.too-long"]


async def test_suspension_bites_a_stream_that_stands(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    call = stub.SubmitStream()
    await call.write(submission("a"))
    before = await call.read()
    service.suspended.add("post-a")
    await call.write(submission("b"))
    after = await call.read()
    call.cancel()

    assert isinstance(before, wire.SubmitReply)
    assert isinstance(after, wire.SubmitReply)
    assert before.receipt
    assert (after.receipt, after.problem.code) == ("", "party.suspended")


async def test_stream_reads_no_further_than_its_window(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    service.gate.clear()
    call = stub.SubmitStream(submission(f"i-{n}") for n in range(20))
    await until(lambda: service.held == 4)
    await asyncio.sleep(0.1)

    held = service.held
    service.gate.set()
    answered = [reply.interchange_id async for reply in call]

    assert held == 4
    assert sorted(answered) == sorted(f"i-{n}" for n in range(20))


async def test_stream_bounds_the_bytes_that_are_unanswered(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    service.gate.clear()
    call = stub.SubmitStream(submission(f"i-{n}", b"x" * 20_000) for n in range(6))
    await until(lambda: service.held == 2)
    await asyncio.sleep(0.1)

    held = service.held
    service.gate.set()

    assert held == 2
    assert len([reply async for reply in call]) == 6


async def test_stream_that_its_caller_leaves_costs_nothing(
    stub: ExchangeAsyncStub, service: FakeService, seen: Seen
) -> None:
    service.gate.clear()
    call = stub.SubmitStream(submission(f"i-{n}") for n in range(3))
    await until(lambda: service.held == 3)

    call.cancel()

    service.gate.set()
    assert (await stub.Submit(submission("next"))).receipt
    assert seen.events("request.failed") == []


async def test_stop_answers_what_was_read_and_ends_the_stream(
    stub: ExchangeAsyncStub, ingress: GrpcIngress, service: FakeService
) -> None:
    service.gate.clear()
    call = stub.SubmitStream()
    await call.write(submission("a"))
    await until(lambda: service.held == 1)

    stop = asyncio.create_task(ingress.stop())
    await asyncio.sleep(0.1)
    service.gate.set()

    assert [reply.interchange_id async for reply in call] == ["a"]
    await stop


async def test_idle_stream_ends_with_the_listener(
    stub: ExchangeAsyncStub, ingress: GrpcIngress
) -> None:
    call = stub.SubmitStream()
    await call.write(submission("a"))
    first = await call.read()
    begun = asyncio.get_running_loop().time()

    await ingress.stop()

    assert isinstance(first, wire.SubmitReply)
    assert await call.read() is aio.EOF
    assert asyncio.get_running_loop().time() - begun < 1.5  # the drain bound is 2


async def test_a_stream_that_its_caller_leaves_gives_back_all_that_it_held(
    pki: Pki, service: FakeService, seen: Seen
) -> None:
    admission = Admission.alone(seen.telemetry)
    certificate, key = pki.issue("gateway")
    one = GrpcIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=GrpcSettings(window=4, drain=2.0),
        admission=admission,
    )
    service.gate.clear()
    async with serving(one), channel(one, pki, pki.issue("post-a")) as connection:
        call = exchange(connection).SubmitStream(submission(f"i-{n}") for n in range(9))
        await until(lambda: service.held == 4)
        held = admission.bytes
        call.cancel()
        await until(lambda: admission.bytes == 0)

    assert held == 4 * len(submission().content)


def busy(port: int, pki: Pki, files: tuple[Path, Path], *, at_once: int, calls: int) -> int:
    """Calls from threads of the core, the next as soon as one ends; how many were answered."""
    credentials = grpc.ssl_channel_credentials(
        pki.authority.encode(), files[1].read_bytes(), files[0].read_bytes()
    )
    places = threading.Semaphore(at_once)
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as connection:
        made = []
        for n in range(calls):
            places.acquire()
            call = ExchangeStub(connection).Submit.future(submission(f"i-{n}"))
            call.add_done_callback(lambda _: places.release())
            made.append(call)
        return sum(call.result().interchange_id == f"i-{n}" for n, call in enumerate(made))


async def test_as_many_calls_at_once_as_a_connection_may_have_are_all_served(
    ingress: GrpcIngress, pki: Pki, settings: GrpcSettings
) -> None:
    files, streams = pki.issue("post-a"), settings.streams

    answered = await asyncio.to_thread(
        busy, ingress.port, pki, files, at_once=streams, calls=10 * streams
    )

    assert 10 * streams == answered


async def test_another_party_on_another_connection_is_itself(
    ingress: GrpcIngress, pki: Pki, stub: ExchangeAsyncStub, service: FakeService
) -> None:
    await stub.Submit(submission())
    async with channel(ingress, pki, pki.issue("post-b")) as connection:
        await exchange(connection).Submit(submission())

    assert [party for party, _ in service.stored] == ["post-a", "post-b"]


NO_MESSAGE = b"\xff\xff"
"""What no protobuf begins with."""


@pytest.mark.parametrize("method", ["Submit", "Track"])
async def test_a_request_that_is_no_protobuf_is_refused_without_a_word_of_ours(
    ingress: GrpcIngress, pki: Pki, seen: Seen, method: str
) -> None:
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        call: Any = connection.unary_unary(f"/exchange.v1.Exchange/{method}")
        with pytest.raises(aio.AioRpcError) as caught:
            await call(NO_MESSAGE)

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert "request.invalid" == problem(caught.value).code
    assert 1 == seen.count("luxor_refusals_total", code="request.invalid", transport="grpc")


async def test_a_stream_ends_at_what_is_no_protobuf_after_what_came_before_is_answered(
    ingress: GrpcIngress, pki: Pki
) -> None:
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        open_: Any = connection.stream_stream("/exchange.v1.Exchange/SubmitStream")
        call = open_(iter([submission().SerializeToString(), NO_MESSAGE]))
        reply = wire.SubmitReply.FromString(await call.read())
        with pytest.raises(aio.AioRpcError) as caught:
            await call.read()

    assert "i-1" == reply.interchange_id
    assert "request.invalid" == problem(caught.value).code


async def test_a_subscription_ends_at_what_is_no_protobuf(ingress: GrpcIngress, pki: Pki) -> None:
    options = wire.SubscribeRequest(options=wire.SubscribeOptions())
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        open_: Any = connection.stream_stream("/exchange.v1.Exchange/Subscribe")
        with pytest.raises(aio.AioRpcError) as caught:
            await open_(iter([options.SerializeToString(), NO_MESSAGE])).read()

    assert "request.invalid" == problem(caught.value).code
