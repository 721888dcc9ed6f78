"""Hypothesis strategies for canonical values, made from the shapes of ``translators.model``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from translators.canonical import KINDS, Header, Interchange, Message
from translators.model import Form, Shape, describe

ANY_CHARACTER: st.SearchStrategy[str] = st.characters(codec="utf-8")
MAX_ENTRIES = 2
MAX_OPTIONAL = 6


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    """Decimals at the edges of what the gate allows, trailing zeros and minus zero included."""
    whole = draw(st.integers(min_value=0, max_value=10**16 - 1))
    digits = draw(st.integers(min_value=0, max_value=6))
    fraction = draw(st.integers(min_value=0, max_value=10**digits - 1)) if digits else 0
    text = f"{whole}.{fraction:0{digits}}" if digits else str(whole)
    return Decimal(draw(st.sampled_from(["", "-"])) + text)


def instants() -> st.SearchStrategy[datetime]:
    """Instants with offsets of whole minutes."""
    zones = st.integers(min_value=-14 * 60, max_value=14 * 60).map(
        lambda minutes: timezone(timedelta(minutes=minutes))
    )
    return st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001 - the strategy adds the zone


def values(shape: Shape, characters: st.SearchStrategy[str] = ANY_CHARACTER) -> Any:
    """A strategy for what may stand at a path: canonical values, objects as Structs."""
    match shape.form:
        case Form.TEXT:
            return _texts(shape, characters)
        case Form.INTEGER:
            return st.integers(min_value=shape.minimum, max_value=shape.maximum)
        case Form.BOOLEAN:
            return st.booleans()
        case Form.DECIMAL:
            return decimals()
        case Form.DATE:
            return st.dates()
        case Form.INSTANT:
            return instants()
        case Form.BYTES:
            return st.binary(max_size=40)
        case Form.OBJECT:
            assert shape.struct is not None
            return structs(shape.struct, characters)
        case Form.LIST:
            assert shape.item is not None
            least = shape.min_length or 0
            entry = values(shape.item, characters)
            return st.lists(entry, min_size=least, max_size=least + MAX_ENTRIES).map(tuple)
        case Form.MAP:
            assert shape.item is not None
            assert shape.names is not None
            names, item = values(shape.names, characters), values(shape.item, characters)
            return st.dictionaries(names, item, max_size=MAX_ENTRIES)


def _texts(shape: Shape, characters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    if shape.pattern is not None:
        return st.from_regex(shape.pattern, fullmatch=True)
    most = shape.max_length or 100
    short = st.text(characters, min_size=shape.min_length or 0, max_size=min(most, 12))
    return st.one_of(short, short, st.just("ü" * most))


@cache
def structs(
    struct: type[msgspec.Struct], characters: st.SearchStrategy[str] = ANY_CHARACTER
) -> st.SearchStrategy[Any]:
    """Structs of a type: everything required and some of the rest."""
    fields = describe(struct).fields
    required = {f.name: values(f.shape, characters) for f in fields if f.required}
    optional = {f.name: values(f.shape, characters) for f in fields if not f.required}

    @st.composite
    def build(draw: st.DrawFn) -> msgspec.Struct:
        chosen = dict(required)
        if optional:
            names = st.lists(st.sampled_from(sorted(optional)), max_size=MAX_OPTIONAL, unique=True)
            chosen |= {name: optional[name] for name in draw(names)}
        return struct(**{name: draw(strategy) for name, strategy in chosen.items()})

    return build()


def messages(
    kind: str | None = None, characters: st.SearchStrategy[str] = ANY_CHARACTER
) -> st.SearchStrategy[Message]:
    """Messages of one kind, or of any."""
    if kind is not None:
        return structs(KINDS[kind], characters)
    return st.sampled_from(sorted(KINDS)).flatmap(lambda name: messages(name, characters))


def headers(characters: st.SearchStrategy[str] = ANY_CHARACTER) -> st.SearchStrategy[Header]:
    """Headers of interchanges."""
    return structs(Header, characters)


def interchanges(
    kind: str | None = None, characters: st.SearchStrategy[str] = ANY_CHARACTER
) -> st.SearchStrategy[Interchange]:
    """Interchanges of a few messages."""
    return st.builds(
        Interchange,
        header=headers(characters),
        messages=st.lists(messages(kind, characters), max_size=MAX_ENTRIES).map(tuple),
    )
