"""Dated tables of one jurisdiction: what was in force on a day, found by prefix and group. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

import msgspec

from backends.revenue.money import EXACT, round_to

ANY_GROUP = "*"


class Dated(Protocol):
    """A row that is in force from one day to another, both included; ``None``: open."""

    @property
    def valid_from(self) -> date:
        """First day."""

    @property
    def valid_to(self) -> date | None:
        """Last day."""


D = TypeVar("D", bound=Dated)


def in_force(rows: Iterable[D], on: date) -> D | None:
    """The row in force on a day; rows never overlap."""
    for row in rows:
        if row.valid_from <= on and (row.valid_to is None or on <= row.valid_to):
            return row
    return None


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """A scheme under which tax is paid at the sale: up to ``limit`` of intrinsic value."""

    names: tuple[str, ...]
    """How tax references call it."""
    limit: Decimal
    currency: str
    relief: str
    """The relief of what was prepaid, as prepaid-ioss."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, in the currency of the table, and general rates in per cent.

    A threshold is met by a value that equals it. ``None``: there is no such relief.
    """

    valid_from: date
    valid_to: date | None = None
    valuation: Literal["cif", "fob"] = "cif"
    """cif: freight and insurance belong to the customs value. VAT is always on them."""
    duty_free_up_to: Decimal | None = None
    vat_free_up_to: Decimal | None = None
    gift_free_up_to: Decimal | None = None
    flat_duty: Decimal | None = None
    """Duty per tariff heading where low value is no longer free."""
    returned_goods: bool = True
    standard_vat: Decimal
    fallback_duty: Decimal
    """For goods without HS code, or of which the table has no rate."""
    handling_fee: Decimal = Decimal(0)
    schemes: tuple[Scheme, ...] = ()
    account_methods: tuple[str, ...] = ()
    """Payment methods of declarations that go to an account, as E (deferred)."""


class DutyRate(msgspec.Struct, frozen=True, kw_only=True):
    """A duty rate in per cent for an HS prefix and a group of origins (``*``: any)."""

    prefix: str
    group: str
    rate: Decimal
    valid_from: date
    valid_to: date | None


class VatRate(msgspec.Struct, frozen=True, kw_only=True):
    """A VAT rate in per cent for an HS prefix."""

    prefix: str
    rate: Decimal
    valid_from: date
    valid_to: date | None


class Quotation(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange rate: so many units of the currency for one of the table's own."""

    currency: str
    units: Decimal
    valid_from: date
    valid_to: date | None


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one jurisdiction."""

    version: str
    jurisdiction: str
    currency: str
    countries: frozenset[str]
    unit: Decimal
    """Smallest amount of the currency that is charged."""
    periods: tuple[Period, ...]
    groups: Mapping[str, str] = {}
    """Group of a country of origin."""
    duties: Mapping[tuple[str, str], tuple[DutyRate, ...]] = {}
    vats: Mapping[str, tuple[VatRate, ...]] = {}
    quotations: Mapping[str, tuple[Quotation, ...]] = {}

    def period(self, on: date) -> Period | None:
        """What is in force on a day."""
        return in_force(self.periods, on)

    def duty(self, hs: str, origin: str | None, on: date) -> DutyRate | None:
        """The rate of the longest prefix; for one prefix that of the origin's group, then any."""
        group = self.groups.get(origin or "", ANY_GROUP)
        for length in range(len(hs), 1, -1):
            for name in (group, ANY_GROUP):
                found = in_force(self.duties.get((hs[:length], name), ()), on)
                if found is not None:
                    return found
        return None

    def vat(self, hs: str, on: date) -> VatRate | None:
        """The rate of the longest prefix, when it is not the standard one."""
        for length in range(len(hs), 1, -1):
            found = in_force(self.vats.get(hs[:length], ()), on)
            if found is not None:
                return found
        return None

    def quotation(self, currency: str, on: date) -> Quotation | None:
        """The rate of a foreign currency."""
        return in_force(self.quotations.get(currency, ()), on)

    def round(self, amount: Decimal) -> Decimal:
        """To what can be charged."""
        return round_to(amount, self.unit)


def convert(amount: Decimal, quotation: Quotation) -> Decimal:
    """A foreign amount in the table's currency, not rounded."""
    return EXACT.divide(amount, quotation.units)
