"""Made-up messages as documents, in any format that is spoken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from translators.canonical import Header, Message
from translators.registry import standard
from translators.translator import FormatId


def header(reference: str, *, sender: str, recipient: str, at: datetime) -> Header:
    """What a document says about itself; ``reference`` is unique per sender."""
    return Header(sender=sender, recipient=recipient, control_reference=reference, prepared_at=at)


def write(format_id: str, head: Header, messages: Iterable[Message]) -> Iterator[bytes]:
    """The document in pieces, as the messages come; nothing is held but the current one.

    Raises ``KeyError`` for a format that is not spoken and ``TranslationError`` for a message that
    it cannot express.
    """
    yield from standard().get(FormatId(format_id)).write(head, messages)
