"""What generated source calls while it writes: entries that a path picks or leaves, values that
all agree on, what is computed or joined.

Each gives what the reference writer gives, and raises where that one would refuse or note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from translators.layout.fastplaces import Unusual
from translators.layout.grammar import Expression, Index, Match, Part
from translators.layout.plan import Value
from translators.layout.walking import position, spread


def match(entries: Sequence[Any] | None, key: str, value: str) -> Any:
    """The entry whose field ``key`` is ``value``."""
    for one in entries or ():
        if getattr(one, key) == value:
            return one
    return None


def others(entries: Sequence[Any] | None, picks: tuple[Index | Match, ...]) -> list[Any]:
    """The entries that no pick takes."""
    if not entries:
        return []
    taken = {position(entries, pick) for pick in picks}
    return [one for at, one in enumerate(entries) if at not in taken]


def agreed(record: Any, parts: tuple[Part, ...]) -> Any:
    """The value that stands at every end of a path, when it is one and the same."""
    found = [one for _, one in spread(record, "", parts)]
    if not found or any(one != found[0] for one in found):
        return None
    return found[0]


def joined(entries: Sequence[str] | None, separator: str) -> str | None:
    """The entries in one text that can be split again."""
    if not entries:
        return None
    text = separator.join(entries)
    if [piece.strip() for piece in text.split(separator)] != list(entries):
        raise Unusual
    return text


def computed(expression: Expression, records: tuple[Any, ...], at: int) -> Any:
    """What an expression gives. ``records``: this one, those around it, and the header last."""
    if expression.verb == "position":
        return at
    found = [
        one
        for path in expression.paths
        for _, one in spread(records[-1 if path.header else path.up], "", path.parts)
        if one is not None
    ]
    if expression.verb == "count":
        return len(found[0]) if found else 0
    if expression.verb == "sum":
        return sum(found, Decimal())
    return " ".join(str(one) for one in found) or None


def worded(value: Value) -> Callable[[Any], str]:
    """Gives the wire text of a computed value."""
    type_ = value.type

    def text(found: Any) -> str:
        if isinstance(found, int) and type_.feeds == {"decimal"}:
            found = Decimal(found)
        if isinstance(found, str) and found.strip() != found:
            raise Unusual
        return type_.written(found) if type_.codes is None else type_.codes.ours[found]

    return text


def plain(found: Any) -> str:
    """The text of a derived value."""
    return format(found, "f") if isinstance(found, Decimal) else str(found)
