"""Reading tables: TOML for the frame, CSV for rates; every mistake with its file and place."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, toml

from backends.revenue.tariff import DutyRate, Period, Quotation, Scheme, Tables, VatRate
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
        raise ConfigurationError(str(path), [Mistake("", _reason(error))]) from error
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
    read = partial(_rates, document, folder, report)
    duties = read("duty", "duties", head.duties, lambda row: _duty(row, known_groups))
    vats = read("vat", "vats", head.vats, _vat)
    quotations = read("rate", "rates", head.rates, _quotation)
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


def _rates(
    document: Mapping[str, Any],
    folder: Path,
    report: Report,
    section: str,
    key: str,
    name: str | None,
    make: Callable[[Row], T],
) -> list[T]:
    """The rows of ``[[section]]`` and those of the CSV file that ``table.key`` names."""
    rows: list[T] = []
    for place, row in (
        *_written(document, section, report),
        *_filed(folder, name, f"table.{key}", report),
    ):
        try:
            rows.append(make(row))
        except (KeyError, ValueError, InvalidOperation) as error:
            detail = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            report(place, detail or "not a number")
    return rows


def _written(
    document: Mapping[str, Any], section: str, report: Report
) -> Iterator[tuple[str, Row]]:
    for at, raw in enumerate(tables(document, section, "", report)):
        row = {key: str(value) for key, value in raw.items()}
        yield f"{section}[{at}]", {"group": "", "valid_to": "", **row}


def _filed(folder: Path, name: str | None, path: str, report: Report) -> Iterator[tuple[str, Row]]:
    """The rows of a CSV file; lines that begin with # are comments."""
    if name is None:
        return
    try:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        report(path, f"{folder / name}: {_reason(error)}")
        return
    for number, row in _records(lines):
        yield f"{path}: {name} line {number}", row


def _records(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    reader = csv.DictReader([line for _, line in kept], restkey="", restval="")
    for (number, _), row in zip(kept[1:], reader, strict=True):
        yield number, {key: str(value).strip() for key, value in row.items()}


def _duty(row: Row, groups: set[str]) -> DutyRate:
    group = row["group"] or "*"
    if group not in groups:
        raise ValueError(f"there is no group {group!r}")
    return DutyRate(
        prefix=_prefix(row["prefix"]),
        group=group,
        rate=_rate(row["rate"]),
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=_end(row),
    )


def _vat(row: Row) -> VatRate:
    return VatRate(
        prefix=_prefix(row["prefix"]),
        rate=_rate(row["rate"]),
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=_end(row),
    )


def _quotation(row: Row) -> Quotation:
    currency = row["currency"]
    if not (len(currency) == 3 and currency.isalpha() and currency.isupper()):
        raise ValueError("currency: three capital letters are expected")
    units = _plain(row["units"])
    if units <= 0:
        raise ValueError("units: must be more than zero")
    return Quotation(
        currency=currency,
        units=units,
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=_end(row),
    )


def _prefix(text: str) -> str:
    if not (text.isdecimal() and text.isascii() and 2 <= len(text) <= 10):
        raise ValueError("prefix: 2 to 10 digits are expected")
    return text


def _rate(text: str) -> Decimal:
    rate = _plain(text)
    if not 0 <= rate <= MAX_RATE:
        raise ValueError(f"rate: between 0 and {MAX_RATE} is expected")
    return rate


def _end(row: Row) -> date | None:
    end = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    if end is not None and end < date.fromisoformat(row["valid_from"]):
        raise ValueError("valid_to: ends before it begins")
    return end


def _plain(text: str) -> Decimal:
    """A finite decimal of at most six places, as messages can carry it."""
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -6 <= exponent <= 0 or number.adjusted() > 15:
        raise ValueError(f"{text}: at most 16 digits and six decimal places are expected")
    return number


def _decimal(text: str, path: str, report: Report) -> Decimal:
    try:
        number = _plain(text)
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


def decimal_places(currency: str) -> int:
    """How many decimal places a currency has (ISO 4217)."""
    text = resources.files("backends.revenue").joinpath("currencies.csv").read_text("utf-8")
    places = {row["currency"]: int(row["places"]) for _, row in _records(text.splitlines())}
    return places.get(currency, 2)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
