from __future__ import annotations

import pytest

from gateway.demo.generator.s10 import broken_s10, s10
from gateway.regimes.identifiers import s10_faults


@pytest.mark.parametrize(
    ("service", "serial", "country", "expected"),
    [("EE", 47110815, "FR", "EE471108151FR"), ("RR", 47312482, "GB", "RR473124829GB")],
)
def test_published_identifiers_come_out(
    service: str, serial: int, country: str, expected: str
) -> None:
    assert s10(service, serial, country) == expected


def test_serial_numbers_begin_again_after_eight_digits() -> None:
    assert s10("RR", 100_000_001, "FR") == s10("RR", 1, "FR")


def test_a_broken_identifier_has_a_wrong_check_digit_and_nothing_else() -> None:
    for serial in range(0, 5_000, 7):
        good = s10("LX", serial, "FR")
        assert s10_faults(good) == ()
        assert s10_faults(broken_s10(good)) == ("s10.check-digit",)
