"""A whole gateway in a thread of its own, with a development PKI, and the command line."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from prometheus_client import CollectorRegistry

from gateway.app import App
from gateway.cli.main import luxor
from gateway.config import load
from gateway.telemetry import Metrics, Telemetry, event_log
from trust.development import development_network
from trust.profile import default_profile, read_profile

HANG_SECONDS = 60

CONFIG = """
[gateway]
id = "gateway-lx"
number = 1
data = "data"

[tls]
certificate = "../certs/luxor/parties/gateway-lx/tls.pem"
key = "../certs/luxor/parties/gateway-lx/tls.key"

[signing]
key = "../certs/luxor/parties/gateway-lx/signing.key"
certificate = "../certs/luxor/parties/gateway-lx/signing.pem"

[registry]
file = "../certs/luxor/registry.toml"
crls = "../certs/luxor"

[ingress.https]
port = 0

[ingress.grpc]
port = 0

[ingress.operations]
port = 0

[[destination]]
id = "archive"
party = "customs-revenue"
transport = "folder"
address = "archive"
format = "luxor.json.1"

[[agreement]]
name = "archive"
purpose = "tests: an archive gets no names"
party = "customs-revenue"
kinds = ["ItemDeclaration"]
fields = ["item_id", "mail_class", "nature", "gross_weight", "pieces/**",
          "sender/address/country", "addressee/address/country"]

[[agreement]]
name = "back-ends"
purpose = "tests"
role = "backend"
kinds = ["ItemDeclaration", "Order"]
fields = ["**"]

[[agreement]]
name = "answers"
purpose = "tests"
role = "post"
kinds = ["RiskAssessment"]
fields = ["outcome", "assessed_at", "item_id", "version"]

[[route]]
name = "items"
kinds = ["ItemDeclaration", "Order"]
to = ["archive", "inbox:customs-risk"]

[[route]]
name = "answers"
kinds = ["RiskAssessment"]
to = ["@origin"]
"""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway that serves: its addresses, its configuration, its PKI."""

    https: str
    grpc: str
    config: Path
    certs: Path


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network") / "certs"
    files = development_network(read_profile(default_profile()), now=datetime.now(UTC))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600 if path.suffix == ".key" else 0o644)
    return folder


@pytest.fixture(scope="module")
def running(certs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = certs.parent / tmp_path_factory.mktemp("gateway").name
    (folder / "archive").mkdir(parents=True)
    config = folder / "gateway.toml"
    config.write_text(CONFIG)
    ready, found = threading.Event(), list[Running | Exception]()
    stopping: list[Callable[[], object]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stopping.append(lambda: loop.call_soon_threadsafe(stop.set))
        telemetry = Telemetry(
            metrics=Metrics(CollectorRegistry()), log=event_log(stream=io.StringIO())
        )
        app = App(load(config), telemetry=telemetry)
        await app.start()
        assert app.https is not None
        assert app.grpc is not None
        found.append(
            Running(
                https=f"https://localhost:{app.https.port}",
                grpc=f"grpc://localhost:{app.grpc.port}",
                config=config,
                certs=certs,
            )
        )
        ready.set()
        await stop.wait()
        await app.stop()

    def run() -> None:
        try:
            asyncio.run(serve())
        except Exception as error:  # the main thread says it
            found.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="gateway")
    thread.start()
    assert ready.wait(HANG_SECONDS)
    assert isinstance(found[0], Running), found[0]
    yield found[0]
    stopping[0]()
    thread.join(HANG_SECONDS)
    assert not thread.is_alive()


Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line; wide enough that no table breaks a line."""
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(luxor, [str(argument) for argument in arguments], input=stdin)

    return run
