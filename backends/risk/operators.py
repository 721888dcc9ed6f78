"""Operators of conditions: each makes a test of one value, and says what it cannot be made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from backends.risk.pattern import PatternError, bounded_pattern
from backends.risk.text import has_phrase, words

Test = Callable[[Any], bool]


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(entry, str) and entry for entry in values):
        raise ValueError("must be a text or a list of texts")
    return tuple(values)


def _comparable(value: object) -> object:
    """Numbers compare by value, everything else as it is."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def _equals(wanted: Any) -> Test:
    if not isinstance(wanted, str | int | float | bool):
        raise ValueError("must be a text, a number, true or false")
    return lambda value: _comparable(value) == _comparable(wanted)


def _is_in(wanted: Any) -> Test:
    if not isinstance(wanted, list) or not wanted:
        raise ValueError("must be a list that is not empty")
    values = frozenset(_comparable(entry) for entry in wanted)
    return lambda value: _comparable(value) in values


def _prefix(wanted: Any) -> Test:
    starts = _texts(wanted)
    return lambda value: isinstance(value, str) and value.startswith(starts)


def _contains(wanted: Any) -> Test:
    parts = tuple(" ".join(words(text)) for text in _texts(wanted))
    if not all(parts):
        raise ValueError("must have letters or digits")
    return lambda value: any(part in " ".join(words(str(value))) for part in parts)


def _keywords(wanted: Any) -> Test:
    phrases = tuple(words(text) for text in _texts(wanted))
    if not all(phrases):
        raise ValueError("must have letters or digits")

    def test(value: Any) -> bool:
        text = words(str(value))
        return any(has_phrase(text, phrase) for phrase in phrases)

    return test


def _regex(wanted: Any) -> Test:
    if not isinstance(wanted, str):
        raise ValueError("must be a text")
    try:
        pattern = bounded_pattern(wanted)
    except PatternError as error:
        raise ValueError(str(error)) from error
    return lambda value: pattern.search(str(value)) is not None


def _number(wanted: Any) -> Decimal:
    if isinstance(wanted, bool) or not isinstance(wanted, int | float | str):
        raise ValueError("must be a number")
    number = Decimal(str(wanted))
    if not number.is_finite():
        raise ValueError("must be a finite number")
    return number


def _greater(wanted: Any) -> Test:
    bound = _number(wanted)
    return lambda value: isinstance(value, int | Decimal) and value > bound


def _less(wanted: Any) -> Test:
    bound = _number(wanted)
    return lambda value: isinstance(value, int | Decimal) and value < bound


OPERATORS: Mapping[str, Callable[[Any], Test]] = MappingProxyType(
    {
        "equals": _equals,
        "in": _is_in,
        "prefix": _prefix,
        "contains": _contains,
        "keywords": _keywords,
        "regex": _regex,
        "greater": _greater,
        "less": _less,
    }
)
"""By name. Making a test raises ``ValueError`` with what the operand must be."""
