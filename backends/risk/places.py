"""Values at canonical paths: walking a message along a pointer, with the place of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def steps_of(pointer: str) -> tuple[str, ...]:
    """The tokens of a JSON Pointer (RFC 6901, 4)."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def resolve(
    value: Any, steps: tuple[str, ...], path: str, *, missing: bool = False
) -> Iterator[tuple[str, Any]]:
    """Every value at a path with its pointer; with ``missing`` also ``None`` where there is none.

    An absent list has no entries, so nothing is missing below it.
    """
    if not steps:
        if value is not None or missing:
            yield path, value
        return
    if value is None:
        if missing:
            yield "/".join((path, *steps)), None
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, tuple):
        for at, entry in enumerate(value):
            if step in ("*", str(at)):
                yield from resolve(entry, rest, f"{path}/{at}", missing=missing)
    elif isinstance(value, Mapping):
        names = list(value) if step == "*" else [step]
        for name in names:
            yield from resolve(value.get(name), rest, f"{path}/{name}", missing=missing)
    else:
        yield from resolve(getattr(value, step), rest, f"{path}/{step}", missing=missing)
