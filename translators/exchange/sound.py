"""What is sound is read in one step: straight to the model, every written byte accounted for.

msgspec checks encoding, syntax, names, types and limits. What it lets pass is told from the
bytes: names written twice by counting members, exponents by looking for them, decimals beyond
the model by how they would be written. Whatever is not certainly sound is ``None`` here, and is
read again closely by those who explain.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from translators import json
from translators.canonical import KINDS, Header, Message
from translators.exchange.tally import are_plain, tally
from translators.model import HEADER, SHAPES

_UNSOUND: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """An interchange as a whole; what is not written is not set."""

    interchange: Header | UnsetType = UNSET
    messages: list[Message] | UnsetType = UNSET


_MESSAGE: Final = msgspec.json.Decoder(Message)
_SEVERAL: Final = msgspec.json.Decoder(list[Message])
_DOCUMENT: Final = msgspec.json.Decoder(Document)
_HEADER: Final = tally(HEADER)
_TALLIES: Final = MappingProxyType({KINDS[kind]: tally(shape) for kind, shape in SHAPES.items()})


def message_of(content: bytes) -> Message | None:
    """One message."""
    try:
        message: Message = _MESSAGE.decode(content)
    except _UNSOUND:
        return None
    return message if _accounted(content, (message,)) else None


def messages_of(content: bytes) -> list[Message] | None:
    """A list of messages."""
    try:
        messages: list[Message] = _SEVERAL.decode(content)
    except _UNSOUND:
        return None
    return messages if _accounted(content, messages) else None


def document_of(content: bytes) -> Document | None:
    """An interchange: its header, its messages or both."""
    try:
        document: Document = _DOCUMENT.decode(content)
    except _UNSOUND:
        return None
    header, messages = document.interchange, document.messages
    given = (header is not UNSET) + (messages is not UNSET)
    listed = messages if messages is not UNSET else ()
    if not given or not _accounted(content, listed, header, members=given):
        return None
    return document


def header_is_whole(header: Header, *, members: int) -> bool:
    """True when so many members were written for a header, none of them twice."""
    return members == _HEADER(header, _no_decimal)


def _accounted(
    content: bytes,
    messages: Iterable[Message],
    header: Header | UnsetType = UNSET,
    *,
    members: int = 0,
) -> bool:
    """True when the content says nothing but what was decoded from it, and says it as it must."""
    decimals: list[Any] = []
    tallies, tell = _TALLIES, decimals.append
    for message in messages:
        members += tallies[type(message)](message, tell)
    if header is not UNSET:
        members += _HEADER(header, tell)
    skimmed = json.Skimmed(content)
    if not are_plain(decimals) or skimmed.has_exponent():
        return False
    # No member that was written is missed by the upper bound: equal means none written twice.
    if members == skimmed.members_at_most():
        return True
    written = json.members(content)
    return written == members or written == json.distinct_members(content)


def _no_decimal(value: object) -> None:
    raise TypeError("a header has no decimals")
