"""The second pass of the gate: every defect of a raw object, where msgspec tells only the first.

Each value is judged by ``msgspec.convert`` for its own type and by ``translators.lexical``, so
that this pass finds a defect exactly when the fast one does; what is wrong with it is then told
from its shape. Details name limits and forms and never repeat a value: it may be personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from translators.faults import Fault
from translators.lexical import (
    MAX_FRACTION_DIGITS,
    MAX_INTEGER_DIGITS,
    RAW_SPELLING,
    STRICT_SPELLING,
)
from translators.model import Form, Shape
from translators.pointer import child

MAX_FAULTS: Final = 1000
"""Faults that are told of one message."""

Locate = Callable[[str], tuple[str | None, int | None]]
"""Where a canonical path stands in the sender's document: its path there, and its line."""

Defect = tuple[str, str, str]
"""Path, code and detail."""


def faults_of(
    raw: object, shape: Shape, *, strict: bool, locate: Locate | None = None, path: str = ""
) -> tuple[Fault, ...]:
    """Every fault of ``raw``, at most :data:`MAX_FAULTS` and one that says so."""
    defects = _defects(raw, shape, path, strict=strict)
    return at_most(_fault(defect, locate) for defect in defects)


def at_most(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The first :data:`MAX_FAULTS`, and one that says so when there are more."""
    found = iter(faults)
    told = tuple(islice(found, MAX_FAULTS))
    if next(found, None) is None:
        return told
    detail = f"there are more than {MAX_FAULTS} faults; the others are not told"
    return (*told, Fault(code="faults.truncated", detail=detail))


def _fault(defect: Defect, locate: Locate | None) -> Fault:
    path, code, detail = defect
    source_path, line = locate(path) if locate is not None else (None, None)
    return Fault(code=code, path=path, detail=detail, source_path=source_path, line=line)


def _defects(value: object, shape: Shape, path: str, *, strict: bool) -> Iterator[Defect]:
    match shape.form:
        case Form.OBJECT:
            return _object_defects(value, shape, path, strict=strict)
        case Form.LIST:
            return _list_defects(value, shape, path, strict=strict)
        case Form.MAP:
            return _map_defects(value, shape, path, strict=strict)
        case _:
            return _value_defects(value, shape, path, strict=strict)


def _object_defects(value: object, shape: Shape, path: str, *, strict: bool) -> Iterator[Defect]:
    if not isinstance(value, Mapping):
        yield path, "value.type", "an object is expected"
        return
    for field in shape.fields:
        below = f"{path}/{field.name}"
        if field.name not in value:
            if field.required:
                yield below, "value.missing", "required"
        elif value[field.name] is None:
            if not field.nullable:
                yield below, "value.missing", "must not be null"
        else:
            yield from _defects(value[field.name], field.shape, below, strict=strict)
    known = {field.name for field in shape.fields}
    for name in value:
        if not isinstance(name, str):
            yield path, "value.type", "names are texts"
        elif name == "type" and shape.tag is not None:
            if value[name] != shape.tag:
                yield f"{path}/type", "kind.unknown", f"here stands a message of kind {shape.tag}"
        elif name not in known:
            yield child(path, name), "field.unknown", "no such field"


def _list_defects(value: object, shape: Shape, path: str, *, strict: bool) -> Iterator[Defect]:
    assert shape.item is not None
    if not isinstance(value, list | tuple):
        yield path, "value.type", "a list is expected"
        return
    yield from _length_defects(len(value), shape, path, _OF_LIST)
    for index, entry in enumerate(value):
        below = f"{path}/{index}"
        if entry is None:
            yield below, "value.missing", "must not be null"
        else:
            yield from _defects(entry, shape.item, below, strict=strict)


def _map_defects(value: object, shape: Shape, path: str, *, strict: bool) -> Iterator[Defect]:
    assert shape.item is not None
    assert shape.names is not None
    if not isinstance(value, Mapping):
        yield path, "value.type", "an object is expected"
        return
    yield from _length_defects(len(value), shape, path, _OF_LIST)
    for name, entry in value.items():
        if not isinstance(name, str):
            yield path, "value.type", "names are texts"
            continue
        below = child(path, name)
        for _, code, detail in _value_defects(name, shape.names, below, strict=strict):
            yield below, code, f"name: {detail}"
        if entry is None:
            yield below, "value.missing", "must not be null"
        else:
            yield from _defects(entry, shape.item, below, strict=strict)


_OF_LIST: Final = ("list.too-short", "list.too-long", "entries")
_OF_TEXT: Final = ("value.too-short", "value.too-long", "characters")


def _length_defects(
    length: int, shape: Shape, path: str, told: tuple[str, str, str]
) -> Iterator[Defect]:
    too_short, too_long, unit = told
    if shape.min_length is not None and length < shape.min_length:
        yield path, too_short, f"{length} {unit}, at least {shape.min_length}"
    if shape.max_length is not None and length > shape.max_length:
        yield path, too_long, f"{length} {unit}, at most {shape.max_length}"


def _value_defects(value: object, shape: Shape, path: str, *, strict: bool) -> Iterator[Defect]:
    if _acceptable(value, shape, strict=strict):
        return
    if shape.form is Form.TEXT:
        yield from _text_defects(value, shape, path)
    elif shape.form is Form.INTEGER:
        yield path, *_integer_defect(value, shape, strict=strict)
    else:
        code, detail = _NOT_OF_FORM[shape.form]
        yield path, code, detail


def _acceptable(value: object, shape: Shape, *, strict: bool) -> bool:
    rule = (STRICT_SPELLING if strict else RAW_SPELLING).get(shape.form)
    if rule is not None and not rule(value):
        return False
    return _converts(value, shape.type, strict=strict)


def _converts(value: object, to: Any, *, strict: bool) -> bool:
    try:
        msgspec.convert(value, to, strict=strict)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return False
    return True


def _text_defects(value: object, shape: Shape, path: str) -> Iterator[Defect]:
    if not isinstance(value, str):
        yield path, "value.type", "a text is expected"
        return
    lengths = list(_length_defects(len(value), shape, path, _OF_TEXT))
    yield from lengths
    if not lengths:
        yield path, "value.pattern", f"must match {shape.pattern}"


def _integer_defect(value: object, shape: Shape, *, strict: bool) -> tuple[str, str]:
    if _converts(value, int, strict=strict):
        return "value.range", f"must lie between {shape.minimum} and {shape.maximum}"
    return "value.type", "a whole number is expected"


_NOT_OF_FORM: Final[Mapping[Form, tuple[str, str]]] = {
    Form.BOOLEAN: ("value.type", "true or false is expected"),
    Form.DECIMAL: (
        "decimal.invalid",
        f"at most {MAX_INTEGER_DIGITS} digits, a point and {MAX_FRACTION_DIGITS} digits expected",
    ),
    Form.DATE: ("date.invalid", "a date as 2026-11-21 is expected"),
    Form.INSTANT: (
        "instant.invalid",
        "an instant with its offset, as 2026-11-21T09:30:00+01:00, is expected",
    ),
    Form.BYTES: ("bytes.invalid", "base64 is expected"),
}
