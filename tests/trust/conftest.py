"""Two towns for all tests of trust: making keys anew for each would only cost time."""

from __future__ import annotations

import pytest

from tests.trust.town import Town
from trust.authority import generate_key
from trust.keys import KeySigner


@pytest.fixture(scope="session")
def luxor() -> Town:
    """The authority at home."""
    return Town("luxor")


@pytest.fixture(scope="session")
def partner() -> Town:
    """Another administration's authority."""
    return Town("partner")


@pytest.fixture(scope="session")
def signer() -> KeySigner:
    """A P-256 key that signs."""
    return KeySigner(generate_key("P-256"))
