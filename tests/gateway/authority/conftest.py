"""One authority for the tests that only read, and one of its own for each that changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.authority import Office
from gateway.authority.founding import found
from gateway.authority.office import open_office
from trust.authority import generate_key
from trust.enrolment import make_request
from trust.identity import PartyId
from trust.keys import PrivateKey

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "http://pki.example.org:8085"
POST, SHOP = PartyId("post-a"), PartyId("shop-1")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority as `init` leaves it."""
    folder = tmp_path_factory.mktemp("made") / "authority"
    found(folder, identifier="luxor", title="Test Network", url=URL, now=NOW, key="P-256")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(made, tmp_path / "authority")


@pytest.fixture
def office(folder: Path) -> Iterator[Office]:
    """The authority, opened."""
    with open_office(folder) as opened:
        yield opened


def request_of(
    party: PartyId, *hosts: str, key: PrivateKey | None = None, kind: str = "P-256"
) -> bytes:
    """What a party sends."""
    new = key or generate_key(kind)  # type: ignore[arg-type] # one of the kinds
    return make_request(new, party=party, hosts=hosts)
