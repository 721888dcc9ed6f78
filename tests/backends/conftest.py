"""One PKI for all processes, one gateway for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.backends.network import Backend, Gateway, make_certificates

EXAMPLES = Path(__file__).parents[2] / "examples" / "backends"

SECTIONS = {
    "risk": f'[risk]\nprofile = "{EXAMPLES / "risk.toml"}"\nadministration = "XA"\n',
    "revenue": f'[revenue]\ntables = ["{EXAMPLES / "revenue" / "eu-like.toml"}"]\n',
    "clearance": """[clearance]
risk = ["customs-risk"]
revenue = "customs-revenue"
wait_seconds = 1.0
office = { code = "LU001" }
""",
}

Start = Callable[..., Awaitable[Backend]]


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture
async def gateway(certs: Path) -> AsyncIterator[Gateway]:
    found = Gateway(certs)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def start(certs: Path, gateway: Gateway, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a back end by its name; all that was started is stopped in the end."""
    started: list[Backend] = []

    async def begin(name: str, limits: str = "") -> Backend:
        section = f"{limits}\n{SECTIONS[name]}"
        backend = Backend(name, tmp_path / name, certs, gateway.port, section)
        started.append(backend)
        await backend.start()
        return backend

    yield begin
    for backend in started:
        await backend.stop()
