"""Reading tables: TOML for the frame, CSV for rates; every mistake with its file and place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, toml

from backends.revenue.rates import (
    decimal_places,
    duty_rate,
    plain_decimal,
    quotation,
    read_rates,
    reason_of,
    vat_rate,
)
from backends.revenue.tariff import Period, Scheme, Tables
from backends.service.configuration import ConfigurationError
from trust.mistakes import Mistake
from trust.tables import Report, read_table, reporter, tables

T = TypeVar("T")
Row = Mapping[str, str]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]

MAX_RATE = Decimal(1000)
_SECTIONS = ("table", "period", "groups", "duty", "vat", "rate")


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    version: Annotated[str, Meta(min_length=1, max_length=35)]
    jurisdiction: Country
    currency: Currency
    countries: tuple[Country, ...] = ()
    title: str = ""
    source: str = ""
    as_of: date | None = None
    example: bool = False
    duties: str | None = None
    vats: str | None = None
    rates: str | None = None
    rounding: str | None = None
    """Smallest amount charged, when it is not the currency's minor unit, as "0.05"."""


class _PeriodRow(msgspec.Struct, frozen=True, kw_only=True):
    """As :class:`Period`; amounts and rates are texts, so that they are exact."""

    valid_from: date
    standard_vat: str
    fallback_duty: str
    valid_to: date | None = None
    valuation: Annotated[str, Meta(pattern=r"^(cif|fob)\Z")] = "cif"
    duty_free_up_to: str | None = None
    vat_free_up_to: str | None = None
    gift_free_up_to: str | None = None
    flat_duty: str | None = None
    returned_goods: bool = True
    handling_fee: str = "0"
    account_methods: tuple[str, ...] = ()


class _SchemeRow(msgspec.Struct, frozen=True, kw_only=True):
    names: Annotated[tuple[str, ...], Meta(min_length=1)]
    limit: str
    currency: Currency
    relief: Annotated[str, Meta(min_length=1, max_length=35)]


def read_tables(path: Path) -> Tables:
    """The tables that a TOML file and the CSV files beside it describe.

    Raises :class:`ConfigurationError` with every mistake.
    """
    mistakes: list[Mistake] = []
    report = reporter(mistakes)
    try:
        document = toml.decode(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(str(path), [Mistake("", reason_of(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), [Mistake("", f"not TOML: {error}")]) from error
    found = _tables(document, path.parent, report)
    if mistakes or found is None:
        raise ConfigurationError(str(path), mistakes)
    return found


def _tables(document: Mapping[str, Any], folder: Path, report: Report) -> Tables | None:
    for name in document.keys() - set(_SECTIONS):
        report(name, f"unknown section; known are {', '.join(_SECTIONS)}")
    head = read_table(document.get("table", {}), _Head, "table", report)
    periods = [
        _period(raw, f"period[{at}]", report)
        for at, raw in enumerate(tables(document, "period", "", report))
    ]
    groups = _groups(document.get("groups", {}), report)
    if head is None or any(period is None for period in periods):
        return None
    dated = [period for period in periods if period is not None]
    if not dated:
        report("period", "there is none: nothing could be assessed")
    _check_overlap(dated, lambda _: "period", report)
    known_groups = {"*", *groups.values()}
    read = partial(read_rates, document, folder, report)
    duties = read("duty", "duties", head.duties, lambda row: duty_rate(row, known_groups))
    vats = read("vat", "vats", head.vats, vat_rate)
    quotations = read("rate", "rates", head.rates, quotation)
    _check_overlap(duties, lambda d: f"{d.prefix} {d.group}", report)
    _check_overlap(vats, lambda v: v.prefix, report)
    _check_overlap(quotations, lambda q: q.currency, report)
    unit = _unit(head, report)
    return Tables(
        version=head.version,
        jurisdiction=head.jurisdiction,
        currency=head.currency,
        countries=frozenset(head.countries or (head.jurisdiction,)),
        unit=unit,
        periods=tuple(dated),
        groups=groups,
        duties=_grouped(duties, lambda duty: (duty.prefix, duty.group)),
        vats=_grouped(vats, lambda vat: vat.prefix),
        quotations=_grouped(quotations, lambda quotation: quotation.currency),
    )


def _period(raw: Mapping[str, Any], path: str, report: Report) -> Period | None:
    row = read_table(raw, _PeriodRow, path, report, beside=("scheme",))
    rows = [
        (at, read_table(one, _SchemeRow, f"{path}.scheme[{at}]", report))
        for at, one in enumerate(tables(raw, "scheme", f"{path}.", report))
    ]
    schemes = [
        Scheme(
            names=one.names,
            limit=_decimal(one.limit, f"{path}.scheme[{at}].limit", report),
            currency=one.currency,
            relief=one.relief,
        )
        for at, one in rows
        if one is not None
    ]
    if row is None or len(schemes) != len(rows):
        return None

    def amount(name: str) -> Decimal:
        return _decimal(getattr(row, name), f"{path}.{name}", report)

    def limit(name: str) -> Decimal | None:
        return None if getattr(row, name) is None else amount(name)

    return Period(
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        valuation="fob" if row.valuation == "fob" else "cif",
        duty_free_up_to=limit("duty_free_up_to"),
        vat_free_up_to=limit("vat_free_up_to"),
        gift_free_up_to=limit("gift_free_up_to"),
        flat_duty=limit("flat_duty"),
        returned_goods=row.returned_goods,
        standard_vat=amount("standard_vat"),
        fallback_duty=amount("fallback_duty"),
        handling_fee=amount("handling_fee"),
        schemes=tuple(schemes),
        account_methods=row.account_methods,
    )


def _groups(raw: object, report: Report) -> dict[str, str]:
    """Group by country, from lists of countries by group."""
    try:
        lists = msgspec.convert(raw, dict[str, tuple[Country, ...]])
    except msgspec.ValidationError as error:
        report("groups", str(error))
        return {}
    found: dict[str, str] = {}
    for name, countries in lists.items():
        for country in countries:
            if country in found:
                report(f"groups.{name}", f"{country} is in {found[country]} already")
            found[country] = name
    return found


def _decimal(text: str, path: str, report: Report) -> Decimal:
    try:
        number = plain_decimal(text)
    except (ValueError, InvalidOperation):
        report(path, 'write a number as text, as "150.00"')
        return Decimal(0)
    if number < 0:
        report(path, "must not be negative")
    return number


def _check_overlap(rows: Iterable[Any], key: Callable[[Any], str], report: Report) -> None:
    ordered = sorted(rows, key=lambda row: (key(row), row.valid_from))
    for before, after in pairwise(ordered):
        same = key(before) == key(after)
        if same and (before.valid_to is None or before.valid_to >= after.valid_from):
            report(key(after), f"the rows from {before.valid_from} and {after.valid_from} overlap")


def _grouped(rows: Iterable[T], key: Callable[[T], Any]) -> dict[Any, tuple[T, ...]]:
    found: dict[Any, list[T]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return {name: tuple(group) for name, group in found.items()}


def _unit(head: _Head, report: Report) -> Decimal:
    if head.rounding is not None:
        unit = _decimal(head.rounding, "table.rounding", report)
        if unit <= 0:
            report("table.rounding", "must be more than zero")
        return unit
    return Decimal(1).scaleb(-decimal_places(head.currency))
