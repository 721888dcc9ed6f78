"""One walk over a message that brings each value to the check which the table has for its place.

The table (``codes/checks.toml``) is read once and turned into a plan for each type of the model:
only fields that are judged, or that hold something judged, are looked at. What a plan says is
compiled when the first message of a kind comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import inspect

from gateway.regimes.compiled import Finder, compiled
from gateway.regimes.steps import Check, Does, Plan, Step
from translators.canonical import KINDS
from translators.faults import Fault, Severity


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place whose check depends on the field ``by``; ``""`` stands for one that is absent."""

    by: str
    checks: dict[str, str]


class Wrong(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a fault."""

    detail: str
    severity: Severity = Severity.ERROR


class Lighter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Places at which every fault is a warning."""

    places: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``codes/checks.toml``."""

    source: str
    date: str
    skipped: tuple[str, ...]
    place: dict[str, str]
    choice: dict[str, Choice]
    warning: Lighter
    fault: dict[str, Wrong]


class Walk:
    """Finds faults by a table; made once, used for every message."""

    def __init__(
        self, table: Table, checks: Mapping[str, Check], *, lists: Sequence[tuple[str, Check]] = ()
    ) -> None:
        """``lists`` are further checks by place, beside those of the table."""
        self._table = table
        self._checks = checks
        self._lists = lists
        self._of_type: dict[type, Plan] = {}
        self._light: set[str] = set()
        self.plans = {kind: self._plan(info) for kind, info in _kinds().items()}
        """What is done with messages of each kind."""
        self._finders: dict[str, Finder] = {}

    def faults(self, kind: str, message: Any) -> list[Fault]:
        """Every fault of a message, or of a draft that looks like one (``partial``)."""
        find = self._finders.get(kind)
        if find is None:
            find = self._finders[kind] = compiled(kind, self.plans[kind])
        return [self._fault(code, path, place) for code, path, place in find(message)]

    def _fault(self, code: str, path: str, place: str) -> Fault:
        wrong = self._table.fault[code]
        severity = Severity.WARNING if place in self._light else wrong.severity
        return Fault(code=code, path=path, detail=wrong.detail, severity=severity)

    def _plan(self, info: inspect.Type) -> Plan:
        if not isinstance(info, inspect.StructType) or info.cls.__name__ in self._table.skipped:
            return ()
        if info.cls not in self._of_type:
            self._of_type[info.cls] = ()  # a type within itself would be entered once, not for ever
            self._of_type[info.cls] = tuple(self._steps(info))
        return self._of_type[info.cls]

    def _steps(self, struct: inspect.StructType) -> Iterator[Step]:
        for field in struct.fields:
            place = f"{struct.cls.__name__}.{field.encode_name}"
            if any(fnmatchcase(place, glob) for glob in self._table.warning.places):
                self._light.add(place)
            info = _required(field.type)
            many = isinstance(info, inspect.VarTupleType)
            inner = _required(info.item_type) if isinstance(info, inspect.VarTupleType) else info
            if isinstance(inner, inspect.StructType):
                plan = self._plan(inner)
                if plan:
                    does = Does.ENTER_EACH if many else Does.ENTER
                    yield does, field.encode_name, plan, None, place
                continue
            choice = self._table.choice.get(place)
            if choice is not None:
                chosen = {type_: self._checks[each] for type_, each in choice.checks.items()}
                yield Does.CHOOSE, field.encode_name, chosen, choice.by, place
            for check in self._of(place):
                does = Does.CHECK_EACH if many else Does.CHECK
                yield does, field.encode_name, check, None, place

    def _of(self, place: str) -> Iterator[Check]:
        """The check that the table has for a place, and those of lists."""
        fitting = (name for glob, name in self._table.place.items() if fnmatchcase(place, glob))
        name = next(fitting, None)
        if name is not None:
            yield self._checks[name]
        yield from (check for listed, check in self._lists if listed == place)


@cache
def _kinds() -> Mapping[str, inspect.Type]:
    """The model as data: half a second of work for what never changes."""
    return MappingProxyType(dict(zip(KINDS, inspect.multi_type_info(KINDS.values()), strict=True)))


def _required(info: inspect.Type) -> inspect.Type:
    """A type without the alternative of being absent."""
    if isinstance(info, inspect.UnionType):
        some = [part for part in info.types if not isinstance(part, inspect.NoneType)]
        return some[0] if len(some) == 1 else info
    return info


def places() -> frozenset[str]:
    """Every place of the model that holds a text, as ``Type.field``."""
    found: set[str] = set()
    seen: set[type] = set()
    waiting = [*_kinds().values()]
    while waiting:
        info = _required(waiting.pop())
        if isinstance(info, inspect.VarTupleType):
            waiting.append(info.item_type)
        elif isinstance(info, inspect.StructType) and info.cls not in seen:
            seen.add(info.cls)
            waiting += [field.type for field in info.fields]
            found |= {
                f"{info.cls.__name__}.{f.encode_name}" for f in info.fields if _is_text(f.type)
            }
    return frozenset(found)


def _is_text(info: inspect.Type) -> bool:
    inner = _required(info)
    if isinstance(inner, inspect.VarTupleType):
        inner = _required(inner.item_type)
    return isinstance(inner, inspect.StrType | inspect.LiteralType)
