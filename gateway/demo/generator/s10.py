"""Item identifiers of UPU standard S10, with their check digit."""

from __future__ import annotations

from gateway.regimes.identifiers import s10_check_digit

SERIALS = 10**8
SERVICES = {"letters": "L", "parcels": "C", "EMS": "E"}
"""First letter of the service indicator by mail class (UPU S10, annex on service indicators)."""


def s10(service: str, serial: int, country: str) -> str:
    """The identifier for a service indicator of two letters, a serial number and a country."""
    digits = f"{serial % SERIALS:08d}"
    return f"{service}{digits}{s10_check_digit(digits)}{country}"


def broken_s10(identifier: str) -> str:
    """The same identifier with a check digit that does not fit."""
    wrong = (int(identifier[10]) + 1) % 10
    return f"{identifier[:10]}{wrong}{identifier[11:]}"
