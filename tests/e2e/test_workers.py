"""Several processes on one journal are one gateway: one record, one receipt, one delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import documents
from tests.e2e.callers import Answer, get, post
from tests.e2e.network import GatewayProcess
from tests.e2e.pair import delivered, pair

BOUND_SECONDS = 30.0
SENDERS = 6
FORMAT = {"Luxor-Format": "upu.itmatt.1"}
Workers = tuple[GatewayProcess, GatewayProcess]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pair")


@pytest.fixture(scope="module")
def workers(folder: Path, certs: Path) -> Iterator[Workers]:
    with pair(folder, certs) as both:
        yield both


async def settled(folder: Path, number: int) -> list[Path]:
    """The archive once it has that many files, and a moment later."""
    async with asyncio.timeout(BOUND_SECONDS):
        while len(delivered(folder)) < number:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
    return delivered(folder)


async def test_the_same_interchange_through_two_processes_at_once_is_one_record(
    workers: Workers, folder: Path
) -> None:
    content = documents.good(11, control="same")
    before = len(delivered(folder))

    async def send(worker: GatewayProcess) -> Answer:
        return await post(worker, "post-a", content, identifier="same", headers=FORMAT)

    answers = await asyncio.gather(*(send(worker) for worker in workers for _ in range(SENDERS)))

    assert {202} == {answer.status for answer in answers}
    assert 1 == len({answer.body["record"] for answer in answers})
    assert 1 == len({answer.body["receipt"] for answer in answers})
    assert before + 1 == len(await settled(folder, before + 1))


async def test_other_bytes_under_an_id_lose_whichever_process_gets_them(workers: Workers) -> None:
    contents = [documents.good(20 + n, control=f"race-{n}") for n in range(4)]

    answers = await asyncio.gather(
        *(
            post(workers[n % 2], "post-a", content, identifier="race", headers=FORMAT)
            for n, content in enumerate(contents)
        )
    )

    assert [202, 409, 409, 409] == sorted(answer.status for answer in answers)
    assert {"interchange.conflict"} == {a.code for a in answers if a.status == 409}


async def test_a_lost_receipt_is_fetched_again_from_either_process_and_is_the_same(
    workers: Workers,
) -> None:
    content = documents.good(31, control="lost")
    first = await post(workers[0], "post-a", content, identifier="lost", headers=FORMAT)

    found = [await get(worker, "post-a", "/v1/interchanges/lost") for worker in workers]
    again = [
        await post(worker, "post-a", content, identifier="lost", headers=FORMAT)
        for worker in workers
    ]

    assert 202 == first.status
    receipts = [answer.body["answer"]["receipt"] for answer in found]
    receipts += [answer.body["receipt"] for answer in again]
    assert {first.body["receipt"]} == set(receipts)
    others = await get(workers[1], "platform-shop", "/v1/interchanges/lost")
    assert 404 == others.status
