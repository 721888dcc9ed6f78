"""Which form of message a streamed element has (``by kind``), and which one a message needs."""

from __future__ import annotations

from typing import Any

from translators.canonical import Message, kind_of
from translators.layout.grammar import Key
from translators.layout.plan import ANYTHING, Given, MessageRow, Messages
from translators.xml import Node


def choose_row(messages: Messages, node: Node) -> MessageRow | None:
    """The first row whose values all stand in the element."""
    for row in messages.rows:
        if all(_stands(key, node, value) for key, value in row.conditions):
            return row
    return None


def holds(row: MessageRow, message: Message) -> bool:
    """True when a form of message is for this one: its kind, and all that is given."""
    return row.kind == kind_of(message) and all(stands(given, message) for given in row.given)


def stands(given: Given, message: Message) -> bool:
    """True when a message has what is given at that path."""
    found: Any = message
    for name in given.names:
        found = None if found is None else getattr(found, name)
    if isinstance(given.value, bool):
        return (found is not None and found != () and found != {}) is given.value
    return bool(found == given.value)


def give(row: MessageRow, record: dict[str, Any]) -> None:
    """Put into a record that was read what its form says by being that form."""
    for name, value in row.content.unsaid:
        if record.get(name) is None:
            record[name] = value
    for given in row.given:
        if isinstance(given.value, bool):
            continue
        *above, last = given.names
        place = record
        for name in above:
            place = place.setdefault(name, {})
        place[last] = given.value


def _stands(key: Key, node: Node, value: str) -> bool:
    """True when that value stands there; anything at all for ``*``."""
    if value != ANYTHING:
        return _text(key, node) == value
    found: Node | None = node
    for step in key.steps:
        found = None if found is None else found.find(step.name)
    return found is not None and (key.attribute is None or key.attribute in found.attrib)


def _text(key: Key, node: Node | None) -> str | None:
    for step in key.steps:
        if node is None:
            return None
        node = node.find(step.name)
    if node is None:
        return None
    found = node.text if key.attribute is None else node.get(key.attribute)
    return None if found is None else str(found).strip()
