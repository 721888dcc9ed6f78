"""What protobuf would skip in silence, found in the bytes: unknown and repeated fields."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from translators.defects import Defect
from translators.exchange.frames import WireType, read_frames
from translators.pointer import child


def message_defects(content: bytes, envelope: Descriptor) -> Iterator[Defect]:
    """The defects of a ``Message``; paths begin at the message that it holds.

    ``content`` was parsed before; raises ``FrameError`` for what only protobuf can read (groups).
    """
    kinds = 0
    for number, wire_type, value in read_frames(io.BytesIO(content)):
        field = envelope.fields_by_number.get(number)
        if field is None or not _fits(field, wire_type):
            yield child("", number), "field.unknown", f"{envelope.name} has no field {number}"
            continue
        kinds += 1
        assert field.message_type is not None
        yield from defects(value, field.message_type, "")
    if kinds > 1:
        yield "", "proto.duplicate-field", "more than one message where one is expected"


def defects(content: bytes, descriptor: Descriptor, path: str) -> Iterator[Defect]:
    """Every field that the contract does not have, and every one given twice that stands once.

    A known number with another wire type is an unknown field to protobuf and so it is here.
    """
    seen: Counter[str] = Counter()
    for number, wire_type, value in read_frames(io.BytesIO(content)):
        field = descriptor.fields_by_number.get(number)
        if field is None or not _fits(field, wire_type):
            yield child(path, number), "field.unknown", f"{descriptor.name} has no field {number}"
            continue
        place = f"{path}/{field.name}"
        if _is_map(field):
            place = child(place, _key(value))
        elif field.is_repeated:
            place = f"{place}/{seen[field.name]}"
            seen[field.name] += 1
        if (_is_map(field) or not field.is_repeated) and seen[place]:
            yield place, "proto.duplicate-field", "given twice"
        seen[place] += 1
        if field.message_type is not None:
            yield from defects(value, field.message_type, place)


def _fits(field: FieldDescriptor, wire_type: WireType) -> bool:
    if field.type in (FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_BOOL):
        # A list of numbers may be packed into one field or not.
        return wire_type is WireType.VARINT or (field.is_repeated and wire_type is WireType.LENGTH)
    return wire_type is WireType.LENGTH


def _is_map(field: FieldDescriptor) -> bool:
    record = field.message_type
    return record is not None and bool(record.GetOptions().map_entry)


def _key(entry: bytes) -> str:
    """The name of an entry of a map; the last one counts, as for protobuf."""
    names = [value for number, _, value in read_frames(io.BytesIO(entry)) if number == 1]
    return names[-1].decode(errors="replace") if names else ""
