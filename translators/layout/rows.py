"""Which form of message a streamed element has (``by kind``)."""

from __future__ import annotations

from translators.layout.grammar import Key
from translators.layout.plan import MessageRow, Messages
from translators.xml import Node


def choose_row(messages: Messages, node: Node) -> MessageRow | None:
    """The first row whose values all stand in the element."""
    for row in messages.rows:
        if all(_text(key, node) == value for key, value in row.conditions):
            return row
    return None


def _text(key: Key, node: Node | None) -> str | None:
    for step in key.steps:
        if node is None:
            return None
        node = node.find(step.name)
    if node is None:
        return None
    found = node.text if key.attribute is None else node.get(key.attribute)
    return None if found is None else str(found).strip()
