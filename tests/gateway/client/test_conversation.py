"""Streams that break, against a server that breaks them on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import grpc
import pytest
from grpc import aio

from gateway.client.conversation import Conversation, Pace, Reply, Submission
from gateway.client.errors import ProblemError
from gateway.core.errors import Unavailable
from tests.fakes import until
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1.exchange_pb2_grpc import (
    ExchangeServicer,
    ExchangeStub,
    add_ExchangeServicer_to_server,
)

PACE = Pace(window=4, answer=10.0, pause=0.01)


class Breaking(ExchangeServicer):
    """Answers so many submissions of each stream, then ends it with a status, or just so.

    ``answers`` holds a number for each stream; after the last one everything is answered.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.status: grpc.StatusCode | None = grpc.StatusCode.UNAVAILABLE
        self.taken: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def SubmitStream(  # type: ignore[override]  # noqa: N802 - the name in the .proto
        self,
        request_iterator: AsyncIterator[wire.Submission],
        context: aio.ServicerContext[Any, Any],
    ) -> None:
        left = self.answers.pop(0) if self.answers else -1
        async for request in request_iterator:
            self.taken.append(request.interchange_id)
            if left == 0:
                if self.status is not None:
                    await context.abort(self.status, "broken on purpose")
                return
            left -= 1
            await self.gate.wait()
            await context.write(wire.SubmitReply(interchange_id=request.interchange_id))


@pytest.fixture
async def server() -> AsyncIterator[tuple[Breaking, str]]:
    servicer = Breaking()  # type: ignore[abstract] # what is not called is not there
    listener = aio.server()
    add_ExchangeServicer_to_server(servicer, listener)
    port = listener.add_insecure_port("127.0.0.1:0")
    await listener.start()
    yield servicer, f"127.0.0.1:{port}"
    await listener.stop(None)


@pytest.fixture
async def breaking(server: tuple[Breaking, str]) -> Breaking:
    return server[0]


@pytest.fixture
async def stub(server: tuple[Breaking, str]) -> AsyncIterator[Any]:
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with aio.insecure_channel(server[1], options=options) as channel:
        yield ExchangeStub(channel)


def conversation(
    stub: Any, submissions: Iterable[Submission], *, pace: Pace = PACE
) -> Conversation:
    return Conversation(
        submissions,
        open_stream=stub.SubmitStream,
        written=lambda made: wire.Submission(interchange_id=made.interchange_id),
        judged=lambda made, _: Reply(interchange_id=made.interchange_id),
        pace=pace,
    )


def many(count: int) -> Iterator[Submission]:
    for number in range(count):
        yield Submission(interchange_id=f"i-{number}", format="f", content=b"")


async def ids(made: Conversation) -> list[str]:
    return [reply.interchange_id async for reply in made.replies()]


EVERYTHING = [f"i-{number}" for number in range(10)]


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAVAILABLE, None])
async def test_what_a_broken_stream_did_not_answer_is_sent_again(
    stub: Any, breaking: Breaking, status: grpc.StatusCode | None
) -> None:
    breaking.answers, breaking.status = [5], status
    assert sorted(await ids(conversation(stub, many(10)))) == EVERYTHING
    assert set(breaking.taken) == set(EVERYTHING)


async def test_streams_may_break_as_often_as_something_is_answered_in_between(
    stub: Any, breaking: Breaking
) -> None:
    breaking.answers = [1] * 9
    assert sorted(await ids(conversation(stub, many(10)))) == EVERYTHING


async def test_two_breaks_without_an_answer_end_it(stub: Any, breaking: Breaking) -> None:
    breaking.answers = [3, 0, 0]
    seen: list[str] = []
    with pytest.raises(Unavailable, match="broken on purpose"):
        await collect(conversation(stub, many(10)), seen)
    assert sorted(seen) == EVERYTHING[:3]


async def collect(made: Conversation, seen: list[str]) -> None:
    async for reply in made.replies():
        seen.append(reply.interchange_id)  # noqa: PERF401 - what was seen counts when it fails


async def test_a_stream_that_is_refused_is_not_tried_again(stub: Any, breaking: Breaking) -> None:
    breaking.answers, breaking.status = [0], grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(ProblemError, match="PERMISSION_DENIED"):
        await ids(conversation(stub, many(10)))
    assert breaking.answers == []


async def test_no_more_than_the_window_is_unanswered(stub: Any, breaking: Breaking) -> None:
    breaking.gate.clear()
    taken: list[str] = []

    def source() -> Iterator[Submission]:
        for made in many(10):
            taken.append(made.interchange_id)
            yield made

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(ids(conversation(stub, source())))
        await until(lambda: breaking.taken)
        await asyncio.sleep(0.05)
        assert len(taken) <= PACE.window
        breaking.gate.set()
        assert sorted(await reading) == EVERYTHING


async def test_silence_ends_it(stub: Any, breaking: Breaking) -> None:
    breaking.gate.clear()
    impatient = Pace(window=4, answer=0.1, pause=0.01)
    with pytest.raises(Unavailable, match="no answer within"):
        await ids(conversation(stub, many(10), pace=impatient))


async def test_what_the_source_raises_comes_out_after_what_was_sent(stub: Any) -> None:
    def source() -> Iterator[Submission]:
        yield from many(2)
        raise RuntimeError("the file ended")

    seen: list[str] = []
    with pytest.raises(RuntimeError, match="the file ended"):
        await collect(conversation(stub, source()), seen)
    assert sorted(seen) == ["i-0", "i-1"]


async def test_the_same_id_is_not_sent_twice_at_a_time(stub: Any, breaking: Breaking) -> None:
    breaking.gate.clear()
    made = conversation(stub, [*many(1), *many(1)])
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(failing(made))
        await until(lambda: breaking.taken)
        breaking.gate.set()
        assert "sent twice" in await reading


async def failing(made: Conversation) -> str:
    with pytest.raises(ValueError, match="i-0") as caught:
        await ids(made)
    return str(caught.value)


async def test_nothing_to_send_ends_at_once(stub: Any) -> None:
    assert await ids(conversation(stub, [])) == []


async def test_leaving_early_ends_the_stream(stub: Any, breaking: Breaking) -> None:
    replies = conversation(stub, many(10)).replies()
    first = await anext(replies)
    await replies.aclose()
    assert first.interchange_id == "i-0"
    assert breaking.taken
