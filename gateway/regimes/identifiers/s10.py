"""UPU S10: identifiers of postal items."""

from __future__ import annotations

import re
from operator import mul

S10_FORM = re.compile(r"[A-Z]{2}([0-9]{8})([0-9])[A-Z]{2}")
"""Service indicator, serial number, check digit, country."""
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)  # UPU S10
S10_RESERVED = frozenset("JKSTW")
"""First letters that UPU S10 reserves."""
# The sum is of ASCII codes: each digit's is 48 above it, and 48 · 44 is a multiple of 11.
_CHECK_DIGITS = tuple({10: 0, 11: 5}.get(11 - rest, 11 - rest) for rest in range(11))
"""By the rest of the weighted sum."""


def s10_check_digit(serial: str) -> int:
    """The check digit of an eight-digit serial number: 11 - (weighted sum mod 11), 10→0, 11→5."""
    total: int = sum(map(mul, serial.encode(), S10_WEIGHTS))
    return _CHECK_DIGITS[total % 11]


def s10_faults(value: str) -> tuple[str, ...]:
    """The codes of what is wrong with an S10 identifier; empty when nothing is."""
    form = S10_FORM.fullmatch(value)
    if form is None:
        return ("s10.form",)
    serial, check = form.groups()
    wrong: tuple[str, ...] = ()
    if int(check) != s10_check_digit(serial):
        wrong = ("s10.check-digit",)
    return (*wrong, "s10.reserved") if value[0] in S10_RESERVED else wrong


def s10_like_faults(value: str) -> tuple[str, ...]:
    """The same for a value that may be another identifier: only what has S10's form is judged."""
    return s10_faults(value) if S10_FORM.fullmatch(value) else ()
