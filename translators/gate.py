"""The gate: the one place where raw values become canonical messages, for every format.

A format builds plain dictionaries in one pass and hands them in; nothing enters the model past
this gate. msgspec decides in one step; when it refuses, ``translators.defects`` collects all.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from translators.canonical import KINDS, Header, Message
from translators.checks import Check, message_check, raw_check
from translators.defects import Locate, faults_of
from translators.faults import Fault
from translators.model import HEADER, SHAPES, Shape

_RAW: Final = MappingProxyType({k: raw_check(shape, strict=False) for k, shape in SHAPES.items()})
_STRICT: Final = MappingProxyType({k: raw_check(shape, strict=True) for k, shape in SHAPES.items()})
_DECODED: Final[Mapping[type, Check]] = MappingProxyType(
    {KINDS[kind]: message_check(shape) for kind, shape in SHAPES.items()}
)
_MISSPELLED = "a value is not spelled as it must be"


def convert_fast(raw: dict[str, Any], kind: str, *, strict: bool = False) -> Message:
    """Convert or raise :class:`ValueError` (``msgspec.ValidationError`` is one) at the first fault.

    Without ``strict``, texts stand for numbers and truth values, as XML gives them. Raises
    :class:`KeyError` for a kind that does not exist.
    """
    message = msgspec.convert(raw, KINDS[kind], strict=strict)
    if not (_STRICT if strict else _RAW)[kind](raw):
        raise ValueError(_MISSPELLED)
    return message


def convert_spelled(raw: dict[str, Any], kind: type[Message]) -> Message:
    """The same, leniently, for a format that has itself checked how every value is spelled.

    True of a raw object whose decimals are plain, whose instants have a date and an offset, and
    in which no value but a text can read ``null``: layouts see to it value by value.
    """
    message: Message = msgspec.convert(raw, kind, strict=False)
    return message


def convert(
    raw: dict[str, Any], kind: str, *, locate: Locate | None = None, strict: bool = False
) -> tuple[Message | None, tuple[Fault, ...]]:
    """The message, or ``None`` and every fault with its canonical path; never raises.

    ``locate`` tells where a canonical path stands in the sender's document.
    """
    if kind not in KINDS:
        return None, (Fault(code="kind.unknown", detail="no such kind of message"),)
    try:
        return convert_fast(raw, kind, strict=strict), ()
    except (ValueError, OverflowError):
        return None, _faults(raw, SHAPES[kind], locate=locate, strict=strict)


def convert_header(
    raw: dict[str, Any], *, locate: Locate | None = None, strict: bool = False
) -> tuple[Header | None, tuple[Fault, ...]]:
    """The same for the header of an interchange."""
    try:
        header = msgspec.convert(raw, Header, strict=strict)
        if strict or _HEADER_CHECK(raw):
            return header, ()
    except (ValueError, OverflowError):
        pass
    return None, _faults(raw, HEADER, locate=locate, strict=strict)


def decimals_are_plain(message: Message) -> bool:
    """For a message that msgspec decoded in one step: whether it also passes the decimal rule."""
    return _DECODED[type(message)](message)


_HEADER_CHECK: Final = raw_check(HEADER, strict=False)


def _faults(raw: object, shape: Shape, *, locate: Locate | None, strict: bool) -> tuple[Fault, ...]:
    found = faults_of(raw, shape, locate=locate, strict=strict)
    # Should the two passes ever disagree, the message is refused all the same.
    return found or (Fault(code="value.type", detail="not understood as a whole"),)
