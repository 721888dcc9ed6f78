"""Conditions of rules: a small, closed set of operators on canonical paths, compiled once.

A condition is a table. Either it combines others (``all``, ``any``, ``not``), or it looks at the
entries of a list one by one (``some`` with ``where``, whose paths are relative to the entry), or
it is ``missing`` (a path without a value), ``routes`` (pairs of origin and destination, ``*`` for
any), or a ``path`` with one or more operators that must hold for one and the same value there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from types import MappingProxyType
from typing import Any

import msgspec

from backends.risk.features import Features
from backends.risk.operators import OPERATORS, Test
from backends.risk.places import resolve, steps_of
from translators.model import Form, Shape, find_field_type
from trust.tables import Report

MAX_DEPTH = 8
MAX_POINTERS = 20
"""Places that one condition points to."""


class Scope(msgspec.Struct, frozen=True):
    """What a condition looks at: a message or a part of it, its path, and the whole's features."""

    value: Any
    path: str
    features: Features


Found = tuple[str, ...] | None
"""Where a condition holds (pointers, perhaps none), or ``None`` where it does not."""
Condition = Callable[[Scope], Found]


def compile_condition(
    raw: object, shapes: tuple[Shape, ...], path: str, report: Report, depth: int = 0
) -> Condition | None:
    """The condition of a TOML table; ``None`` after every mistake was reported.

    ``shapes`` are those of the messages (or parts) that it will see: its paths exist in each.
    """
    if not isinstance(raw, Mapping) or not raw:
        report(path, 'a condition is a table, as { path = "/nature", equals = "gift" }')
        return None
    if depth > MAX_DEPTH:
        report(path, f"nested deeper than {MAX_DEPTH}")
        return None
    for name, compile_one in _COMBINATIONS.items():
        if name in raw:
            _alone(raw, path, report, name, *(("where",) if name == "some" else ()))
            return compile_one(raw, shapes, path, report, depth)
    return _compile_test(raw, shapes, path, report)


def _alone(raw: Mapping[str, Any], path: str, report: Report, *names: str) -> None:
    for name in raw.keys() - set(names):
        report(f"{path}.{name}", f"does not stand beside {names[0]}")


def _compile_list(
    raw: Mapping[str, Any],
    name: str,
    shapes: tuple[Shape, ...],
    path: str,
    report: Report,
    depth: int,
) -> list[Condition] | None:
    entries = raw[name]
    if not isinstance(entries, list) or not entries:
        report(f"{path}.{name}", "must be a list of conditions that is not empty")
        return None
    found = [
        compile_condition(entry, shapes, f"{path}.{name}[{at}]", report, depth + 1)
        for at, entry in enumerate(entries)
    ]
    good = [condition for condition in found if condition is not None]
    return good if len(good) == len(found) else None


def _compile_all(
    raw: Mapping[str, Any], shapes: tuple[Shape, ...], path: str, report: Report, depth: int
) -> Condition | None:
    parts = _compile_list(raw, "all", shapes, path, report, depth)
    if parts is None:
        return None

    def holds(scope: Scope) -> Found:
        pointers: list[str] = []
        for part in parts:
            found = part(scope)
            if found is None:
                return None
            pointers += found
        return tuple(dict.fromkeys(pointers))[:MAX_POINTERS]

    return holds


def _compile_any(
    raw: Mapping[str, Any], shapes: tuple[Shape, ...], path: str, report: Report, depth: int
) -> Condition | None:
    parts = _compile_list(raw, "any", shapes, path, report, depth)
    if parts is None:
        return None

    def holds(scope: Scope) -> Found:
        found = [pointers for part in parts if (pointers := part(scope)) is not None]
        if not found:
            return None
        return tuple(dict.fromkeys(p for pointers in found for p in pointers))[:MAX_POINTERS]

    return holds


def _compile_not(
    raw: Mapping[str, Any], shapes: tuple[Shape, ...], path: str, report: Report, depth: int
) -> Condition | None:
    part = compile_condition(raw["not"], shapes, f"{path}.not", report, depth + 1)
    if part is None:
        return None
    return lambda scope: () if part(scope) is None else None


