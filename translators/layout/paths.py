"""Canonical paths of layouts, followed through the described model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from translators.layout.grammar import Each, Field, Index, Match, Part
from translators.model import Form, Shape


class PathError(ValueError):
    """A path that the model does not have, or that is not what a line takes it for."""


def walk(start: Shape, parts: tuple[Part, ...]) -> tuple[Shape, str]:
    """Follow a path; gives the shape there and its pointer with ``*`` for entries."""
    shape, pointer = start, ""
    for part in parts:
        if isinstance(part, Field):
            found = next((one for one in shape.fields if one.name == part.name), None)
            if found is None:
                what = shape.struct.__name__ if shape.struct else pointer or "the record"
                raise PathError(f"{what} has no field {part.name!r}")
            shape, pointer = found.shape, f"{pointer}/{part.name}"
            continue
        inner = entry(shape)
        if inner is None:
            raise PathError(f"{pointer} is no list")
        if isinstance(part, Match):
            walk(inner, (Field(part.key),))
        assert isinstance(part, Index | Match | Each)
        shape, pointer = inner, f"{pointer}/*"
    return shape, pointer


def entry(shape: Shape) -> Shape | None:
    """Shape of a list's entries, ``None`` when it is no list."""
    return shape.item if shape.form is Form.LIST else None


def is_leaf(shape: Shape) -> bool:
    """True for single values."""
    return shape.form not in (Form.OBJECT, Form.LIST, Form.MAP)


def opened(touched: Iterable[str]) -> frozenset[str]:
    """Every pointer that is touched or has something below it that is."""
    found: set[str] = set()
    for pointer in touched:
        while pointer and pointer not in found:
            found.add(pointer)
            pointer = pointer.rpartition("/")[0]
    return frozenset(found)


def missing(shape: Shape, touched: Iterable[str]) -> tuple[str, ...]:
    """Required fields that nothing touches, in records of which something is touched."""
    return tuple(_missing(shape, opened(touched), ""))


def _missing(shape: Shape, opened: frozenset[str], pointer: str) -> Iterator[str]:
    if shape.form is Form.LIST and shape.item is not None:
        yield from _missing(shape.item, opened, f"{pointer}/*")
        return
    for field in shape.fields:
        here = f"{pointer}/{field.name}"
        if here in opened:
            yield from _missing(field.shape, opened, here)
        elif field.required:
            yield here


def drops(leaves: list[str], touched: set[str]) -> frozenset[str]:
    """Leaves without a line, gathered into the highest pointers that lose everything."""
    kept = opened(pointer for pointer in leaves if pointer in touched)
    gathered: set[str] = set()
    for pointer in leaves:
        if pointer in touched:
            continue
        steps = pointer.split("/")
        prefixes = ("/".join(steps[:count]) for count in range(2, len(steps) + 1))
        gathered.add(next(prefix for prefix in prefixes if prefix not in kept))
    return frozenset(gathered)
