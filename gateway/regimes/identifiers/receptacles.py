"""Where mail is made up and what it travels in: IMPC codes, S9 receptacles, operator codes."""

from __future__ import annotations

import re

import msgspec

IMPC_FORM = re.compile(r"[A-Z]{2}[A-Z]{3}[A-Z0-9]")
"""UPU S34: ISO country, UN/LOCODE place, one letter or digit."""
OPERATOR_FORM = re.compile(r"[A-Z0-9]{3}")
"""UPU code list 206: three characters."""
S9_LENGTH = 29

_CERTAIN = re.compile(r"([A-Z]{2}[A-Z]{3}[A-Z0-9])([A-Z]{2}[A-Z]{3}[A-Z0-9])([A-Z])([A-Z0-9]{2})")
_REST = re.compile(r"([0-9])([0-9]{4})([0-9]{3})([0-9])([0-9])([0-9]{4})")


class Receptacle(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a receptacle identifier (UPU S9, 29 characters).

    ``category`` and ``subclass`` (of two characters) are those of the mail. What follows them is
    ``None`` where it does not read as it is generally written; ``weight`` is in tenths of a
    kilogram, ``highest`` says that no receptacle of the despatch has a higher number.
    """

    origin: str
    destination: str
    category: str
    subclass: str
    year: int | None = None
    despatch: int | None = None
    number: int | None = None
    highest: bool | None = None
    registered: bool | None = None
    weight: int | None = None


def read_s9(value: str) -> Receptacle | None:
    """The parts of an S9 identifier, or ``None`` when its first 15 characters can not be one."""
    certain = _CERTAIN.match(value)
    if certain is None:
        return None
    origin, destination, category, subclass = certain.groups()
    rest = _REST.fullmatch(value[15:])
    year, despatch, number, highest, registered, weight = (
        (None,) * 6 if rest is None else map(int, rest.groups())
    )
    return Receptacle(
        origin=origin,
        destination=destination,
        category=category,
        subclass=subclass,
        year=year,
        despatch=despatch,
        number=number,
        highest=None if highest is None else bool(highest),
        registered=None if registered is None else bool(registered),
        weight=weight,
    )


def s9_faults(value: str) -> tuple[str, ...]:
    """What is wrong with a receptacle identifier: its first 15 characters, or only the rest."""
    if not _CERTAIN.match(value):
        return ("s9.form",)
    # The split of the last 14 is in general use, but not as sure as the first 15.
    return () if _REST.fullmatch(value[15:]) else ("s9.rest",)


def impc_faults(value: str) -> tuple[str, ...]:
    """What is wrong with the code of an international mail processing centre."""
    return () if IMPC_FORM.fullmatch(value) else ("impc.form",)


def operator_faults(value: str) -> tuple[str, ...]:
    """What is wrong with an operator: its own code, or that of one of its offices, will do."""
    good = OPERATOR_FORM.fullmatch(value) or IMPC_FORM.fullmatch(value)
    return () if good else ("operator.form",)
