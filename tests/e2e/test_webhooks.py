"""The receiver of the examples, on its own, behind a gateway that signs what it delivers."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from tests.e2e import documents
from tests.e2e.callers import get, post
from tests.e2e.network import CONFIG, GatewayProcess
from tests.faults.processes import free_port
from tests.samples import s10
from trust.authority import generate_key
from trust.keys import KeySigner, signing_key
from trust.signatures.jws import sign_detached

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/webhook_receiver.py"
PAGE = (ROOT / "docs/webhooks.md").read_text("utf-8")
DESTINATION, RECEIVER = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
HANG_SECONDS = 60.0
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REST = """
[dispatch]
timeout = 2
lease = 4
first_pause = 0.05
longest_pause = 0.3

[[route]]
name = "hooked"
kinds = ["ItemDeclaration"]
destination_countries = ["FR"]
to = ["warehouse"]
"""


class Hook:
    """The example as a process, with the files that the page names."""

    def __init__(self, folder: Path, certs: Path) -> None:
        self.port = free_port()
        self.store = folder / "received.db"
        folder.mkdir()
        party = certs / "luxor/parties/customs-revenue"
        for name in ("tls.pem", "tls.key"):
            shutil.copy(party / name, folder)
        shutil.copy(certs / "luxor/root.pem", folder)
        self.keys = folder / "keys.json"
        self.keys.write_text('{"keys": []}')
        self._config = folder / "receiver.toml"
        self._config.write_text(RECEIVER.replace("8600", str(self.port)))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(EXAMPLE), str(self._config)], stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + HANG_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert self._process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(HANG_SECONDS)

    def items(self) -> list[str]:
        """Items in the order in which they were kept."""
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(self.store)) as file:
            rows = file.execute("SELECT content FROM received ORDER BY rowid").fetchall()
            return [msgspec.json.decode(row[0])["messages"][0]["item_id"] for row in rows]
        return []


@pytest.fixture
def hook(tmp_path: Path, certs: Path) -> Iterator[Hook]:
    hook = Hook(tmp_path / "hook", certs)
    hook.start()
    yield hook
    hook.kill()


@pytest.fixture
def gateway(tmp_path: Path, certs: Path, hook: Hook) -> Iterator[GatewayProcess]:
    destination = DESTINATION.replace("8600", str(hook.port)).replace("../certs", str(certs))
    process = GatewayProcess(tmp_path / "gateway", certs, CONFIG + destination + REST)
    try:
        process.start()
        yield process
    finally:
        process.stop()


async def send(gateway: GatewayProcess, serial: int) -> None:
    content = documents.itmatt(documents.item(s10(serial), country="FR"), control=f"w-{serial}")
    headers = {"Luxor-Format": "upu.itmatt.1"}
    answer = await post(gateway, "post-a", content, identifier=f"w-{serial}", headers=headers)
    assert 202 == answer.status, answer.body


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not reached():  # noqa: ASYNC110 - other processes get there
            await asyncio.sleep(0.02)


async def test_a_receiver_without_a_gateway_proves_deliveries_by_the_published_keys(
    gateway: GatewayProcess, hook: Hook
) -> None:
    await send(gateway, 1)
    log = gateway.log
    await until(lambda: b"signature.invalid" in log.read_bytes())
    before = hook.items()
    published = await get(gateway, "customs-revenue", "/v1/keys")
    hook.keys.write_bytes(msgspec.json.encode(published.body))
    await until(lambda: hook.items() == [s10(1)])
    hook.kill()
    for serial in range(2, 6):
        await send(gateway, serial)
    hook.start()
    await until(lambda: len(hook.items()) == 5)

    assert [] == before
    assert sorted(map(s10, range(1, 6))) == sorted(hook.items())


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("webhook_receiver", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # what dataclasses look for
    spec.loader.exec_module(module)
    return module


SIGNERS = {kind: KeySigner(generate_key(kind)) for kind in ("P-256", "Ed25519")}
OTHER = KeySigner(generate_key("P-256"))


def proved(
    example: ModuleType,
    folder: Path,
    *,
    signer: KeySigner,
    listed: KeySigner,
    content: bytes = b"{}",
    now: datetime = NOW,
    **said: str,
) -> None:
    """What the example makes of a delivery; ``listed`` is the key that is published."""
    key = signing_key(listed.public_pem)
    entry = {"kid": key.kid, "algorithm": key.algorithm, "public_key": key.public_key}
    path = folder / "keys.json"
    path.write_bytes(msgspec.json.encode({"gateway": "g", "keys": [entry]}))
    given = {"interchange_id": "m-1", "format": "luxor.json.1", "audience": "shop", **said}
    token = sign_detached(b"{}", signer=signer, now=NOW, **given)
    example.prove(
        token,
        content,
        message_id="m-1",
        form="luxor.json.1",
        receiver="shop",
        keys=example.Keys.read(path),
        now=now.timestamp(),
    )


@pytest.mark.parametrize("kind", SIGNERS)
def test_the_example_takes_what_is_signed_for_it(
    example: ModuleType, tmp_path: Path, kind: str
) -> None:
    proved(example, tmp_path, signer=SIGNERS[kind], listed=SIGNERS[kind])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"listed": OTHER}, "no detached JWS of a key"),
        ({"content": b"{} "}, "does not fit the content"),
        ({"audience": "another"}, "made out to somebody else"),
        ({"interchange_id": "m-2"}, "another message"),
        ({"format": "luxor.proto.1"}, "another message or format"),
        ({"now": NOW + timedelta(seconds=301)}, "too old"),
        ({"now": NOW - timedelta(seconds=301)}, "too old"),
    ],
)
def test_the_example_takes_nothing_else(
    example: ModuleType, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    usual = {"signer": SIGNERS["P-256"], "listed": SIGNERS["P-256"]}
    with pytest.raises(example.NotProved, match=reason):
        proved(example, tmp_path, **{**usual, **changes})  # type: ignore[arg-type]  # as each case says


def test_the_example_keeps_a_message_once_also_after_a_restart(
    example: ModuleType, tmp_path: Path
) -> None:
    with closing(example.Store(tmp_path / "received.db")) as store:
        first = [store.keep("m-1", "f", b"1"), store.keep("m-1", "f", b"1")]
    with closing(example.Store(tmp_path / "received.db")) as store:
        later = [store.keep("m-1", "f", b"1"), store.keep("m-2", "f", b"2")]

    assert ([True, False], [False, True]) == (first, later)
