"""What an agreement lets through of a value, worked out once for each part of the model.

Which leaves may be seen follows from their paths alone, except for the entries of free maps. What
may be seen wholly passes as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from translators.model import Field, Form, Shape, describe

Covers = Callable[[str], bool]
"""Whether a leaf at a path (``*`` for indices) may be seen."""
Sieve = Callable[[Any, str, list[str]], Any]
"""From a value and its pointer to what is left of it, ``None`` for nothing; pointers of the leaves
that are withheld are added to the list."""


def sieve_of(
    struct: type[msgspec.Struct], covers: Covers, needed: frozenset[str], own: frozenset[str]
) -> Sieve:
    """For messages of one kind.

    ``needed`` are paths of parts that stay, empty if need be; ``own`` fields are not content and
    always pass.
    """
    return _Sieves(covers, needed).part(struct, "", passing=own)


class _Sieves:
    def __init__(self, covers: Covers, needed: frozenset[str]) -> None:
        self._covers = covers
        self._needed = needed

    def part(
        self, struct: type[msgspec.Struct], path: str, passing: frozenset[str] = frozenset()
    ) -> Sieve:
        """For a struct that stands at that path; the ``passing`` fields of it pass."""
        fields = tuple(
            (
                field.name,
                field.default,
                None if field.name in passing else self._field(field, path),
            )
            for field in describe(struct).fields
        )
        stays = path in self._needed

        def through(value: Any, pointer: str, dropped: list[str]) -> Any:
            kept: dict[str, Any] = {}
            for name, default, sieve in fields:
                child = getattr(value, name)
                if child is None or (not child and child == default):
                    continue  # absent
                if sieve is not None:
                    child = sieve(child, f"{pointer}/{name}", dropped)
                if child is not None:
                    kept[name] = child
            return struct(**kept) if kept or stays else None

        return through

    def _field(self, field: Field, path: str) -> Sieve | None:
        where = f"{path}/{field.name}"
        return None if self._passes(field.shape, where) else self._value(field.shape, where)

    def _value(self, shape: Shape, path: str) -> Sieve:
        if shape.form is Form.MAP:
            return _map(self._covers, path)
        if shape.form is Form.LIST and shape.item is not None:
            return _list(self._value(shape.item, f"{path}/*"))
        if shape.struct is not None:
            return self.part(shape.struct, path)
        return _pass if self._covers(path) else _withhold

    def _passes(self, shape: Shape, path: str) -> bool:
        """Whether everything that can stand at a path may be seen."""
        if shape.form is Form.MAP:
            return False
        if shape.form is Form.LIST and shape.item is not None:
            return self._passes(shape.item, f"{path}/*")
        if shape.struct is None:
            return self._covers(path)
        fields = describe(shape.struct).fields
        return all(self._passes(field.shape, f"{path}/{field.name}") for field in fields)


def _pass(value: Any, _: str, __: list[str]) -> Any:
    return value


def _withhold(_: Any, pointer: str, dropped: list[str]) -> None:
    dropped.append(pointer)


def _list(entry: Sieve) -> Sieve:
    def through(value: Any, pointer: str, dropped: list[str]) -> Any:
        kept = [entry(one, f"{pointer}/{index}", dropped) for index, one in enumerate(value)]
        return tuple([one for one in kept if one is not None]) or None

    return through


def _map(covers: Covers, path: str) -> Sieve:
    def through(value: Mapping[str, Any], pointer: str, dropped: list[str]) -> Any:
        kept = {name: text for name, text in value.items() if covers(f"{path}/{name}")}
        dropped.extend(f"{pointer}/{name}" for name in value if name not in kept)
        return kept or None

    return through
