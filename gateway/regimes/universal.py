"""Rules that hold everywhere: identifiers and code lists of the trade's standards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import pycountry

from gateway.regimes.identifiers import S10_FORM, s10_faults
from translators.canonical import GoodsDeclaration, ItemDeclaration, Message, Order
from translators.faults import Fault, Severity

EXTRA_COUNTRIES = frozenset({"EU", "XI", "XK", "XZ"})
"""User-assigned codes in daily use: EU, Northern Ireland, Kosovo, high seas."""
EXTRA_CURRENCIES = frozenset({"CNH"})
_HS_ITEM = re.compile(r"[0-9]{6,10}")


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries) | EXTRA_COUNTRIES


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(currency.alpha_3 for currency in pycountry.currencies) | EXTRA_CURRENCIES


class Universal:
    """S10 identifiers, ISO countries and currencies, HS codes, sums that can not be.

    ``countries`` are further codes to accept, for jurisdictions that ISO 3166 does not list.
    """

    def __init__(self, *, countries: frozenset[str] = frozenset()) -> None:
        self._countries = _countries() | countries

    def check(self, message: Message) -> tuple[Fault, ...]:
        """Every fault of a message; never raises."""
        faults = list(self._codes(message, ""))
        if isinstance(message, ItemDeclaration):
            faults.extend(_item(message))
        elif isinstance(message, Order):
            faults.extend(_parcels(message))
        elif isinstance(message, GoodsDeclaration):
            faults.extend(_numbers("items", [line.number for line in message.items]))
        return tuple(faults)

    def _codes(self, value: Any, path: str) -> Iterator[Fault]:
        """Countries and currencies, wherever they stand."""
        for name in value.__struct_fields__:
            child = getattr(value, name)
            if child is None or child == ():
                continue
            where = f"{path}/{name}"
            if isinstance(child, msgspec.Struct):
                yield from self._codes(child, where)
            elif isinstance(child, tuple):
                for index, entry in enumerate(child):
                    if isinstance(entry, msgspec.Struct):
                        yield from self._codes(entry, f"{where}/{index}")
                    elif name.endswith("countries") or name == "recognised_by":
                        yield from self._country(entry, f"{where}/{index}")
            elif name == "country" or name.endswith("_country"):
                yield from self._country(child, where)
            elif name == "currency" and child not in _currencies():
                yield Fault(code="currency.unknown", path=where, detail="not in ISO 4217")

    def _country(self, code: str, where: str) -> Iterator[Fault]:
        if code not in self._countries:
            yield Fault(code="country.unknown", path=where, detail="not in ISO 3166-1")


_S10_DETAILS = {
    "s10.form": "not of the form of UPU S10: two letters, nine digits, country",
    "s10.check-digit": "the check digit does not fit the serial number (UPU S10)",
    "s10.reserved": "its first letter is reserved in UPU S10",
}


def _s10(value: str, path: str) -> Iterator[Fault]:
    for code in s10_faults(value):
        severity = Severity.WARNING if code == "s10.reserved" else Severity.ERROR
        yield Fault(code=code, path=path, detail=_S10_DETAILS[code], severity=severity)


def _item(message: ItemDeclaration) -> Iterator[Fault]:
    if message.item_id_type is None:
        yield from _s10(message.item_id, "/item_id")
    if message.gross_weight <= 0:
        yield Fault(code="weight.not-positive", path="/gross_weight", detail="must be above zero")
    for index, piece in enumerate(message.pieces):
        if piece.hs is not None and not _HS_ITEM.fullmatch(piece.hs):
            yield Fault(
                code="hs.form",
                path=f"/pieces/{index}/hs",
                detail="an HS code in a declaration has 6 to 10 digits",
            )
        if piece.amount is not None and piece.amount.amount < 0:
            yield Fault(
                code="amount.negative",
                path=f"/pieces/{index}/amount/amount",
                detail="a value is not below zero",
            )
    yield from _numbers("pieces", [piece.number for piece in message.pieces])


def _parcels(message: Order) -> Iterator[Fault]:
    lines = {line.number for line in message.lines}
    for index, parcel in enumerate(message.parcels):
        if S10_FORM.fullmatch(parcel.tracking_number):
            yield from _s10(parcel.tracking_number, f"/parcels/{index}/tracking_number")
        for place, number in enumerate(parcel.lines):
            if number not in lines:
                yield Fault(
                    code="reference.unknown",
                    path=f"/parcels/{index}/lines/{place}",
                    detail="the order has no line of this number",
                )
    yield from _numbers("lines", [line.number for line in message.lines])


def _numbers(name: str, numbers: list[int]) -> Iterator[Fault]:
    seen: set[int] = set()
    for index, number in enumerate(numbers):
        if number in seen:
            yield Fault(
                code="number.repeated",
                path=f"/{name}/{index}/number",
                detail="another line of this message has the same number",
            )
        seen.add(number)
