"""UPU S10: identifiers of postal items."""

from __future__ import annotations

import re
from operator import mul

S10_FORM = re.compile(r"([A-Z]{2})([0-9]{8})([0-9])([A-Z]{2})")
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)  # UPU S10
S10_RESERVED = frozenset("JKSTW")
"""First letters that UPU S10 reserves."""


def s10_check_digit(serial: str) -> int:
    """The check digit of an eight-digit serial number: 11 - (weighted sum mod 11), 10→0, 11→5."""
    total: int = sum(map(mul, map(int, serial), S10_WEIGHTS))
    check = 11 - total % 11
    return {10: 0, 11: 5}.get(check, check)


def s10_faults(value: str) -> tuple[str, ...]:
    """The codes of what is wrong with an S10 identifier; empty when nothing is."""
    form = S10_FORM.fullmatch(value)
    if form is None:
        return ("s10.form",)
    service, serial, check, _ = form.groups()
    wrong = []
    if int(check) != s10_check_digit(serial):
        wrong.append("s10.check-digit")
    if service[0] in S10_RESERVED:
        wrong.append("s10.reserved")
    return tuple(wrong)


def s10_like_faults(value: str) -> tuple[str, ...]:
    """The same for a value that may be another identifier: only what has S10's form is judged."""
    return s10_faults(value) if S10_FORM.fullmatch(value) else ()
