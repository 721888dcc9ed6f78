"""Drafts made to look like messages: what was read of a message whose form is wrong.

A draft is a mapping of plain values of any type. What is usable in it stands where the model has
it; everything else is absent, so that rules are written once and never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from types import SimpleNamespace
from typing import Any

from msgspec import Struct, inspect

from translators.canonical import KINDS

Fit = Callable[[Any], Any]
"""From a value of any type to one that the model could hold, or to nothing."""


def partial(kind: str | None, draft: object) -> Any:
    """What can be used of a draft of this kind, with every field of it; ``None`` if none can."""
    type_ = KINDS.get(kind) if isinstance(kind, str) else None
    return None if type_ is None else _struct(type_)(draft)


@cache
def _struct(type_: type[Struct]) -> Fit:
    # Fields are looked at when the first draft comes: no draft, no cost.
    fits: dict[str, Fit] = {}

    def fit(value: Any) -> Any:
        if not fits:
            info = inspect.type_info(type_)
            assert isinstance(info, inspect.StructType)
            fits.update({field.encode_name: _fit(field.type) for field in info.fields})
        read = value if isinstance(value, Mapping) else {}
        return SimpleNamespace(**{name: kept(read.get(name)) for name, kept in fits.items()})

    return fit


def _fit(info: inspect.Type) -> Fit:
    if isinstance(info, inspect.UnionType):
        some = [part for part in info.types if not isinstance(part, inspect.NoneType)]
        return _optional(_fit(some[0])) if len(some) == 1 else _nothing
    if isinstance(info, inspect.Metadata):
        return _fit(info.type)
    if isinstance(info, inspect.StructType):
        return _struct(info.cls)
    if isinstance(info, inspect.VarTupleType):
        return _entries(_fit(info.item_type))
    return _PLAIN.get(type(info), _nothing)


def _optional(fit: Fit) -> Fit:
    return lambda value: None if value is None else fit(value)


def _entries(fit: Fit) -> Fit:
    """Every entry keeps its place, also one that can not be used."""
    return lambda value: tuple(map(fit, value)) if isinstance(value, tuple | list) else ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _nothing(_: Any) -> None:
    return None


_PLAIN: dict[type[inspect.Type], Fit] = {
    inspect.StrType: _text,
    inspect.LiteralType: _text,
    inspect.DecimalType: _number,
    inspect.IntType: _whole,
}
