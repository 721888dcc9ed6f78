"""Rules that hold everywhere: identifiers and code lists of the trade's standards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec
import pycountry

from gateway.regimes.identifiers import S10_FORM, s10_faults
from translators.canonical import Message, kind_of
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
        return self.check_draft(kind_of(message), message)

    def check_draft(self, kind: str | None, draft: Any) -> tuple[Fault, ...]:
        """The same for what was understood of a message whose form is wrong (plain values)."""
        faults = list(self._codes(draft, ""))
        if kind == "ItemDeclaration":
            faults.extend(_item(draft))
        elif kind == "Order":
            faults.extend(_parcels(draft))
        elif kind == "GoodsDeclaration":
            faults.extend(_numbers("items", _entries(draft, "items")))
        return tuple(faults)

    def _codes(self, value: Any, path: str) -> Iterator[Fault]:
        """Countries and currencies, wherever they stand."""
        for name, child in _members(value):
            if child is None or child == ():
                continue
            where = f"{path}/{name}"
            if isinstance(child, msgspec.Struct | Mapping):
                yield from self._codes(child, where)
            elif isinstance(child, tuple | list):
                for index, entry in enumerate(child):
                    if isinstance(entry, msgspec.Struct | Mapping):
                        yield from self._codes(entry, f"{where}/{index}")
                    elif name.endswith("countries") or name == "recognised_by":
                        yield from self._country(entry, f"{where}/{index}")
            elif name == "country" or name.endswith("_country"):
                yield from self._country(child, where)
            elif name == "currency" and child not in _currencies():
                yield Fault(code="currency.unknown", path=where, detail="not in ISO 4217")

    def _country(self, code: object, where: str) -> Iterator[Fault]:
        if code not in self._countries:
            yield Fault(code="country.unknown", path=where, detail="not in ISO 3166-1")


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of a struct or of a draft's mapping."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield name, getattr(value, name)


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _entries(value: Any, name: str) -> Sequence[Any]:
    found = _get(value, name)
    return found if isinstance(found, tuple | list) else ()


def _number(value: Any) -> Decimal | None:
    """A decimal, also as a draft has it; ``None`` when its form is wrong, which others say."""
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    return value if isinstance(value, Decimal) and value.is_finite() else None


_S10_DETAILS = {
    "s10.form": "not of the form of UPU S10: two letters, nine digits, country",
    "s10.check-digit": "the check digit does not fit the serial number (UPU S10)",
    "s10.reserved": "its first letter is reserved in UPU S10",
}


def _s10(value: str, path: str) -> Iterator[Fault]:
    for code in s10_faults(value):
        severity = Severity.WARNING if code == "s10.reserved" else Severity.ERROR
        yield Fault(code=code, path=path, detail=_S10_DETAILS[code], severity=severity)


def _item(item: Any) -> Iterator[Fault]:
    identifier = _get(item, "item_id")
    if isinstance(identifier, str) and _get(item, "item_id_type") is None:
        yield from _s10(identifier, "/item_id")
    weight = _number(_get(item, "gross_weight"))
    if weight is not None and weight <= 0:
        yield Fault(code="weight.not-positive", path="/gross_weight", detail="must be above zero")
    pieces = _entries(item, "pieces")
    for index, piece in enumerate(pieces):
        code = _get(piece, "hs")
        if isinstance(code, str) and not _HS_ITEM.fullmatch(code):
            yield Fault(
                code="hs.form",
                path=f"/pieces/{index}/hs",
                detail="an HS code in a declaration has 6 to 10 digits",
            )
        amount = _number(_get(_get(piece, "amount"), "amount"))
        if amount is not None and amount < 0:
            yield Fault(
                code="amount.negative",
                path=f"/pieces/{index}/amount/amount",
                detail="a value is not below zero",
            )
    yield from _numbers("pieces", pieces)


def _parcels(order: Any) -> Iterator[Fault]:
    lines = _entries(order, "lines")
    numbers = [_get(line, "number") for line in lines]
    for index, parcel in enumerate(_entries(order, "parcels")):
        tracking = _get(parcel, "tracking_number")
        if isinstance(tracking, str) and S10_FORM.fullmatch(tracking):
            yield from _s10(tracking, f"/parcels/{index}/tracking_number")
        for place, number in enumerate(_entries(parcel, "lines")):
            if number not in numbers:
                yield Fault(
                    code="reference.unknown",
                    path=f"/parcels/{index}/lines/{place}",
                    detail="the order has no line of this number",
                )
    yield from _numbers("lines", lines)


def _numbers(name: str, entries: Sequence[Any]) -> Iterator[Fault]:
    seen: list[object] = []
    for index, entry in enumerate(entries):
        number = _get(entry, "number")
        if number is not None and number in seen:
            yield Fault(
                code="number.repeated",
                path=f"/{name}/{index}/number",
                detail="another line of this message has the same number",
            )
        seen.append(number)
