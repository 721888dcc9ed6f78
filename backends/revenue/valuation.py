"""Values in the currency of the table: conversion, missing values, discounts, freight. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from backends.revenue.consignment import Consignment
from backends.revenue.money import EXACT, ZERO, share
from backends.revenue.tariff import Quotation, Tables, convert
from translators.canonical import ExchangeRate, Money

MAX_AMOUNT = Decimal(10) ** 15
"""Above this an amount may not fit into a message; no parcel is worth it."""


class UnassessableError(Exception):
    """It cannot be told what is due; the text says why, in words for the declarant."""


class Changer:
    """Converts into one table's currency on one day, and remembers what it used."""

    def __init__(self, tables: Tables, consignment: Consignment) -> None:
        self._tables = tables
        self._on = consignment.on
        self._used: dict[str, Quotation] = {}

    def home(self, money: Money) -> Decimal:
        """An amount in the currency of the table, not rounded.

        Raises :class:`UnassessableError` when there is no rate.
        """
        if abs(money.amount) > MAX_AMOUNT:
            raise UnassessableError("a value is too large to be assessed")
        if money.currency == self._tables.currency:
            return money.amount
        return convert(money.amount, self._quotation(money.currency))

    def abroad(self, amount: Decimal, currency: str) -> Decimal:
        """An amount of the table's currency in another one."""
        if currency == self._tables.currency:
            return amount
        return EXACT.multiply(amount, self._quotation(currency).units)

    def rates(self) -> tuple[ExchangeRate, ...]:
        """What was used: one unit of the table's currency is so many of the other."""
        return tuple(
            ExchangeRate(
                source=self._tables.currency,
                target=quotation.currency,
                rate=quotation.units,
                valid_on=self._on,
            )
            for _, quotation in sorted(self._used.items())
        )[:20]

    def _quotation(self, currency: str) -> Quotation:
        found = self._tables.quotation(currency, self._on)
        if found is None:
            raise UnassessableError(f"there is no exchange rate of {currency} for {self._on}")
        self._used[currency] = found
        return found


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """Per line, in the table's currency and rounded: value of the goods, and part of freight."""

    goods: tuple[Decimal, ...]
    freight: tuple[Decimal, ...]

    @property
    def intrinsic(self) -> Decimal:
        """Value of all goods, without freight (IOSS: Implementing Regulation 2019/2026)."""
        return sum(self.goods, ZERO)


def value_lines(consignment: Consignment, tables: Tables, changer: Changer) -> Values:
    """The values of all lines; raises :class:`UnassessableError` when one cannot be told."""
    known = [None if line.value is None else changer.home(line.value) for line in consignment.lines]
    goods = _fill(known, consignment, tables, changer)
    if consignment.discount is not None:
        off = min(changer.home(consignment.discount), sum(goods, ZERO))
        parts = share(off, goods, tables.unit)
        goods = [EXACT.subtract(value, part) for value, part in zip(goods, parts, strict=True)]
    freight = sum((changer.home(money) for money in consignment.freight), ZERO)
    return Values(
        goods=tuple(tables.round(value) for value in goods),
        freight=tuple(share(freight, goods, tables.unit)),
    )


def _fill(
    known: Sequence[Decimal | None], consignment: Consignment, tables: Tables, changer: Changer
) -> list[Decimal]:
    """What is left of the declared total, in equal parts for the lines without a value."""
    missing = [at for at, value in enumerate(known) if value is None]
    found = [value if value is not None else ZERO for value in known]
    if not missing:
        return found
    if consignment.total is None:
        number = consignment.lines[missing[0]].number
        raise UnassessableError(f"line {number} has no value, and neither has the whole")
    rest = max(EXACT.subtract(changer.home(consignment.total), sum(found, ZERO)), ZERO)
    for at, part in zip(missing, share(rest, [ZERO] * len(missing), tables.unit), strict=True):
        found[at] = part
    return found
