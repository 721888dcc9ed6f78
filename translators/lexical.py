"""How values may be spelled where msgspec is too generous: checks compiled from the model.

msgspec lets ``NaN``, ``1E+400`` and forty digits into a ``Decimal`` and, when it converts texts,
takes the text ``null`` for nothing and a bare number for an instant. The checks here refuse that,
for raw values before conversion and for messages that were decoded in one step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from translators.model import Form, Shape

MAX_INTEGER_DIGITS: Final = 16
MAX_FRACTION_DIGITS: Final = 6

Check = Callable[[Any], bool]
"""True when every value below is spelled as it must be."""

Get = Callable[[Any, str], Any]
"""Reads a field of an object; ``None`` when it is absent."""

_plain = re.compile(
    rf"-?[0-9]{{1,{MAX_INTEGER_DIGITS}}}(?:\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?"
).fullmatch
_LIMIT = 10**MAX_INTEGER_DIGITS


def decimal_is_plain(value: Decimal) -> bool:
    """True for a finite decimal of at most 16 digits before and 6 after the point."""
    return _plain(str(value)) is not None


def spells_decimal(value: object) -> bool:
    """True when a raw value is an exact decimal: a text, an integer or a :class:`Decimal`.

    A text is read as Python reads it, but has no exponent. A float is never exact.
    """
    if type(value) is str:
        return _plain(value) is not None or _spells_decimal_oddly(value)
    if type(value) is int:
        return -_LIMIT < value < _LIMIT
    return type(value) is Decimal and decimal_is_plain(value)


def _spells_decimal_oddly(text: str) -> bool:
    if "e" in text or "E" in text:
        return False
    try:
        return decimal_is_plain(Decimal(text))
    except InvalidOperation:
        return False


def spells_instant(value: object) -> bool:
    """True unless a bare number would be taken for the seconds since 1970."""
    return ":" in value if isinstance(value, str) else isinstance(value, datetime)


def spells_value(value: object) -> bool:
    """True unless the text ``null`` would be taken for an absent value."""
    return not (isinstance(value, str) and value.lower() == "null")


RAW_SPELLING: Final[Mapping[Form, Check]] = {
    Form.DECIMAL: spells_decimal,
    Form.INSTANT: spells_instant,
    Form.INTEGER: spells_value,
    Form.BOOLEAN: spells_value,
    Form.DATE: spells_value,
    Form.BYTES: spells_value,
}
"""For raw values that msgspec converts leniently."""

STRICT_SPELLING: Final[Mapping[Form, Check]] = {Form.DECIMAL: spells_decimal}
"""For raw values that msgspec converts strictly."""


def raw_check(shape: Shape) -> Check:
    """The check of a raw object that msgspec has converted leniently without a complaint."""
    return _compile(shape, get=dict.get, rules=RAW_SPELLING) or _anything


def strict_raw_check(shape: Shape) -> Check:
    """The same for a raw object that msgspec has converted strictly."""
    return _compile(shape, get=dict.get, rules=STRICT_SPELLING) or _anything


def message_check(shape: Shape) -> Check:
    """The check of a decoded object: its decimals are plain."""
    return _compile(shape, get=getattr, rules={Form.DECIMAL: decimal_is_plain}) or _anything


def _anything(_: object) -> bool:
    return True


def _compile(shape: Shape, *, get: Get, rules: Mapping[Form, Check]) -> Check | None:
    """A closure that visits only what a rule concerns; ``None`` when there is nothing."""
    if shape.form is Form.OBJECT:
        tests = []
        for field in shape.fields:
            test = _compile(field.shape, get=get, rules=rules)
            # Only an absent value can be mistaken for "null": msgspec refuses it elsewhere.
            if test is not None and (test is not spells_value or field.nullable):
                tests.append((field.name, test))
        return _object_check(tuple(tests), get) if tests else None
    if shape.form is Form.LIST:
        assert shape.item is not None
        entry = _compile(shape.item, get=get, rules=rules)
        return None if entry is None or entry is spells_value else _list_check(entry)
    return rules.get(shape.form)


def _object_check(tests: tuple[tuple[str, Check], ...], get: Get) -> Check:
    def check(value: Any) -> bool:
        for name, test in tests:
            field = get(value, name)
            if field is not None and not test(field):
                return False
        return True

    return check


def _list_check(entry: Check) -> Check:
    def check(values: Any) -> bool:
        for value in values:  # noqa: SIM110 - all() with a generator costs three times as much
            if not entry(value):
                return False
        return True

    return check
