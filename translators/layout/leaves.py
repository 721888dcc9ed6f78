"""Leaves of canonical values: which are set, and the same value without some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T", bound=msgspec.Struct)
_GONE: Any = object()


def escaped(name: str) -> str:
    """A name as a step of a JSON Pointer (RFC 6901, 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Pointer and value of every leaf that is set; a value equal to its default is not."""
    found: list[tuple[str, Any]] = []
    _gather(value, pointer, found)
    return iter(found)


_SINGLE = (str, Decimal, int, bytes, date)


def _gather(value: Any, pointer: str, found: list[tuple[str, Any]]) -> None:
    # A list that is passed on costs a third of generators in generators.
    if isinstance(value, _SINGLE):
        found.append((pointer, value))
    elif isinstance(value, msgspec.Struct):
        for name, default, _ in _fields(type(value)):
            below = getattr(value, name)
            if below is not None and below != default:
                _gather(below, f"{pointer}/{name}", found)
    elif isinstance(value, tuple | list):
        for at, below in enumerate(value):
            _gather(below, f"{pointer}/{at}", found)
    elif isinstance(value, dict):
        for name, below in value.items():
            _gather(below, f"{pointer}/{escaped(name)}", found)
    else:
        found.append((pointer, value))


def without(value: _T, pointers: Iterable[str]) -> _T:
    """The same Struct without what stands at or below the pointers, where ``*`` is any entry.

    What is left empty goes too: an entry that lost all its leaves, an optional Struct that lost
    its last one, a Struct that lost a required field. Raises :class:`ValueError` when a required
    field of the message itself would have to go.
    """
    lost = frozenset(tuple(pointer.split("/")[1:]) for pointer in pointers)
    found = _without(value, (), lost)
    if found is _GONE or not isinstance(found, type(value)):
        raise ValueError("a required field would have to go")
    return found


def _without(value: Any, here: tuple[str, ...], lost: frozenset[tuple[str, ...]]) -> Any:
    if here and _hit(here, lost):
        return _GONE
    if isinstance(value, msgspec.Struct):
        return _struct(value, here, lost)
    if isinstance(value, tuple):
        entries = (_without(one, (*here, str(at)), lost) for at, one in enumerate(value))
        return tuple(one for one in entries if one is not _GONE)
    if isinstance(value, dict):
        pairs = {name: _without(one, (*here, escaped(name)), lost) for name, one in value.items()}
        return {name: one for name, one in pairs.items() if one is not _GONE}
    return value


def _struct(value: msgspec.Struct, here: tuple[str, ...], lost: frozenset[tuple[str, ...]]) -> Any:
    kept: dict[str, Any] = {}
    changed = False
    for name, _, required in _fields(type(value)):
        before = getattr(value, name)
        after = _without(before, (*here, name), lost)
        if after is _GONE:
            if required:
                return _GONE
            changed = True
            continue
        changed = changed or after is not before
        kept[name] = after
    made = type(value)(**kept)
    emptied = changed and value != made and not any(True for _ in leaves(made))
    return _GONE if emptied else made


def _hit(here: tuple[str, ...], lost: frozenset[tuple[str, ...]]) -> bool:
    return here in lost or any(
        len(one) == len(here) and all(a in ("*", b) for a, b in zip(one, here, strict=True))
        for one in lost
    )


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, Any, bool], ...]:
    """Name, default and whether it is required, of each field."""
    found = []
    for field in msgspec.structs.fields(struct):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        found.append((field.name, default, field.required))
    return tuple(found)
