"""``kill -9`` in the middle of 5,000 messages: what has a receipt is delivered, nothing doubles."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.e2e import documents
from tests.e2e.callers import client_context
from tests.e2e.network import GatewayProcess
from tests.samples import s10

HANG_SECONDS = 120.0


class Batch(msgspec.Struct, frozen=True):
    """One interchange of the load."""

    identifier: str
    content: bytes
    items: int


def load(interchanges: int, items: int) -> list[Batch]:
    """``interchanges`` documents of ``items`` items each, all different."""
    return [
        Batch(
            f"load-{number}",
            documents.itmatt(
                *(documents.item(s10(number * items + index)) for index in range(items)),
                control=f"load-{number}",
            ),
            items,
        )
        for number in range(interchanges)
    ]


async def send(
    gateway: GatewayProcess, batches: list[Batch], receipts: dict[str, str], *, senders: int
) -> None:
    """Send what has no receipt yet, side by side; stops quietly when the gateway is gone."""
    waiting = [batch for batch in batches if batch.identifier not in receipts]
    context = client_context(gateway, "post-a")

    async def sender(session: aiohttp.ClientSession) -> None:
        while waiting:
            batch = waiting.pop()
            async with session.post(
                f"https://localhost:{gateway.ports.https}/v1/interchanges",
                data=io.BytesIO(batch.content),
                headers={
                    "Luxor-Interchange-Id": batch.identifier,
                    "Luxor-Format": "upu.itmatt.1",
                },
                ssl=context,
            ) as answer:
                body = await answer.json(content_type=None)
                assert (202, batch.items) == (answer.status, body["accepted"]), body
                receipts[batch.identifier] = body["receipt"]

    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(sender(session)) for _ in range(senders)]
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, aiohttp.ClientError):
                raise result


async def killed_after(gateway: GatewayProcess, reached: Callable[[], bool]) -> None:
    """Kill the gateway as soon as that is so."""
    async with asyncio.timeout(HANG_SECONDS):
        while not reached():  # noqa: ASYNC110 - another process gets there
            await asyncio.sleep(0.005)
    gateway.kill()


def staged(folder: Path) -> int:
    """How many chunks of an interchange the journal holds that is not committed yet."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/data/journal.db?mode=ro", uri=True)) as file:
            return int(file.execute("SELECT count(*) FROM plan").fetchone()[0])
    except sqlite3.OperationalError:  # the gateway is making it
        return 0


def _staged_or_answered(
    folder: Path, receipts: dict[str, str], interchanges: int, enough: int
) -> bool:
    """The moment to kill: in the middle of the only interchange, or of many of them."""
    return staged(folder) > 0 if interchanges == 1 else len(receipts) >= enough


def delivered(archive: Path) -> list[tuple[str, str, str]]:
    """What the receiver has: interchange id, item id, message id."""
    found = []
    for file in archive.glob("*.json"):
        (message,) = msgspec.json.decode(file.read_bytes())["messages"]
        provenance = message["provenance"]
        found.append((provenance["interchange_id"], message["item_id"], provenance["message_id"]))
    return found


def _arrived(folder: Path) -> int:
    return sum(1 for _ in (folder / "archive").glob("*.json"))


@pytest.mark.parametrize(
    ("interchanges", "items", "kills"),
    [(100, 50, (15, 60)), (1, 5_000, (1,))],
    ids=["100 interchanges of 50", "one interchange of 5,000"],
)
async def test_every_receipted_message_is_delivered_once(
    tmp_path: Path, certs: Path, interchanges: int, items: int, kills: tuple[int, ...]
) -> None:
    gateway = GatewayProcess(tmp_path, certs)
    batches, receipts = load(interchanges, items), dict[str, str]()
    try:
        for enough in kills:
            gateway.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(send(gateway, batches, receipts, senders=6))
                group.create_task(
                    killed_after(
                        gateway,
                        partial(_staged_or_answered, tmp_path, receipts, interchanges, enough),
                    )
                )
        before = dict(receipts)
        assert len(before) < interchanges, "it was killed before everything had its receipt"
        gateway.start()
        await send(gateway, batches, receipts, senders=6)
        again = dict[str, str]()
        await send(gateway, batches, again, senders=6)
        async with asyncio.timeout(HANG_SECONDS):
            while _arrived(tmp_path) < interchanges * items:  # noqa: ASYNC110 - files tell nobody
                await asyncio.sleep(0.1)
    finally:
        gateway.stop()

    assert len(batches) == len(receipts)
    assert again == receipts, "a repeat got another receipt"
    assert before.items() <= receipts.items()
    seen = Counter((interchange, item) for interchange, item, _ in delivered(tmp_path / "archive"))
    assert interchanges * items == len(seen)
    assert [] == [key for key, times in seen.items() if times > 1], "doubled"
