"""The protobuf wire format, as far as a stream of messages and its closer inspection need it.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO, Final

MAX_FRAME: Final = 16 << 20
"""Bytes of one message with its attachments."""
_MAX_VARINT: Final = 10


class WireType(IntEnum):
    """How the value of a field is delimited; groups (3 and 4) are not used in proto3."""

    VARINT = 0
    FIXED64 = 1
    LENGTH = 2
    FIXED32 = 5


_WIRE_TYPES: Final[frozenset[int]] = frozenset(WireType)


class FrameError(ValueError):
    """Bytes that are not protobuf, or a length beyond the bound."""


Frame = tuple[int, WireType, bytes]
"""Field number, wire type and the bytes of the value."""


def read_frames(source: BinaryIO) -> Iterator[Frame]:
    """The fields of the outermost message, one at a time; raises :class:`FrameError`."""
    while (tag := _read_varint(source)) is not None:
        number, wire_type = tag >> 3, tag & 7
        if number == 0 or wire_type not in _WIRE_TYPES:
            raise FrameError("no field number or wire type of protobuf")
        yield number, WireType(wire_type), _read_value(source, WireType(wire_type))


def _read_value(source: BinaryIO, wire_type: WireType) -> bytes:
    if wire_type is WireType.VARINT:
        value = _read_varint(source)
        if value is None:
            raise FrameError("the content ends inside a field")
        return varint(value)
    length: int | None = {WireType.FIXED32: 4, WireType.FIXED64: 8}.get(wire_type)
    if length is None:
        length = _read_varint(source)
    if length is None:
        raise FrameError("the content ends inside a field")
    if length > MAX_FRAME:
        raise FrameError(f"a field of more than {MAX_FRAME} bytes")
    value_bytes = source.read(length)
    if len(value_bytes) < length:
        raise FrameError("the content ends inside a field")
    return value_bytes


def _read_varint(source: BinaryIO) -> int | None:
    """The next varint, or ``None`` at the end of the source."""
    value = 0
    for index in range(_MAX_VARINT):
        byte = source.read(1)
        if not byte:
            if index:
                raise FrameError("the content ends inside a field")
            return None
        value |= (byte[0] & 0x7F) << (7 * index)
        if byte[0] < 0x80:
            return value
    raise FrameError("a number of more than 64 bits")


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def frame(number: int, content: bytes) -> bytes:
    """A field that holds a message."""
    return varint(number << 3 | WireType.LENGTH) + varint(len(content)) + content
