"""The tables that made-up messages are drawn from: places with their names, and goods."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import product
from typing import TypeVar

import msgspec
from msgspec import toml

Pair = tuple[str, str]
"""A name as written, and in Latin letters."""

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One country: how its people and firms are called and where they live.

    ``family_first`` says in which order a whole name is written, ``joined`` that without a blank.
    Of ``cities``, each is a name, a region or nothing, and the pattern of its postcodes.
    """

    code: str
    script: str
    currency: str
    telephone: str
    given: tuple[Pair, ...]
    family: tuple[Pair, ...]
    firms: tuple[Pair, ...]
    cities: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    family_first: bool = False
    joined: bool = False


class Good(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of goods. Bounds are of one piece: kilograms and euro; ``pieces``: of one line."""

    hs: str
    texts: tuple[str, ...]
    kg: tuple[Decimal, Decimal]
    eur: tuple[Decimal, Decimal]
    pieces: tuple[int, int]
    origins: tuple[str, ...]


class Currency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one euro is worth, roughly, and how many decimals the currency has."""

    per_euro: Decimal
    decimals: int


@cache
def places() -> dict[str, Place]:
    """Every country of the table by its code."""
    return {place.code: place for place in _table("places.toml", "country", tuple[Place, ...])}


@cache
def goods() -> tuple[Good, ...]:
    """Every kind of goods of the table."""
    return _table("goods.toml", "good", tuple[Good, ...])


@cache
def currencies() -> dict[str, Currency]:
    """Every currency that a place of the table uses."""
    return _table("currencies.toml", "currency", dict[str, Currency])


@cache
def latin() -> dict[str, str]:
    """For every name of a firm or person that is not written in Latin letters: it in them."""
    return {
        native: plain
        for place in places().values()
        if place.script != "Latin"
        for native, plain in (*place.firms, *_people(place))
    }


def whole(place: Place, given: str, family: str) -> str:
    """Both names in the order in which the country writes them."""
    parts = (family, given) if place.family_first else (given, family)
    return ("" if place.joined else " ").join(parts)


def _people(place: Place) -> Iterator[Pair]:
    for given, family in product(place.given, place.family):
        yield whole(place, given[0], family[0]), f"{given[1]} {family[1]}"


def _table(file: str, name: str, type_: type[T]) -> T:
    text = resources.files("gateway.demo.generator").joinpath("data", file).read_text("utf-8")
    return msgspec.convert(toml.decode(text)[name], type_, strict=False)
