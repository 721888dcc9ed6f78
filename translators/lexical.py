"""How values may be spelled, where msgspec is too generous.

msgspec lets ``NaN``, ``1E+400`` and forty digits into a ``Decimal`` and, when it converts texts,
takes the text ``null`` for nothing and a bare number for an instant. These rules refuse that;
``translators.checks`` compiles them into one function per kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from translators.model import Form

MAX_INTEGER_DIGITS: Final = 16
MAX_FRACTION_DIGITS: Final = 6

Rule = Callable[[Any], bool]
"""True when a value is spelled as it must be."""

match_plain = re.compile(
    rf"-?[0-9]{{1,{MAX_INTEGER_DIGITS}}}(?:\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?"
).fullmatch
_LIMIT = 10**MAX_INTEGER_DIGITS


def decimal_ismatch_plain(value: Decimal) -> bool:
    """True for a finite decimal of at most 16 digits before and 6 after the point."""
    return match_plain(str(value)) is not None


def spells_decimal(value: object) -> bool:
    """True when a raw value is an exact decimal: a text, an integer or a :class:`Decimal`.

    A text is read as Python reads it, but has no exponent. A float is never exact.
    """
    if type(value) is str:
        return match_plain(value) is not None or _spells_decimal_oddly(value)
    if type(value) is int:
        return -_LIMIT < value < _LIMIT
    return type(value) is Decimal and decimal_ismatch_plain(value)


def _spells_decimal_oddly(text: str) -> bool:
    if "e" in text or "E" in text:
        return False
    try:
        return decimal_ismatch_plain(Decimal(text))
    except InvalidOperation:
        return False


def spells_instant(value: object) -> bool:
    """True unless a bare number would be taken for the seconds since 1970."""
    return ":" in value if isinstance(value, str) else isinstance(value, datetime)


def spells_value(value: object) -> bool:
    """True unless the text ``null`` would be taken for an absent value."""
    return not (isinstance(value, str) and value.lower() == "null")


RAW_SPELLING: Final[Mapping[Form, Rule]] = {
    Form.DECIMAL: spells_decimal,
    Form.INSTANT: spells_instant,
    Form.INTEGER: spells_value,
    Form.BOOLEAN: spells_value,
    Form.DATE: spells_value,
    Form.BYTES: spells_value,
}
"""For raw values that msgspec converts leniently."""

STRICT_SPELLING: Final[Mapping[Form, Rule]] = {Form.DECIMAL: spells_decimal}
"""For raw values that msgspec converts strictly."""
