"""What generated source knows of paths, and how it checks single values: only what the gate will
not check anyway."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from translators.layout.grammar import Each, Expression, Field, Index, Match, Part, Path
from translators.layout.plan import Content, Value
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
        if self.pattern is not None and separable(self.pattern):
            lines.append(f"X[{collector(self.pattern)}].append(v)")
        elif self.pattern is not None:
            matches = constant(re.compile(self.pattern).fullmatch)
            lines.append(f"if {matches}(v) is None: raise Unusual")
        if self.minimum is not None and self.minimum == self.maximum:
            lines.append(f"if len(v) != {self.minimum}: raise Unusual")
        elif self.minimum is not None:
            lines.append(f"if len(v) < {self.minimum}: raise Unusual")
        if self.maximum is not None and self.minimum != self.maximum:
            lines.append(f"if len(v) > {self.maximum}: raise Unusual")
        if self.convert is not None:
            lines.append(f"v = {constant(self.convert)}(v)")
        return lines


_SEPARABLE = re.compile(
    r"(?:\[(?:[A-Za-z0-9 .:+]|\\?-)+\]|\\[.+\-]|\(\?[:!]|[A-Za-z0-9:+\-(){},?*|])*"
)
"""Expressions of plain classes and letters, which match nothing that stands between texts."""


def separable(pattern: str) -> bool:
    """True for a pattern that many texts can be matched with at once. One that could match what
    stands between them could take two for one, and would be tried in all ways there are."""
    return _SEPARABLE.fullmatch(pattern) is not None


class Way(Enum):
    """How a path leads to its place."""

    FIELDS = auto()
    """Through field names alone, in the current record."""
    SELF = auto()
    """The record itself."""
    ENTRY = auto()
    """Through field names to a list, one entry of it, and field names in that."""
    ABOVE = auto()
    """Through field names in a record around this one, or in the header."""
    EACH = auto()
    """To every entry of a list, perhaps behind ``[n]``."""
    OTHER = auto()
    """What generated source does not know."""


def way_of(path: Path) -> Way:
    """How a path leads to its place."""
    parts = path.parts
    plain = all(isinstance(part, Field) for part in parts)
    if path.up or path.header:
        return Way.ABOVE if parts and plain else Way.OTHER
    if not parts:
        return Way.SELF
    if plain:
        return Way.FIELDS
    if any(isinstance(part, Each) for part in parts):
        return Way.OTHER if any(isinstance(part, Match) for part in parts) else Way.EACH
    picks = [at for at, part in enumerate(parts) if isinstance(part, Index | Match)]
    others = all(isinstance(part, Field) for at, part in enumerate(parts) if at not in picks)
    return Way.ENTRY if len(picks) == 1 and picks[0] and others else Way.OTHER


def names(path: Path) -> tuple[str, ...]:
    """The field names of a path up to the first entry of a list."""
    return tuple(part.name for part in _before(path.parts) if isinstance(part, Field))


def behind(path: Path) -> tuple[Part, ...]:
    """The parts from the first entry of a list on."""
    return path.parts[len(_before(path.parts)) :]


def _before(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    for at, part in enumerate(parts):
        if not isinstance(part, Field):
            return parts[:at]
    return parts


def local(expression: Expression) -> bool:
    """True when a derived value needs nothing outside its record."""
    return not any(path.up or path.header or path.messages for path in expression.paths)


FILLS = frozenset({"position", "count", "sum"})
"""What ``else`` also fills in on reading."""


def reads_value(value: Value) -> bool:
    """True when the fast reader knows this form of value."""
    if value.constant is not None:
        return True
    if value.derived is not None:
        return local(value.derived)
    if value.path is None:
        return False
    way = way_of(value.path)
    if value.part is not None and (value.default or value.otherwise or value.chosen):
        return False
    if value.also and not _doubles(value):
        return False
    if value.repeats and way in (Way.ABOVE, Way.ENTRY):
        return not (value.choice or value.chosen)
    if value.repeats or value.join is not None or value.part is not None:
        return way is Way.FIELDS and not (value.choice or value.chosen)
    return way is not Way.OTHER


def _doubles(value: Value) -> bool:
    """True for a value of a field that is also one of others, or of each entry's."""
    known = (Way.FIELDS, Way.EACH)
    plain = value.path is not None and way_of(value.path) is Way.FIELDS
    plain = plain and all(way_of(path) in known for path in value.also)
    return plain and not (value.default or value.otherwise or value.part or value.repeats)


def contextual(content: Content) -> bool:
    """True when what stands in an element needs to know where that stands."""
    values = [*content.attributes.values(), *([content.text] if content.text else [])]
    return any(_looks_out(value) for value in values) or any(
        contextual(element.content) or (element.record is not None and element.record.up > 0)
        for element in content.elements()
    )


def outward(content: Content) -> bool:
    """True when something in an element belongs to the header."""
    values = [*content.attributes.values(), *([content.text] if content.text else [])]
    return any(value.path is not None and value.path.header for value in values) or any(
        outward(element.content) for element in content.elements()
    )


def _looks_out(value: Value) -> bool:
    if value.path is not None and (value.path.up or value.path.header):
        return True
    expressions = [one for one in (value.derived, value.otherwise) if one is not None]
    return any(
        one.verb == "position" or any(path.up or path.header for path in one.paths)
        for one in expressions
    )


def check_of(value: Value, field: Field_) -> Check:
    """What remains to be checked of a value that goes to this field or its entries.

    msgspec takes the text ``null`` for nothing where nothing is allowed, whatever the type but
    text; no length or pattern here lets it through.
    """
    wire = value.type
    leaf = field.shape
    if leaf.form is ModelForm.LIST and leaf.item is not None:
        leaf = leaf.item
    if value.part is not None:
        return Check(convert=wire.read)
    if value.join is not None:
        return Check(pattern=wire.pattern, minimum=wire.minimum or 1, maximum=wire.maximum)
    if wire.codes is not None:
        return Check(convert=wire.codes.exact.__getitem__, bare=True)
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


def field_of(shape: Shape, parts: tuple[Part, ...]) -> Field_:
    """The last field that a path names."""
    field: Field_ | None = None
    for part in parts:
        if isinstance(part, Field):
            field = next(one for one in shape.fields if one.name == part.name)
            shape = field.shape
        else:
            assert shape.item is not None
            shape = shape.item
    assert field is not None
    return field


def shape_of(shape: Shape, parts: tuple[Part, ...]) -> Shape:
    """The shape at the end of a path."""
    if not parts:
        return shape
    found = field_of(shape, parts).shape
    if isinstance(parts[-1], Field) or found.item is None:
        return found
    return found.item
