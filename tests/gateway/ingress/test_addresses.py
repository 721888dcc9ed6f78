"""Strangers by address: bounded, and nothing that grows with their number."""

from __future__ import annotations

import pytest

from gateway.core.bucket import Rate
from gateway.ingress.addresses import MAX_KNOWN, Addresses, site_of


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, site: str) -> None:
    assert site_of(address) == site


def test_connections_of_one_address_are_bounded_and_those_of_others_go_on() -> None:
    addresses = Addresses(connections=3, rate=Rate(1.0, 100))
    assert [addresses.enter("192.0.2.1", now=0.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert addresses.enter("192.0.2.2", now=0.0)
    addresses.leave("192.0.2.1")
    assert [addresses.enter("192.0.2.1", now=0.0) for _ in range(2)] == [True, False]


def test_beginnings_of_one_address_are_bounded_in_time() -> None:
    addresses = Addresses(connections=1_000, rate=Rate(2.0, 4))
    begun = [addresses.enter("192.0.2.1", now=now) for now in [0.0] * 6 + [0.5, 0.5, 1.0]]
    assert begun == [True] * 4 + [False] * 2 + [True, False, True]


def test_a_site_cannot_come_from_its_many_addresses() -> None:
    addresses = Addresses(connections=5, rate=Rate(1.0, 100))
    begun = [addresses.enter(f"2001:db8::{n:x}", now=0.0) for n in range(100)]
    assert sum(begun) == 5


def test_what_is_known_of_strangers_is_bounded() -> None:
    addresses = Addresses(connections=2, rate=Rate(1.0, 2))
    for n in range(3 * MAX_KNOWN):
        address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        assert addresses.enter(address, now=0.0)
        addresses.leave(address)
    assert len(addresses) == MAX_KNOWN


def test_refusals_leave_nothing_behind() -> None:
    addresses = Addresses(connections=1, rate=Rate(1.0, 1))
    assert addresses.enter("192.0.2.1", now=0.0)
    addresses.leave("192.0.2.1")
    for _ in range(10):
        assert not addresses.enter("192.0.2.1", now=0.5)
    assert addresses.enter("192.0.2.1", now=2.0)
