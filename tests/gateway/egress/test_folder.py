"""Files that are delivered side by side: each whole and synced, and none at another's cost."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.core.ports import Destination
from gateway.egress.folder import GROUP
from tests.gateway.egress.conftest import outgoing

HANG_S = 20.0


class Disk:
    """What is asked of the file system, in order; renames and syncs go through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str]] = []
        self._replace, self._fsync = os.replace, os.fsync
        monkeypatch.setattr("gateway.egress.folder.os.replace", self.replace)
        monkeypatch.setattr("gateway.egress.folder.os.fsync", self.fsync)

    def replace(self, source: str, target: str) -> None:
        self.asked.append(("show", Path(target).name))
        self._replace(source, target)

    def fsync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        assert path.is_dir() or path.stat().st_size == 3  # all of it was written before
        self.asked.append(("sync", path.name))
        self._fsync(descriptor)


async def deliver(folder: Destination, *names: str) -> list[str | BaseException | None]:
    """All at once; what came of each."""
    going = (folder.deliver(outgoing(name, b"abc")) for name in names)
    async with asyncio.timeout(HANG_S):
        return await asyncio.gather(*going, return_exceptions=True)


def files(folder: Path) -> set[str]:
    """The names in it."""
    return {path.name for path in folder.iterdir()}


async def test_each_file_is_synced_before_it_has_its_name_and_the_folder_at_last(
    folder: Destination, target_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)

    assert [None] * 3 == await deliver(folder, "m-1", "m-2", "m-3")

    assert disk.asked == [
        *(("sync", f".m-{n}.json.tmp") for n in (1, 2, 3)),
        *(("show", f"m-{n}.json") for n in (1, 2, 3)),
        ("sync", target_folder.name),
    ]
    assert {"m-1.json", "m-2.json", "m-3.json"} == files(target_folder)


async def test_a_file_that_can_not_be_written_costs_the_others_nothing(
    folder: Destination, target_folder: Path
) -> None:
    (target_folder / ".m-2.json.tmp").mkdir()
    (target_folder / "m-3.json").mkdir()

    found = await deliver(folder, "m-1", "m-2", "m-3", "m-4")

    assert [None, Unavailable, Unavailable, None] == [each and type(each) for each in found]
    assert b"abc" == (target_folder / "m-4.json").read_bytes()
    assert b"abc" == (target_folder / "m-1.json").read_bytes()


async def test_nothing_is_delivered_when_the_folder_can_not_be_synced(
    folder: Destination, target_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (target_folder / "m-2.json").mkdir()
    disk = Disk(monkeypatch)

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == target_folder:
            raise OSError(5, "Input/output error")
        disk.fsync(descriptor)

    monkeypatch.setattr("gateway.egress.folder.os.fsync", fsync)

    assert [Unavailable] * 2 == [type(each) for each in await deliver(folder, "m-1", "m-2")]


async def test_more_than_a_group_is_delivered_in_several(
    folder: Destination, target_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    names = [f"m-{n}" for n in range(2 * GROUP + 1)]

    assert {None} == set(await deliver(folder, *names))

    assert len(names) == len(files(target_folder))
    assert 3 == disk.asked.count(("sync", target_folder.name))


async def test_who_waits_no_longer_stops_no_other_file(
    folder: Destination, target_folder: Path
) -> None:
    leaving = asyncio.create_task(folder.deliver(outgoing("m-1")))
    staying = asyncio.create_task(folder.deliver(outgoing("m-2")))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    async with asyncio.timeout(HANG_S):
        assert await staying is None
    assert [None] == await deliver(folder, "m-3")
    assert {"m-2.json", "m-3.json"} <= files(target_folder)


async def test_a_repeat_does_not_meet_the_attempt_that_was_given_up(
    folder: Destination, target_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = asyncio.Event(), threading.Event()
    loop, fsync = asyncio.get_running_loop(), os.fsync

    def slow(descriptor: int) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert goes_on.wait(HANG_S)
        fsync(descriptor)

    monkeypatch.setattr("gateway.egress.folder.os.fsync", slow)
    async with asyncio.timeout(HANG_S):
        first = asyncio.create_task(folder.deliver(outgoing("m-1")))
        await begun.wait()
        given_up = asyncio.create_task(folder.deliver(outgoing("m-2", b"old")))
        await asyncio.sleep(0)
        given_up.cancel()
        repeat = asyncio.create_task(folder.deliver(outgoing("m-2", b"new")))
        await asyncio.sleep(0)
        goes_on.set()

        assert await first is None
        assert await repeat is None
    assert b"new" == (target_folder / "m-2.json").read_bytes()


async def test_a_mistake_of_ours_is_told_to_all_and_the_next_file_is_written(
    folder: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a mistake")

    with monkeypatch.context() as patched:
        patched.setattr("gateway.egress.folder.FileIO", broken)
        found = await deliver(folder, "m-1", "m-2")

    assert [ValueError] * 2 == [type(each) for each in found]
    assert [None] == await deliver(folder, "m-1")