def _compile_some(
    raw: Mapping[str, Any], shapes: tuple[Shape, ...], path: str, report: Report, depth: int
) -> Condition | None:
    found = _shapes_at(raw["some"], shapes, f"{path}.some", report)
    if found is None:
        return None
    below = tuple(shape.item for shape in found if shape.item is not None)
    if len(below) != len(found):
        report(f"{path}.some", "is not a list")
        return None
    part = compile_condition(raw.get("where"), below, f"{path}.where", report, depth + 1)
    if part is None:
        return None
    steps = steps_of(raw["some"])

    def holds(scope: Scope) -> Found:
        for where, entries in resolve(scope.value, steps, scope.path):
            for at, entry in enumerate(entries or ()):
                pointers = part(Scope(entry, f"{where}/{at}", scope.features))
                if pointers is not None:
                    return pointers or (f"{where}/{at}",)
        return None

    return holds


def _compile_missing(
    raw: Mapping[str, Any], shapes: tuple[Shape, ...], path: str, report: Report, _depth: int
) -> Condition | None:
    if _shapes_at(raw["missing"], shapes, f"{path}.missing", report) is None:
        return None
    steps = steps_of(raw["missing"])

    def holds(scope: Scope) -> Found:
        """True for a list of which one entry lacks it, and for a value that is not there."""
        absent = tuple(
            where
            for where, value in resolve(scope.value, steps, scope.path, missing=True)
            if value is None or value in ((), "", {})
        )
        return absent[:MAX_POINTERS] or None

    return holds


def _compile_routes(
    raw: Mapping[str, Any], _shapes: tuple[Shape, ...], path: str, report: Report, _depth: int
) -> Condition | None:
    try:
        pairs = msgspec.convert(raw["routes"], tuple[tuple[str, str], ...])
    except msgspec.ValidationError:
        pairs = ()
    if not pairs:
        report(f"{path}.routes", 'must be pairs of countries, as [["CN", "*"]]')
        return None

    def holds(scope: Scope) -> Found:
        here = (scope.features.origin, scope.features.destination)
        good = any(
            all(wanted in ("*", there) for wanted, there in zip(pair, here, strict=True))
            for pair in pairs
        )
        return () if good else None

    return holds


_COMBINATIONS: Mapping[str, Callable[..., Condition | None]] = MappingProxyType(
    {
        "all": _compile_all,
        "any": _compile_any,
        "not": _compile_not,
        "some": _compile_some,
        "missing": _compile_missing,
        "routes": _compile_routes,
    }
)


def _compile_test(
    raw: Mapping[str, Any], shapes: tuple[Shape, ...], path: str, report: Report
) -> Condition | None:
    names = [name for name in raw if name != "path"]
    for name in names:
        if name not in OPERATORS:
            known = ", ".join(sorted([*OPERATORS, *_COMBINATIONS, "path"]))
            report(f"{path}.{name}", f"unknown; known are {known}")
    if "path" not in raw or not names:
        report(path, "needs a path and an operator")
        return None
    found = _shapes_at(raw["path"], shapes, f"{path}.path", report)
    if found is None or any(name not in OPERATORS for name in names):
        return None
    if any(shape.form in (Form.OBJECT, Form.LIST, Form.MAP) for shape in found):
        report(f"{path}.path", "has no single value: go on to one of its fields")
        return None
    tests: list[Test] = []
    for name in names:
        try:
            tests.append(OPERATORS[name](raw[name]))
        except (ValueError, TypeError, InvalidOperation) as error:
            report(f"{path}.{name}", str(error) or "not a number")
    if len(tests) != len(names):
        return None
    steps = steps_of(raw["path"])

    def holds(scope: Scope) -> Found:
        places = tuple(
            where
            for where, value in resolve(scope.value, steps, scope.path)
            if all(test(value) for test in tests)
        )
        return places[:MAX_POINTERS] or None

    return holds


def _shapes_at(
    pointer: object, shapes: tuple[Shape, ...], path: str, report: Report
) -> tuple[Shape, ...] | None:
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        report(path, "must be a path, as /pieces/*/hs")
        return None
    found = [find_field_type(shape, pointer) for shape in shapes]
    if any(shape is None for shape in found):
        report(path, f"{pointer} is no path of every kind that this rule is for")
        return None
    return tuple(shape for shape in found if shape is not None)
