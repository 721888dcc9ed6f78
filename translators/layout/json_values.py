"""Single values of JSON for the quick reader: each line's own closure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from translators.layout.fast import Unusual
from translators.layout.plan import Value

Convert = Callable[[Any], Any]


def converter(value: Value) -> Convert:
    """A value as JSON has it to what the gate takes; raises one of :data:`GIVES_UP`."""
    kind, type_ = value.type.scalar, value.type
    read: Callable[[str], Any] = type_.read
    if type_.codes is not None:
        read = type_.codes.exact.__getitem__
    if kind == "boolean":
        words = {False: read("false"), True: read("true")} if type_.codes is None else None
        return lambda found: _boolean(found, words, read)
    if kind == "string" and type_.codes is None and type_.pattern is None and type_.raw:
        low, high = type_.minimum or 1, type_.maximum

        def text(found: Any) -> Any:
            if type(found) is not str or found != found.strip():
                raise Unusual
            if len(found) < low or (high is not None and len(found) > high):
                raise Unusual
            return found

        return text
    if kind == "string":

        def coded(found: Any) -> Any:
            if type(found) is not str or found != found.strip() or not found:
                raise Unusual
            return read(found)

        return coded
    kinds: tuple[type, ...] = (int,) if type_.codes is not None else (int, Decimal)

    def number(found: Any) -> Any:
        if type(found) not in kinds:
            raise Unusual
        return read(format(found, "f") if type(found) is Decimal else str(found))

    return number


def _boolean(found: Any, words: Mapping[bool, Any] | None, read: Callable[[str], Any]) -> Any:
    if type(found) is not bool:
        raise Unusual
    return words[found] if words is not None else read("true" if found else "false")
