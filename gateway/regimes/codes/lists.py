"""Code lists as values. Files of the user are read elsewhere and parsed here."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec
import pycountry

EXTRA_COUNTRIES = frozenset({"EU", "XI", "XK", "XZ"})
"""User-assigned codes in daily use: EU, Northern Ireland, Kosovo, high seas."""
EXTRA_CURRENCIES = frozenset({"CNH"})
_SEPARATOR = re.compile(r"[;,\t]")


class CodeList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of the user's own for some places of the canonical model (``Type.field``).

    What is not in it is the fault ``list.<name>``, a warning unless the configuration says more.
    """

    name: str
    places: tuple[str, ...]
    codes: frozenset[str]


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """The lists that come from the user; an absent one is not judged by, or ours is used."""

    impc: frozenset[str] | None = None
    operators: frozenset[str] | None = None
    hs: frozenset[str] | None = None
    """Subheadings of six digits, such as ``610910``."""
    countries: frozenset[str] | None = None
    """In place of ISO 3166-1."""
    currencies: frozenset[str] | None = None
    """In place of ISO 4217."""
    lists: tuple[CodeList, ...] = ()


def parse_list(text: str) -> frozenset[str]:
    """The codes of a list: the first column of each line; ``#`` begins a comment.

    Columns end with a comma, semicolon or tab. A first line that says ``code`` is a heading.
    Raises ``ValueError`` when there is no code at all.
    """
    lines = [line.strip().lstrip("\ufeff") for line in text.splitlines()]
    rows = [_SEPARATOR.split(line)[0].strip(' "') for line in lines if line and line[0] != "#"]
    if rows and rows[0].casefold() == "code":
        rows = rows[1:]
    codes = frozenset(row for row in rows if row)
    if not codes:
        raise ValueError("there is no code in it")
    return codes


@lru_cache(maxsize=1)
def iso_countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2, with user-assigned codes in daily use."""
    return frozenset(country.alpha_2 for country in pycountry.countries) | EXTRA_COUNTRIES


@lru_cache(maxsize=1)
def iso_currencies() -> frozenset[str]:
    """ISO 4217 alphabetic codes."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies) | EXTRA_CURRENCIES


def packaged(name: str) -> dict[str, Any]:
    """A table of this package."""
    text = resources.files("gateway.regimes.codes").joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)
