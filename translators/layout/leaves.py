"""Leaves of canonical values: which are set, and the same value without some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T", bound=msgspec.Struct)
_GONE: Any = object()


def escaped(name: str) -> str:
    """A name as a step of a JSON Pointer (RFC 6901, 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Pointer and value of every leaf that is set; a value equal to its default is not."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            below = getattr(value, field.name)
            if below is not None and below != _default(field):
                yield from leaves(below, f"{pointer}/{field.name}")
    elif isinstance(value, tuple | list):
        for at, below in enumerate(value):
            yield from leaves(below, f"{pointer}/{at}")
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, f"{pointer}/{escaped(name)}")
    else:
        yield pointer, value


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
    for field in msgspec.structs.fields(value):
        before = getattr(value, field.name)
        after = _without(before, (*here, field.name), lost)
        if after is _GONE:
            if field.required:
                return _GONE
            changed = True
            continue
        changed = changed or after is not before
        kept[field.name] = after
    made = type(value)(**kept)
    emptied = changed and value != made and not any(True for _ in leaves(made))
    return _GONE if emptied else made


def _hit(here: tuple[str, ...], lost: frozenset[tuple[str, ...]]) -> bool:
    return here in lost or any(
        len(one) == len(here) and all(a in ("*", b) for a, b in zip(one, here, strict=True))
        for one in lost
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
