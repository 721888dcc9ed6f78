"""How the fast reader checks single values: only what the gate will not check anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from translators.layout.grammar import Field, Path
from translators.layout.plan import Element, Value
from translators.model import Field as Field_
from translators.model import Form as ModelForm
from translators.model import Shape


@dataclass(frozen=True)
class Check:
    """What is done with one text: trimmed, measured, collected for a pattern, converted.

    ``bare``: the text need not be trimmed, because padded text is refused anyway.
    """

    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    convert: Callable[[str], Any] | None = None
    bare: bool = False

    @property
    def plain(self) -> bool:
        """True when the text is taken as it stands."""
        return self == Check(bare=self.bare)

    def lines(self, constant: Callable[[Any], str], collector: Callable[[str], int]) -> list[str]:
        """Source that checks and converts the local ``v``."""
        lines = []
        if self.pattern is not None:
            lines.append(f"X[{collector(self.pattern)}].append(v)")
        if self.minimum is not None and self.minimum == self.maximum:
            lines.append(f"if len(v) != {self.minimum}: raise Unusual")
        elif self.minimum is not None:
            lines.append(f"if len(v) < {self.minimum}: raise Unusual")
        if self.maximum is not None and self.minimum != self.maximum:
            lines.append(f"if len(v) > {self.maximum}: raise Unusual")
        if self.convert is not None:
            lines.append(f"v = {constant(self.convert)}(v)")
        return lines


def simple(path: Path) -> bool:
    """True for a path of plain field names in the current record."""
    parts = path.parts
    return (
        bool(parts)
        and not path.up
        and not path.header
        and all(isinstance(part, Field) for part in parts)
    )


def names(path: Path) -> tuple[str, ...]:
    """The field names of a simple path."""
    return tuple(part.name for part in path.parts if isinstance(part, Field))


def covers_element(element: Element) -> bool:
    """True when the fast reader knows this form of element."""
    if element.messages is not None or element.predicate is not None:
        return False
    return element.record is None or simple(element.record)


def covers_value(value: Value) -> bool:
    """True when the fast reader knows this form of value."""
    if value.derived is not None or value.choice is not None or value.chosen:
        return False
    if value.constant is not None:
        return True
    return value.path is not None and simple(value.path) and value.join is None


def check_of(value: Value, field: Field_) -> Check:
    """What remains to be checked of a value that goes to this field or its entries.

    msgspec takes the text ``null`` for nothing where nothing is allowed, whatever the type but
    text; no length or pattern here lets it through.
    """
    wire = value.type
    leaf = field.shape
    if leaf.form is ModelForm.LIST and leaf.item is not None:
        leaf = leaf.item
    if wire.codes is not None:
        return Check(convert=wire.codes.wire.__getitem__, bare=True)
    if not wire.raw:
        return Check(convert=wire.read)
    if leaf.form is ModelForm.DATE:
        return Check(minimum=10, maximum=10, bare=True)
    if wire.pattern in _FIXED and wire.pattern == leaf.pattern:
        size = _FIXED[wire.pattern] if field.nullable else None
        return Check(minimum=size, maximum=size, bare=True)
    if leaf.form is ModelForm.INTEGER:
        return Check(pattern=_integer(wire.pattern, leaf))
    if wire.pattern is not None or leaf.pattern is not None:
        return Check(pattern=wire.pattern or leaf.pattern)
    return Check(
        minimum=wire.minimum if (wire.minimum or 0) > (leaf.min_length or 0) else None,
        maximum=wire.maximum
        if wire.maximum is not None and wire.maximum < (leaf.max_length or 1 << 62)
        else None,
    )


_FIXED = {"[A-Z]{2}": 2, "[A-Z]{3}": 3}


def _integer(pattern: str | None, leaf: Shape) -> str | None:
    """One pattern for all integers whose greatest value the model bounds as narrowly."""
    if pattern is None or leaf.maximum is None:
        return pattern
    digits = int(pattern.rpartition(",")[2].removesuffix("}"))
    return "[0-9]+" if leaf.maximum < 10**digits else pattern


def field_of(shape: Shape, path: tuple[str, ...]) -> Field_:
    """The field that a simple path leads to."""
    field: Field_ | None = None
    for name in path:
        field = next(one for one in shape.fields if one.name == name)
        shape = field.shape
    assert field is not None
    return field
