"""Paths followed through canonical Structs, for writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from translators.layout.grammar import Each, Field, Index, Match, Part, Path
from translators.pointer import child


@dataclass(eq=False, slots=True)
class Source:
    """A canonical record that is being written."""

    value: Any
    pointer: str = ""
    above: Source | None = None
    position: int = 1


def shown(path: Path) -> str:
    """The pointer of a path below its record, ``*`` for entries that are not known."""
    steps = [
        part.name
        if isinstance(part, Field)
        else str(part.number)
        if isinstance(part, Index)
        else "*"
        for part in path.parts
    ]
    return "".join(f"/{step}" for step in steps)


def position(entries: Any, part: Part) -> int | None:
    """Which entry ``[n]`` or ``[k=v]`` picks."""
    if isinstance(part, Index):
        return part.number if part.number < len(entries) else None
    assert isinstance(part, Match)
    for at, one in enumerate(entries):
        if getattr(one, part.key) == part.value:
            return at
    return None


def spread(value: Any, pointer: str, parts: tuple[Part, ...]) -> Iterator[tuple[str, Any]]:
    """Every value that a path leads to; a path without ``[]`` leads to one."""
    if value is None:
        return
    if not parts:
        yield pointer, value
        return
    part, *rest = parts
    if isinstance(part, Each):
        for at, one in enumerate(value):
            yield from spread(one, child(pointer, at), tuple(rest))
    elif isinstance(part, Field):
        below = getattr(value, part.name)
        if not rest:
            yield child(pointer, part.name), below
        else:
            yield from spread(below, child(pointer, part.name), tuple(rest))
    else:
        found = position(value, part)
        if found is not None:
            yield from spread(value[found], child(pointer, found), tuple(rest))


def claimed(claim: Path, path: Path, entries: list[tuple[int, Any]]) -> list[int]:
    """Positions in the list at ``path`` that a claim picks."""
    size = len(path.parts)
    if claim.parts[:size] != path.parts or len(claim.parts) <= size:
        return []
    part = claim.parts[size]
    if isinstance(part, Index | Match):
        at = position([one for _, one in entries], part)
        return [] if at is None else [at]
    return []
