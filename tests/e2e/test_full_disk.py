"""A disk that is full or can not be written to: clear refusals, no corruption, no restart."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import documents
from tests.e2e.callers import Answer, get, post
from tests.e2e.network import CONFIG, GatewayProcess
from tests.e2e.pair import delivered

HANG_SECONDS = 120.0
FORMAT = {"Luxor-Format": "upu.itmatt.1"}
MOUNTING = 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"'
"""A small disk that nobody else has: the first argument is where, the rest what runs on it."""


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    config = CONFIG.replace("number = 1\n", f'number = 1\ndata = "{tmp_path}/data"\n')
    process = GatewayProcess(tmp_path, certs, config)
    try:
        process.start()
        yield process
    finally:
        process.stop()


async def submit(gateway: GatewayProcess, number: int, *, extra: int = 0) -> Answer:
    """One item; ``extra`` bytes behind it, which are hard to pack, make it as large as wanted."""
    blanks = bytes(random.Random(number).choices(b" \t\n", k=extra))
    content = documents.good(number, control=f"disk-{number}") + blanks
    return await post(gateway, "post-a", content, identifier=f"disk-{number}", headers=FORMAT)


async def is_ready(gateway: GatewayProcess) -> bool:
    url = f"http://127.0.0.1:{gateway.ports.operations}/health/ready"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status == 200


async def until(gateway: GatewayProcess, *, ready: bool) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while await is_ready(gateway) != ready:  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)


async def until_taken(gateway: GatewayProcess, number: int) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while (await submit(gateway, number)).status != 202:  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.1)


async def until_delivered(folder: Path, number: int) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while len(delivered(folder)) < number:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.05)
    assert number == len(delivered(folder))


def is_sound(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with a journal."""
    with sqlite3.connect(file) as connection:
        found: list[tuple[str]] = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return found == [("ok",)]


@contextmanager
def no_longer_files(gateway: GatewayProcess, size: int) -> Iterator[None]:
    """What the process writes beyond so many bytes of a file fails, as on a full disk."""
    assert gateway.pid is not None
    before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_told_and_is_over_without_a_restart(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    for number in range(1, 11):
        assert 202 == (await submit(gateway, number)).status
    await until_delivered(tmp_path, 10)

    with no_longer_files(gateway, (tmp_path / "data/journal.db-wal").stat().st_size):
        refused = [await submit(gateway, number) for number in range(11, 15)]
        await until(gateway, ready=False)
        known = await get(gateway, "post-a", "/v1/interchanges/disk-1")
    await until(gateway, ready=True)
    await until_taken(gateway, 11)
    await until_delivered(tmp_path, 11)

    assert {(503, "overload")} == {(answer.status, answer.code) for answer in refused}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert 200 == known.status
    assert "journal.not-writable" in gateway.log.read_text("utf-8")
    async with asyncio.timeout(HANG_SECONDS):
        while "journal.writable" not in gateway.log.read_text("utf-8"):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    assert is_sound(tmp_path / "data/journal.db")


async def test_a_body_that_can_not_be_spooled_is_to_come_again(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    large = 2 << 20

    with no_longer_files(gateway, 1 << 20):
        refused = await submit(gateway, 1, extra=large)
        small = await submit(gateway, 2)
    taken = await submit(gateway, 1, extra=large)

    assert (503, "overload") == (refused.status, refused.code)
    assert "Retry-After" in refused.headers
    assert [202, 202] == [small.status, taken.status]
    await until_delivered(tmp_path, 2)


async def test_a_journal_at_its_bound_takes_nothing_more_and_delivers_what_it_has(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    gateway.stop()
    gateway.start("journal.max_bytes=1500000")
    taken, answer = 0, await submit(gateway, 1)
    while answer.status == 202:
        taken += 1
        answer = await submit(gateway, taken + 1, extra=100_000)
        assert taken < 2_000

    assert (503, "overload") == (answer.status, answer.code)
    await until_delivered(tmp_path, taken)
    assert is_sound(tmp_path / "data/journal.db")


def may_mount() -> bool:
    """Whether this machine lets us have a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


async def test_a_file_system_without_room_is_over_when_there_is_room_again(
    tmp_path: Path, certs: Path
) -> None:
    if not may_mount():
        pytest.skip("no namespace of our own here: only RLIMIT_FSIZE and max_bytes were tried")
    disk = tmp_path / "data"
    disk.mkdir()
    gateway = GatewayProcess(tmp_path, certs)
    gateway.prefix = ("unshare", "-rm", "sh", "-c", MOUNTING, str(disk))
    try:
        gateway.start()
        seen = Path(f"/proc/{gateway.pid}/root{disk}")  # the disk as the process sees it
        assert 202 == (await submit(gateway, 1)).status
        with (seen / "filler").open("wb") as filler, suppress(OSError):
            while True:
                filler.write(bytes(65_536))
                filler.flush()
        taken, answer = 1, await submit(gateway, 2)
        while answer.status == 202:  # what was allocated before goes first
            taken += 1
            answer = await submit(gateway, taken + 1)
        await until(gateway, ready=False)
        (seen / "filler").unlink()
        await until(gateway, ready=True)
        await until_taken(gateway, taken + 1)

        assert (503, "overload") == (answer.status, answer.code)
        await until_delivered(tmp_path, taken + 1)
        for name in ("journal.db", "journal.db-wal"):  # as it is: nothing is written meanwhile
            shutil.copy(seen / name, tmp_path / name)
        assert is_sound(tmp_path / "journal.db")
    finally:
        gateway.stop()


def test_a_gateway_does_not_start_on_a_file_system_that_is_read_only(
    tmp_path: Path, certs: Path
) -> None:
    if not may_mount():
        pytest.skip("no namespace of our own here: a read-only file system was not tried")
    disk = tmp_path / "data"
    disk.mkdir()
    process = GatewayProcess(tmp_path, certs)
    command = ["unshare", "-rm", "sh", "-c", MOUNTING.replace("size=8m", "ro"), str(disk)]
    command += [sys.executable, "-m", "gateway", "serve", "--config", str(process.config)]

    ended = subprocess.run(command, capture_output=True, timeout=HANG_SECONDS, check=False)

    assert 2 == ended.returncode
    assert "gateway.data" in ended.stderr.decode()
