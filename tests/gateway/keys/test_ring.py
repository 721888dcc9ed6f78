"""The keys of a gateway: who signs when, and what is published of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.core.published import PublishedKey
from gateway.keys.opening import KeysUnusable, Providers, open_keyring
from gateway.keys.ring import Keyring
from gateway.keys.settings import NextKey, SigningSettings
from tests.gateway.keys.conftest import write_private
from tests.gateway.keys.test_contract import CLAIMS
from tests.trust.town import NOW, USUAL, Town
from trust import receipt
from trust.authority import generate_key, issue_signing
from trust.certificates import pem_of
from trust.identity import PartyId
from trust.keys import PrivateKey, PublicKey, load_public_key, public_key_pem, verifying_key

HOUR = timedelta(hours=1)
Opened = Callable[..., Keyring]


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def town() -> Town:
    return Town("luxor")


@pytest.fixture
def home(tmp_path: Path, keys: dict[str, PrivateKey], town: Town) -> Path:
    """Two keys with certificates, and the certificate of an older one."""
    third = generate_key("P-256")
    for name, key in (("a", keys["P-256"]), ("b", keys["P-384"]), ("old", third)):
        write_private(tmp_path / f"{name}.key", None, key)
        (tmp_path / f"{name}.pub").write_bytes(public_key_pem(key))
        leaf = issue_signing(
            key.public_key(),
            issuer=town.issuing,
            name=name,
            party=PartyId("gateway-lx"),
            validity=USUAL,
        )
        chain = pem_of(leaf) + pem_of(town.issuing.certificate)
        (tmp_path / f"{name}.pem").write_text(chain)
    return tmp_path


@pytest.fixture
def opened(home: Path, providers: Providers, clock: Clock) -> Opened:
    def opening(**settings: Any) -> Keyring:
        return open_keyring(
            msgspec.convert({"key": "a.key", **settings}, SigningSettings),
            gateway="gateway-lx",
            folder=home,
            providers=providers,
            clock=clock,
        )

    return opening


def uses(ring: Keyring) -> list[tuple[str, str]]:
    return [(key.use, key.algorithm) for key in ring.published().keys]


def verified_by(published: PublishedKey) -> dict[str, PublicKey]:
    loaded = load_public_key(published.public_key.encode())
    return {published.kid: verifying_key(loaded.public_key)}


def test_the_next_key_takes_its_turn_at_its_time_without_a_restart(
    opened: Opened, clock: Clock
) -> None:
    ring = opened(next=[{"key": "b.key", "since": NOW + HOUR}])

    before = ring.alg
    clock.now = NOW + HOUR

    assert (before, ring.alg, ring.waits) == ("ES256", "ES384", False)
    assert uses(ring) == [("current", "ES384"), ("previous", "ES256")]


def test_a_receipt_is_of_one_key_from_header_to_signature_while_keys_change(
    opened: Opened, clock: Clock
) -> None:
    ring = opened(next=[{"key": "b.key", "since": NOW + HOUR}])
    keys = {k: v for shown in ring.published().keys for k, v in verified_by(shown).items()}

    class Turning(Clock):
        """Every look at it is on the other side of the change."""

        def __call__(self) -> datetime:
            self.now = NOW if self.now > NOW else NOW + 2 * HOUR
            return self.now

    ring._clock = Turning()

    tokens = {receipt.sign(CLAIMS, ring) for _ in range(10)}

    assert [receipt.verify(token, keys) for token in tokens] == [CLAIMS] * len(tokens)


def test_keys_are_published_with_their_chains_the_one_that_signs_now_first(
    opened: Opened,
) -> None:
    ring = opened(
        certificate="a.pem",
        next=[{"key": "b.key", "certificate": "b.pem", "since": NOW + HOUR}],
        previous=[{"certificate": "old.pem"}],
    )

    published = ring.published()

    assert published.gateway == "gateway-lx"
    assert uses(ring) == [("current", "ES256"), ("next", "ES384"), ("previous", "ES256")]
    assert [len(key.certificates) for key in published.keys] == [2, 2, 2]
    assert published.keys[0].not_after == USUAL.not_after
    assert published.keys[1].not_before == NOW + HOUR


def test_a_receipt_of_an_earlier_key_is_proved_by_what_is_published(
    opened: Opened, home: Path, providers: Providers
) -> None:
    token = receipt.sign(CLAIMS, providers.open("old.key"))

    ring = opened(previous=[{"public_key": "old.pub"}])

    keys = {k: v for shown in ring.published().keys for k, v in verified_by(shown).items()}
    assert receipt.verify(token, keys) == CLAIMS


MISTAKES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no such key": ({"key": "c.key"}, ["signing.key"]),
    "another key's certificate": ({"certificate": "b.pem"}, ["signing.certificate"]),
    "no certificate": ({"certificate": "a.pub"}, ["signing.certificate"]),
    "absent certificate": ({"certificate": "c.pem"}, ["signing.certificate"]),
    "a TLS certificate": ({"certificate": "tls.pem"}, ["signing.certificate"]),
    "another party's": ({"certificate": "party.pem"}, ["signing.certificate"]),
    "a password that is not there": ({"password": "env:ABSENT"}, ["signing.key"]),
    "an algorithm that does not fit": ({"algorithm": "ES384"}, ["signing.key"]),
    "neither of the two": ({"previous": [{}]}, ["signing.previous[0]"]),
    "both of the two": (
        {"previous": [{"certificate": "a.pem", "public_key": "a.pub"}]},
        ["signing.previous[0]"],
    ),
    "no public key": ({"previous": [{"public_key": "a.pem"}]}, ["signing.previous[0].public_key"]),
    "the same name": ({"previous": [{"public_key": "a.pub"}]}, ["signing"]),
    "times in disorder": (
        {"next": [{"key": "b.key", "since": NOW}, {"key": "old.key", "since": NOW}]},
        ["signing.next[1].since"],
    ),
    "several at once": (
        {"key": "c.key", "next": [{"key": "d.key", "since": NOW}], "previous": [{}]},
        ["signing.key", "signing.next[0].key", "signing.previous[0]"],
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_is_named_with_its_place(
    opened: Opened, home: Path, town: Town, case: str, keys: dict[str, PrivateKey]
) -> None:
    (home / "tls.pem").write_text(pem_of(town.certificate("gateway-lx")))
    stranger = issue_signing(
        keys["P-256"].public_key(),
        issuer=town.issuing,
        name="x",
        party=PartyId("post-a"),
        validity=USUAL,
    )
    (home / "party.pem").write_text(pem_of(stranger))
    settings, places = MISTAKES[case]

    with pytest.raises(KeysUnusable) as refused:
        opened(**settings)

    assert [place for place, _ in refused.value.mistakes] == places
    assert all(text for _, text in refused.value.mistakes)


def test_a_ring_without_a_key_is_none(clock: Clock) -> None:
    with pytest.raises(ValueError, match="has a key that signs"):
        Keyring("gateway-lx", (), clock=clock)


def test_settings_have_a_time_with_a_zone() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"key": "b", "since": datetime(2027, 1, 1)}, NextKey)  # noqa: DTZ001 - the point
