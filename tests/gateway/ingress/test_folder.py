"""Watched folders: what is taken, what is written beside it, and that nothing is taken twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.core.errors import Refused, Unavailable
from gateway.core.records import State
from gateway.ingress.folder import FolderIngress, FolderSettings
from gateway.ingress.folder.scan import look
from gateway.ingress.folder.settle import settle
from gateway.ingress.spool import SpoolSettings
from tests.fakes import FakeService, Seen, clock, until
from translators.translator import FormatId
from trust import receipt
from trust.identity import PartyId
from trust.keys import KeySigner

POLL_S = 0.02


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "post-a"


@pytest.fixture
def ingress(service: FakeService, seen: Seen, root: Path, spool_folder: Path) -> FolderIngress:
    return watching(service, seen, root, spool_folder)


def watching(
    service: FakeService,
    seen: Seen,
    root: Path,
    spool_folder: Path,
    *,
    on_behalf_of: PartyId | None = None,
) -> FolderIngress:
    return FolderIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        party=PartyId("post-a"),
        path=root,
        format_id=FormatId("upu.itmatt.1"),
        poll=POLL_S,
        settings=FolderSettings(
            spool=SpoolSettings(memory_bytes=1000, max_bytes=50_000, directory=str(spool_folder))
        ),
        on_behalf_of=on_behalf_of,
    )


@pytest.fixture
async def running(ingress: FolderIngress) -> AsyncIterator[FolderIngress]:
    await ingress.start()
    yield ingress
    await ingress.stop()


def drop(root: Path, name: str, content: bytes) -> None:
    """As a sender should: written under a hidden name, then renamed."""
    part = root / f".{os.getpid()}.part"
    part.write_bytes(content)
    part.rename(root / "in" / name)


def report(root: Path, name: str) -> Any:
    return msgspec.json.decode((root / f"{name}.receipt.json").read_bytes())


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in os.scandir(folder))


async def settled(root: Path, *paths: str) -> None:
    await until(lambda: all((root / path).exists() for path in paths))


async def test_dropped_file_is_accepted_and_its_receipt_lies_beside_it(
    running: FolderIngress, root: Path, service: FakeService, signer: KeySigner
) -> None:
    drop(root, "2026-001.xml", b"good")
    await settled(root, "done/2026-001.xml")

    answer = report(root, "done/2026-001.xml")
    claims = receipt.verify(answer["receipt"], {signer.kid: signer.public_key})
    assert (claims.interchange_id, claims.party) == ("2026-001", "post-a")
    assert claims.digest == hashlib.sha256(b"good").hexdigest()
    [envelope] = service.envelopes
    assert (envelope.format, envelope.transport) == ("upu.itmatt.1", "folder")
    assert names(root / "in") == []


async def test_refused_file_is_put_aside_with_every_fault(
    running: FolderIngress, root: Path
) -> None:
    drop(root, "bad.xml", b"refuse")
    await settled(root, "refused/bad.xml")

    answer = report(root, "refused/bad.xml")
    assert (answer["status"], answer["refused"]) == ("refused", 1)
    assert [f["code"] for f in answer["outcomes"][0]["faults"]] == ["value.too-long"]


async def test_file_is_taken_once_and_a_second_drop_gives_the_same_receipt(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml")
    first = report(root, "done/a.xml")
    drop(root, "a.xml", b"good")
    await until(lambda: names(root / "in") == [])

    assert report(root, "done/a.xml") == first
    assert len(service.stored) == 1
    assert names(root / "done") == ["a.xml", "a.xml.receipt.json"]


async def test_same_name_with_other_bytes_is_a_conflict_told_beside_it(
    running: FolderIngress, root: Path
) -> None:
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml")
    drop(root, "a.xml", b"other")
    await settled(root, "refused/a.xml")
    drop(root, "a.xml", b"another")
    await settled(root, "refused/a~2.xml")

    assert report(root, "refused/a.xml")["code"] == "interchange.conflict"
    assert report(root, "refused/a~2.xml")["code"] == "interchange.conflict"
    assert (root / "done/a.xml").read_bytes() == b"good"
    assert (root / "refused/a.xml").read_bytes() == b"other"


async def test_signature_beside_a_file_goes_with_it(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    drop(root, "a.xml.jws", b"e30..sig\n")
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml", "done/a.xml.jws")

    assert service.envelopes[0].signature == "e30..sig"


async def test_signature_that_is_rubbish_is_refused(running: FolderIngress, root: Path) -> None:
    drop(root, "a.xml.jws", b"\xff" * 100)
    drop(root, "a.xml", b"good")
    await settled(root, "refused/a.xml")

    assert report(root, "refused/a.xml")["code"] == "signature.malformed"


async def test_large_file_is_spooled_and_leaves_nothing(
    running: FolderIngress, root: Path, service: FakeService, spool_folder: Path
) -> None:
    content = bytes(range(256)) * 100
    drop(root, "large.xml", content)
    await settled(root, "done/large.xml")

    assert service.contents == [content]
    assert names(spool_folder) == []


REFUSED = [
    ("empty.xml", b"", "body.empty"),
    ("oversize.xml", b"x" * 50_001, "body.oversize"),
    ("a b.xml", b"good", "interchange.id-invalid"),
    ("explode.xml", b"explode with Jane Roe", "internal"),
]


@pytest.mark.parametrize(("name", "content", "code"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_file_that_cannot_be_taken_is_put_aside_with_its_problem(
    running: FolderIngress, root: Path, seen: Seen, name: str, content: bytes, code: str
) -> None:
    drop(root, name, content)
    await settled(root, f"refused/{name}")
    drop(root, "next.xml", b"good")
    await settled(root, "done/next.xml")

    problem = report(root, f"refused/{name}")
    assert problem["code"] == code
    assert "Jane" not in str(problem)
    assert "Jane" not in seen.text


async def test_name_of_no_encoding_is_put_aside(running: FolderIngress, root: Path) -> None:
    name = os.fsdecode(b"caf\xe9.xml")
    drop(root, name, b"good")
    await settled(root, f"refused/{name}")

    assert report(root, f"refused/{name}")["code"] == "interchange.id-invalid"


async def test_name_too_long_for_a_report_is_shortened(running: FolderIngress, root: Path) -> None:
    drop(root, "x" * 251 + ".xml", b"good")
    await until(lambda: len(names(root / "refused")) == 2)

    moved, told = names(root / "refused")
    assert told == f"{moved}.receipt.json"
    assert moved.startswith("x" * 64 + "~")


@pytest.mark.parametrize("name", [".hidden.xml", "a.tmp", "a.part", "a.jws"])
async def test_unfinished_files_are_left_alone(
    running: FolderIngress, root: Path, name: str
) -> None:
    (root / "in" / name).write_bytes(b"good")
    (root / "in" / "link.xml").symlink_to(root / "in" / name)
    (root / "in" / "folder").mkdir()
    drop(root, "next.xml", b"good")
    await settled(root, "done/next.xml")

    assert names(root / "in") == sorted([name, "folder", "link.xml"])


async def test_file_waits_while_the_gateway_is_not_ready_for_it(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    service.raises = Unavailable("busy")
    drop(root, "a.xml", b"good")
    await until(lambda: len(service.envelopes) >= 2)
    left = names(root / "in")
    service.raises = None
    await settled(root, "done/a.xml")

    assert left == ["a.xml"]
    assert names(root / "refused") == []


async def test_wish_to_come_later_is_respected(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    service.raises = Unavailable("busy", retry_after=30)
    drop(root, "a.xml", b"good")
    await until(lambda: service.envelopes)
    await asyncio.sleep(10 * POLL_S)

    assert len(service.envelopes) == 1


async def test_suspended_party_is_told_so(
    running: FolderIngress, root: Path, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def suspended(party: PartyId) -> None:
        raise Refused("party.suspended")

    monkeypatch.setattr(service, "folder_identity", suspended)
    drop(root, "a.xml", b"good")
    await settled(root, "refused/a.xml")

    assert report(root, "refused/a.xml")["code"] == "party.suspended"


def test_growing_file_is_taken_only_when_it_stands_still(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_bytes(b"go")
    first = look(tmp_path, {}, listing=10, batch=10)
    file.write_bytes(b"good")
    second = look(tmp_path, first.looks, listing=10, batch=10)
    third = look(tmp_path, second.looks, listing=10, batch=10)

    assert (first.still, second.still, third.still) == ((), (), ("a.xml",))


def test_oldest_come_first_and_no_more_than_a_batch(tmp_path: Path) -> None:
    for age, name in enumerate(("c", "b", "a")):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, ns=(0, 1000 - age))
    before = look(tmp_path, {}, listing=10, batch=2)

    assert look(tmp_path, before.looks, listing=10, batch=2).still == ("a", "b")


async def test_file_that_changes_after_it_was_looked_at_is_not_taken_half(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    path = root / "in" / "a.xml"
    content = b"x" * 40_000
    for at in range(0, 40_000, 4_000):  # a copy in steps, slower than the rounds
        with path.open("ab") as file:
            file.write(content[at : at + 4_000])
        await asyncio.sleep(POLL_S / 2)
    await settled(root, "done/a.xml")

    assert service.contents == [content]


async def test_crash_after_the_commit_repeats_nothing(
    ingress: FolderIngress, root: Path, service: FakeService, seen: Seen, spool_folder: Path
) -> None:
    """The process died before anything was written: the file lies in ``in`` as it was."""
    await ingress.start()
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml")
    await ingress.stop()
    first = report(root, "done/a.xml")
    (root / "done/a.xml.receipt.json").unlink()
    (root / "done/a.xml").rename(root / "in/a.xml")

    again = watching(service, seen, root, spool_folder)
    await again.start()
    await settled(root, "done/a.xml")
    await again.stop()

    assert report(root, "done/a.xml") == first
    assert len(service.taken) == 1


async def test_crash_between_report_and_move_repeats_nothing(
    ingress: FolderIngress, root: Path, service: FakeService, seen: Seen, spool_folder: Path
) -> None:
    await ingress.start()
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml")
    await ingress.stop()
    first = report(root, "done/a.xml")
    (root / "done/a.xml").rename(root / "in/a.xml")

    again = watching(service, seen, root, spool_folder)
    await again.start()
    await settled(root, "done/a.xml")
    await again.stop()

    assert report(root, "done/a.xml") == first
    assert names(root / "done") == ["a.xml", "a.xml.receipt.json"]
    assert len(service.taken) == 1


def test_report_that_cannot_be_written_leaves_the_file_where_it_was(tmp_path: Path) -> None:
    source = tmp_path / "a.xml"
    source.write_bytes(b"good")
    (tmp_path / "done").write_bytes(b"not a folder")

    with pytest.raises(OSError, match="Not a directory"):
        settle(source=source, target=tmp_path / "done", report=b"{}")

    assert source.read_bytes() == b"good"


async def test_folders_removed_while_running_are_made_again(
    running: FolderIngress, root: Path
) -> None:
    (root / "done").rmdir()
    (root / "in").rmdir()
    await settled(root, "in")
    drop(root, "a.xml", b"good")

    await settled(root, "done/a.xml")


async def test_two_processes_do_not_watch_one_folder(
    running: FolderIngress, root: Path, service: FakeService, seen: Seen, spool_folder: Path
) -> None:
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml")
    other_service = FakeService(formats=service.formats, signer=service.signer)
    other = watching(other_service, seen, root, spool_folder)
    await other.start()
    drop(root, "b.xml", b"good")
    await settled(root, "done/b.xml")
    await running.stop()
    drop(root, "c.xml", b"good")
    await settled(root, "done/c.xml")
    await other.stop()

    assert [e.interchange_id for e in service.envelopes] == ["a", "b"]
    assert [e.interchange_id for e in other_service.envelopes] == ["c"]


async def test_stop_waits_for_the_file_that_is_being_judged(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    service.gate.clear()
    drop(root, "a.xml", b"good")
    await until(lambda: service.held)
    stop = asyncio.create_task(running.stop())
    await asyncio.sleep(0.05)
    service.gate.set()
    await stop

    assert (root / "done/a.xml").exists()
    assert next(iter(service.stored.values())).state is State.ACCEPTED


async def test_many_files_are_all_taken_once(
    running: FolderIngress, root: Path, service: FakeService
) -> None:
    for n in range(300):
        drop(root, f"f-{n}.xml", b"good %d" % n)
    await until(lambda: len(names(root / "done")) == 600)

    assert len(service.taken) == len(service.envelopes) == 300


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
async def test_what_is_no_signature_refuses_the_file_and_holds_up_nothing(
    running: FolderIngress, root: Path, kind: str
) -> None:
    beside = root / "in" / "a.xml.jws"
    if kind == "pipe":
        os.mkfifo(beside)
    elif kind == "folder":
        beside.mkdir()
    else:
        beside.symlink_to("/dev/zero")
    drop(root, "a.xml", b"good")
    drop(root, "b.xml", b"good")
    await settled(root, "refused/a.xml", "done/b.xml")

    assert report(root, "refused/a.xml")["code"] == "signature.malformed"


async def test_a_mistake_of_ours_with_one_file_ends_no_watching(
    running: FolderIngress, root: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*, source: Path, target: Path, report: bytes) -> Path:
        if source.name == "a.xml":
            raise LookupError("content")
        return settle(source=source, target=target, report=report)

    monkeypatch.setattr("gateway.ingress.folder.ingress.settle", stumble)
    drop(root, "a.xml", b"good")
    await until(lambda: seen.events("file.failed"))
    drop(root, "b.xml", b"good")
    await settled(root, "done/b.xml")

    assert names(root / "in") == ["a.xml"]


async def test_a_file_that_can_not_be_put_away_is_left_alone_for_longer_and_longer(
    running: FolderIngress, root: Path, seen: Seen
) -> None:
    (root / "refused" / "a.xml.receipt.json").mkdir()
    drop(root, "a.xml", b"refuse")
    await until(lambda: len(seen.events("file.not-settled")) == 3)

    times = [datetime.fromisoformat(str(e["at"])) for e in seen.events("file.not-settled")]
    assert (times[2] - times[1]).total_seconds() > 1.5 * POLL_S  # the second pause is doubled
    assert {"a"} == {event["interchange_id"] for event in seen.events("file.not-settled")}


@pytest.mark.parametrize("principal", [None, PartyId("post-b")])
async def test_a_folder_may_be_for_what_is_sent_in_anothers_name(
    service: FakeService, seen: Seen, root: Path, spool_folder: Path, principal: PartyId | None
) -> None:
    ingress = watching(service, seen, root, spool_folder, on_behalf_of=principal)
    await ingress.start()
    drop(root, "a.xml", b"good")
    await settled(root, "done/a.xml")
    await ingress.stop()

    [envelope] = service.envelopes
    assert envelope.on_behalf_of == principal
