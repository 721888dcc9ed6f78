"""Rates of tables: rows of TOML or CSV, each mistake with its file and line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from backends.revenue.tariff import DutyRate, Quotation, VatRate
from trust.tables import Report, tables

T = TypeVar("T")
Row = Mapping[str, str]

MAX_RATE = Decimal(1000)


def read_rates(
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
        report(path, f"{folder / name}: {reason_of(error)}")
        return
    for number, row in _records(lines):
        yield f"{path}: {name} line {number}", row


def _records(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    reader = csv.DictReader([line for _, line in kept], restkey="", restval="")
    for (number, _), row in zip(kept[1:], reader, strict=True):
        yield number, {key: str(value).strip() for key, value in row.items()}


def duty_rate(row: Row, groups: set[str]) -> DutyRate:
    """A row of ``[[duty]]``; raises ``KeyError`` or ``ValueError``, as its neighbours do."""
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


def vat_rate(row: Row) -> VatRate:
    """A row of ``[[vat]]``."""
    return VatRate(
        prefix=_prefix(row["prefix"]),
        rate=_rate(row["rate"]),
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=_end(row),
    )


def quotation(row: Row) -> Quotation:
    """A row of ``[[rate]]``: units of the currency for one of the table's own."""
    currency = row["currency"]
    if not (len(currency) == 3 and currency.isalpha() and currency.isupper()):
        raise ValueError("currency: three capital letters are expected")
    units = plain_decimal(row["units"])
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
    rate = plain_decimal(text)
    if not 0 <= rate <= MAX_RATE:
        raise ValueError(f"rate: between 0 and {MAX_RATE} is expected")
    return rate


def _end(row: Row) -> date | None:
    end = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    if end is not None and end < date.fromisoformat(row["valid_from"]):
        raise ValueError("valid_to: ends before it begins")
    return end


def plain_decimal(text: str) -> Decimal:
    """A finite decimal of at most six places, as messages can carry it."""
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -6 <= exponent <= 0 or number.adjusted() > 15:
        raise ValueError(f"{text}: at most 16 digits and six decimal places are expected")
    return number


def decimal_places(currency: str) -> int:
    """How many decimal places a currency has (ISO 4217)."""
    text = resources.files("backends.revenue").joinpath("currencies.csv").read_text("utf-8")
    places = {row["currency"]: int(row["places"]) for _, row in _records(text.splitlines())}
    return places.get(currency, 2)


def reason_of(error: Exception) -> str:
    """What an error of a file says."""
    return getattr(error, "strerror", None) or str(error)
