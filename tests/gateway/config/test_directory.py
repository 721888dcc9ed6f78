"""The registry in force: followed from its file, and a key can always be taken out of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


class Followed:
    """A directory that follows a file, and what it logs."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "registry.toml"
        self.write(TEXT + write_delegation(delegation()))
        self.lines = io.StringIO()
        self.changes: list[Registry] = []
        self.directory = Directory(
            journal=MemoryJournal(gateway=1, clock=lambda: NOW),
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
