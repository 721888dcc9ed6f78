"""One PKI for the session; one gateway for the tests that only talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.network import GatewayProcess, make_pki, running


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development PKI and certificates of strangers."""
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[GatewayProcess]:
    """A running gateway with one route: items and orders to LU go into a folder."""
    with running(tmp_path_factory.mktemp("gateway"), certs) as process:
        yield process
