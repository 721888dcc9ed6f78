"""What must be known of a decoded message: compiled into one straight function per type.

How many members it has when JSON writes it, which, compared with the members that were counted
in a document, tells in a fraction of the time of a second parse that no name was written twice;
and its decimals, which msgspec decodes from more spellings than the model has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from translators.lexical import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS
from translators.model import Field, Form, Shape

Tally = Callable[[Any, Callable[[Decimal], None]], int]
"""Members of a Struct and all below it, fields that hold their default left out as they are not
written; every decimal is handed to the second argument."""

_are_plain: Final = re.compile(
    rb'\[(?:"-?+[0-9]{1,%d}+(?:\.[0-9]{1,%d}+)?+",?+)*+\]'
    % (MAX_INTEGER_DIGITS, MAX_FRACTION_DIGITS)
).fullmatch
_encode: Final = msgspec.json.Encoder().encode


def are_plain(decimals: list[Decimal]) -> bool:
    """True when every one passes ``lexical.decimal_ismatch_plain``; all are judged together."""
    return _are_plain(_encode(decimals)) is not None


def tally(shape: Shape) -> Tally:
    """The function for an object's shape."""
    body = [f"n = {_constant(shape)}", *_object(shape, depth=0), "return n"]
    names: dict[str, Any] = {}
    # The text is made of field names of our own Structs alone, which are Python identifiers.
    exec("\n".join(["def count(v0, tell):", *_indented(body)]), names)  # noqa: S102
    count: Tally = names["count"]
    return count


def _constant(shape: Shape) -> int:
    """Members that an object always has: its tag and what is required."""
    tagged = shape.tag is not None
    return tagged + sum(1 for field in shape.fields if field.required)


def _object(shape: Shape, *, depth: int) -> Iterator[str]:
    for field in shape.fields:
        access = f"v{depth}.{field.name}"
        below = list(_below(field.shape, depth=depth + 1))
        if field.required:
            if below:
                yield f"v{depth + 1} = {access}"
                yield from below
        elif below:
            yield f"v{depth + 1} = {access}"
            yield f"if {_written(field, f'v{depth + 1}')}:"
            yield from _indented(["n += 1", *below])
        else:
            yield f"if {_written(field, access)}: n += 1"


def _written(field: Field, value: str) -> str:
    """The condition under which a field does not hold its default."""
    if field.default is None:
        return f"{value} is not None"
    if not field.default and not isinstance(field.default, msgspec.Struct):
        return value
    raise TypeError(f"no rule for the default of {field.name}")


def _below(shape: Shape, *, depth: int) -> Iterator[str]:
    """Lines that add what ``v<depth>`` holds."""
    if shape.form is Form.OBJECT:
        if constant := _constant(shape):
            yield f"n += {constant}"
        yield from _object(shape, depth=depth)
    elif shape.form is Form.DECIMAL:
        yield f"tell(v{depth})"
    elif shape.form is Form.MAP:
        assert shape.item is not None
        if shape.item.form not in (Form.TEXT, Form.INTEGER):
            raise TypeError("no rule for a map of objects or decimals")
        yield f"n += len(v{depth})"
    elif shape.form is Form.LIST:
        assert shape.item is not None
        body = list(_below(shape.item, depth=depth + 1))
        if body:
            yield f"for v{depth + 1} in v{depth}:"
            yield from _indented(body)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return ("    " + line for line in lines)
