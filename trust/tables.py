"""Reading TOML tables into Structs, so that every mistake is found in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from trust.mistakes import Mistake

T = TypeVar("T", bound=msgspec.Struct)
Report = Callable[[str, str], None]


def reporter(mistakes: list[Mistake]) -> Report:
    """A function that adds to the list."""
    return lambda path, detail: mistakes.append(Mistake(path, detail))


def tables(parent: Mapping[str, Any], key: str, path: str, report: Report) -> list[dict[str, Any]]:
    """The array of tables under ``key``; reported and empty if it is anything else."""
    found = parent.get(key, [])
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    report(f"{path}{key}", f"write [[{path}{key}]]")
    return []


def read_table(
    raw: Mapping[str, Any],
    row: type[T],
    path: str,
    report: Report,
    *,
    beside: Sequence[str] = (),
) -> T | None:
    """The table as a Struct, or ``None`` after each unknown, missing or wrong key was reported.

    ``beside`` are keys of the same table that somebody else reads.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(row)}
    good = True
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in fields:
            if key not in beside:
                known = ", ".join(sorted([*fields, *beside]))
                report(f"{path}.{key}", f"unknown key; known are {known}")
                good = False
            continue
        try:
            values[fields[key].name] = msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError as error:
            report(f"{path}.{key}", str(error).removesuffix(" - at `$`"))
            good = False
    for key, field in fields.items():
        if field.required and key not in raw:
            report(f"{path}.{key}", "missing")
            good = False
    return row(**values) if good else None
