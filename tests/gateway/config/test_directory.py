"""The registry in force: followed from its file, and a key can always be taken out of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from gateway.config.directory import Directory
from gateway.store.memory import MemoryJournal
from gateway.telemetry import event_log
from tests.fakes import until
from trust.authority import generate_key
from trust.delegation import Delegation, sign
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.party import Registry
from trust.registry_write import write_delegation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POST, BROKER = PartyId("post-b"), PartyId("broker")
SIGNER = KeySigner(generate_key("P-256"))
KEY = f"[[party.key]]\npublic_key = '''\n{SIGNER.public_pem.decode()}'''\n"
TEXT = f'[[party]]\nid = "post-b"\n{KEY}\n[[party]]\nid = "broker"\n\n'


def delegation() -> str:
    """The post lets the broker act."""
    now = int(NOW.timestamp())
    return sign(
        Delegation(
            id="d-1",
            delegator=POST,
            delegate=BROKER,
            gateways=(PartyId("gateway-lx"),),
            issued_at=now,
            not_before=now,
            not_after=now + int(timedelta(days=30).total_seconds()),
            kinds=("*",),
        ),
        SIGNER,
    )


class Asked(MemoryJournal):
    """Counts how often it is asked for the registry: once each time that the directory looks."""

    asked = 0

    async def registry(self) -> tuple[int, bytes] | None:
        """See the port."""
        self.asked += 1
        return await super().registry()


class Followed:
    """A directory that follows a file, and what it logs."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "registry.toml"
        self.write(TEXT + write_delegation(delegation()))
        self.lines = io.StringIO()
        self.changes: list[Registry] = []
        self.journal = Asked(gateway=1, clock=lambda: NOW)
        self.directory = Directory(
            journal=self.journal,
            file=self.file,
            crls=folder,
            fetched=folder / "fetched",
            judge=lambda _: (),
            changed=self.changes.append,
            log=event_log(stream=self.lines, level="debug"),
        )

    def write(self, text: str) -> None:
        """Put another text in place, whole."""
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)

    def events(self, name: str) -> list[dict[str, object]]:
        """What was logged under that name."""
        lines = (msgspec.json.decode(line) for line in self.lines.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]

    def acts(self) -> bool:
        """Whether the broker may act for the post, by the registry in force."""
        try:
            self.directory.parties.principal(BROKER, POST, gateway="gateway-lx", now=NOW)
        except TrustError:
            return False
        return True


@pytest.fixture
async def followed(tmp_path: Path) -> AsyncIterator[Followed]:
    """A directory that watches."""
    found = Followed(tmp_path)
    await found.directory.open()
    watching = asyncio.create_task(found.directory.watch(seconds=0.01))
    yield found
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def test_a_key_is_taken_out_though_somebody_has_delegated_with_it(
    followed: Followed,
) -> None:
    assert followed.acts()

    followed.write(TEXT.replace(KEY, "") + write_delegation(delegation()))
    await until(lambda: followed.changes)

    assert followed.directory.parties.party(POST).signing_keys == ()
    assert not followed.acts()
    assert [event["path"] for event in followed.events("registry.void")] == ["delegation[0].token"]


async def test_what_is_no_delegation_does_not_replace_a_good_registry(followed: Followed) -> None:
    followed.write(TEXT + write_delegation("eyJ.eyJ.eyJ"))
    await until(lambda: followed.events("registry.rejected"))

    assert followed.acts()
    assert followed.changes == []


async def test_a_delegation_is_withdrawn_while_the_gateway_runs(followed: Followed) -> None:
    followed.write(TEXT)
    await until(lambda: followed.changes)

    assert not followed.acts()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written just now are so old that their times tell whether they change."""
    monkeypatch.setattr(
        "gateway.config.directory.time",
        SimpleNamespace(time_ns=lambda: time.time_ns() + 60_000_000_000),
    )


class _Counted:
    """Counts how often a registry is read from its text."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        real = Registry.from_toml

        def counting(text: str, read: Callable[[str], bytes]) -> Registry:
            self.times += 1
            return real(text, read)

        monkeypatch.setattr(Registry, "from_toml", counting)


async def polled(followed: Followed, times: int = 5) -> None:
    """Wait until the directory has looked so many times."""
    journal = followed.journal
    before = journal.asked
    await until(lambda: journal.asked >= before + times)


@pytest.mark.usefixtures("later")
async def test_files_that_do_not_change_are_not_read_again(
    monkeypatch: pytest.MonkeyPatch, followed: Followed
) -> None:
    await polled(followed)
    counted = _Counted(monkeypatch)
    await polled(followed)
    assert counted.times == 0

    followed.write(TEXT)
    await until(lambda: followed.changes)
    assert not followed.acts()


@pytest.mark.usefixtures("later")
async def test_a_change_that_keeps_size_and_time_of_writing_is_seen(followed: Followed) -> None:
    await polled(followed)
    before = followed.file.stat()
    with followed.file.open("r+", encoding="utf-8") as file:
        file.write(TEXT.replace('id = "post-b"', 'id = "post-c"', 1))
    os.utime(followed.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert followed.file.stat().st_size == before.st_size
    await until(lambda: followed.changes or followed.events("registry.rejected"))


async def test_a_file_that_was_just_written_is_read_again(
    monkeypatch: pytest.MonkeyPatch, followed: Followed
) -> None:
    await polled(followed)
    counted = _Counted(monkeypatch)
    await polled(followed)
    assert counted.times > 0


@pytest.mark.usefixtures("later")
async def test_a_key_in_a_file_of_its_own_is_followed_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    followed = Followed(tmp_path)
    (tmp_path / "post.pub").write_bytes(SIGNER.public_pem)
    followed.write('[[party]]\nid = "post-b"\n[[party.key]]\npublic_key = "post.pub"\n')
    await followed.directory.open()
    watching = asyncio.create_task(followed.directory.watch(seconds=0.01))
    try:
        await polled(followed)
        counted = _Counted(monkeypatch)
        await polled(followed)
        assert counted.times == 0
        other = KeySigner(generate_key("P-256"))
        (tmp_path / "post.pub").write_bytes(other.public_pem)
        await until(lambda: followed.changes)
        (key,) = followed.directory.parties.party(POST).signing_keys
        assert key.kid == other.kid
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
