"""One message of ``luxor.json.1``: bytes to an entry, in one step when nothing is wrong."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from translators import gate, json, keys
from translators.canonical import KINDS, Message
from translators.checks import message_check
from translators.defects import Locate, at_most
from translators.exchange.tally import tally
from translators.faults import Fault
from translators.model import SHAPES
from translators.translator import Entry

_DECODER: Final = msgspec.json.Decoder(Message)
_CHECKS: Final = MappingProxyType(
    {KINDS[kind]: (message_check(shape), tally(shape)) for kind, shape in SHAPES.items()}
)


MAX_VALUES: Final = 200_000
"""Of one message that needs explaining, which takes some microseconds for each."""


def read_entry(content: bytes, *, ordinal: int, where: str = "", line: int | None = None) -> Entry:
    """The message in ``content``, or what is wrong with it.

    ``where`` is the pointer of the message in its document, ``line`` its line; faults tell them.
    Raises :class:`TranslationError` when it is not JSON at all: what that means for the messages
    around it depends on the document.
    """

    def locate(path: str) -> tuple[str, int | None]:
        return where + path, line

    message = _decode(content)
    if message is not None:
        key = keys.key_of_message(message)
        return Entry(ordinal=ordinal, message=message, key=key, locate=locate)
    return _read_closely(content, ordinal, locate)


def _decode(content: bytes) -> Message | None:
    """The message, unless there is anything that needs a closer look."""
    try:
        message: Message = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    is_plain, count = _CHECKS[type(message)]
    if not is_plain(message) or json.has_exponent(content):
        return None
    written = json.members(content)
    if written != count(message) and written != json.distinct_members(content):
        return None
    return message


def _read_closely(content: bytes, ordinal: int, locate: Locate) -> Entry:
    if content.count(b",") > MAX_VALUES:
        detail = f"one message with more than {MAX_VALUES} values"
        return Entry(
            ordinal=ordinal,
            message=None,
            faults=(_fault("message.too-large", "", detail, locate),),
        )
    parsed = json.parse(content)
    raw = parsed.value
    faults = [_fault("json.duplicate-key", path, "given twice", locate) for path in parsed.repeated]
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict):
        faults.append(_fault("value.type", "", "a message is an object", locate))
    elif kind is None:
        faults.append(_fault("value.missing", "/type", "the kind of message", locate))
    elif not isinstance(kind, str) or kind not in KINDS:
        faults.append(_fault("kind.unknown", "/type", "no such kind of message", locate))
    else:
        message, found = gate.convert(raw, kind, locate=locate, strict=True)
        faults += found
        key = keys.key_of(raw, kind)
        return Entry(
            ordinal=ordinal,
            message=None if faults else message,
            faults=at_most(faults),
            key=key,
            draft=raw if faults else None,
            locate=locate,
        )
    return Entry(ordinal=ordinal, message=None, faults=at_most(faults), locate=locate)


def _fault(code: str, path: str, detail: str, locate: Locate) -> Fault:
    source_path, line = locate(path)
    return Fault(code=code, path=path, detail=detail, source_path=source_path, line=line)
