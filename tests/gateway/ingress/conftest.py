"""What the tests of the ingresses share: an authority, a service, and both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from tests.fakes import FakeService, Seen
from tests.pki import Pki
from translators.registry import Registry, standard
from trust.authority import generate_key
from trust.keys import KeySigner


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def foreign_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"), name="foreign")


@pytest.fixture(scope="session")
def signer() -> KeySigner:
    return KeySigner(generate_key("P-256"), kid="gateway-1")


@pytest.fixture(scope="session")
def formats() -> Registry:
    return standard()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def service(formats: Registry, signer: KeySigner) -> FakeService:
    return FakeService(formats=formats, signer=signer)


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder
