"""What customs itself numbers: movements (MRN) and kinds of goods (HS)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

MRN_FORM = re.compile(r"[0-9]{2}([A-Z]{2})[A-Z0-9]{13}[0-9]")
"""Regulation (EU) 2015/2447, Annex A, MRN: year, country, 13 characters, check digit."""
HS_FORM = re.compile(r"[0-9]{6,10}")

# DGXXI/0879/99 Rev. 1 after ISO 6346: letters from 10 on, without the multiples of 11.
_NUMBERS = [number for number in range(10, 39) if number % 11]
_VALUES = {str(digit): digit for digit in range(10)} | dict(
    zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _NUMBERS, strict=True)
)

Check = Callable[[str], tuple[str, ...]]


def mrn_check_digit(number: str) -> int:
    """The check digit of the first 17 characters: Σ value · 2^place, mod 11, mod 10."""
    return sum(_VALUES[char] << place for place, char in enumerate(number)) % 11 % 10


def mrn_check(countries: Collection[str]) -> Check:
    """A check of movement reference numbers that one of these countries has given.

    Other administrations call numbers of quite other forms an MRN: these are not judged.
    """

    def mrn_faults(value: str) -> tuple[str, ...]:
        found = MRN_FORM.fullmatch(value)
        if found is None or found[1] not in countries:
            return ()
        good = int(value[17]) == mrn_check_digit(value[:17])
        return () if good else ("mrn.check-digit",)

    return mrn_faults


def hs_check(chapters: Collection[str], subheadings: Collection[str] | None) -> Check:
    """A check of HS codes: form, chapter, and the subheading when there is a list of them."""

    def hs_faults(value: str) -> tuple[str, ...]:
        if not HS_FORM.fullmatch(value):
            return ("hs.form",)
        if value[:2] not in chapters:
            return ("hs.chapter",)
        known = subheadings is None or value[:6] in subheadings
        return () if known else ("hs.unknown",)

    return hs_faults
