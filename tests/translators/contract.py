"""The wire contract as plain values: what the tests of drift and of evolution compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor

from translators.model import Field, Form, Shape
from translators.wire.exchange.v1 import exchange_pb2, interchange_pb2

_TYPES: Final[Mapping[int, str]] = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
}
_OF_FORM: Final[Mapping[Form, str]] = {
    Form.TEXT: "string",
    Form.DECIMAL: "string",
    Form.DATE: "string",
    Form.INSTANT: "string",
    Form.INTEGER: "uint32",
    Form.BOOLEAN: "bool",
    Form.BYTES: "bytes",
}


def files() -> Iterator[FileDescriptor]:
    """Every file of the contract."""
    pending, seen = [exchange_pb2.DESCRIPTOR, interchange_pb2.DESCRIPTOR], set()
    while pending:
        file = pending.pop()
        if file.name not in seen:
            seen.add(file.name)
            pending.extend(file.dependencies)
            yield file


def type_of(field: FieldDescriptor) -> str:
    """Type and label of a field, as it stands in the ``.proto`` file."""
    record = field.message_type
    if record is not None and record.GetOptions().map_entry:
        entry = record.fields_by_name
        return f"map<{type_of(entry['key'])}, {type_of(entry['value'])}>"
    if record is not None:
        name = record.name
    else:
        name = field.enum_type.name if field.enum_type is not None else _TYPES[field.type]
    if field.is_repeated:
        return f"repeated {name}"
    one_of = field.containing_oneof
    if one_of is not None and len(one_of.fields) > 1:
        return f"oneof {one_of.name} {name}"
    return f"optional {name}" if record is None and field.has_presence else name


def listing() -> dict[str, Any]:
    """Messages, enumerations and methods of the contract with all that may not change."""
    found: dict[str, Any] = {}
    for file in files():
        for message in file.message_types_by_name.values():
            for field in message.fields:
                found[f"{message.name}.{field.name}"] = f"{field.number} {type_of(field)}"
        for enum in file.enum_types_by_name.values():
            for value in enum.values:
                found[f"{enum.name}.{value.name}"] = str(value.number)
        for service in file.services_by_name.values():
            for method in service.methods:
                takes = "stream " * method.client_streaming + method.input_type.name
                gives = "stream " * method.server_streaming + method.output_type.name
                found[f"{service.name}.{method.name}"] = f"{takes} -> {gives}"
    return dict(sorted(found.items()))


def drift(shape: Shape, descriptor: Descriptor) -> Iterator[str]:
    """How a Struct and a protobuf message differ, a line for each field."""
    known = descriptor.fields_by_name
    for field in shape.fields:
        name = f"{descriptor.name}.{field.name}"
        if field.name not in known:
            yield f"{name} is missing in the contract"
        elif (expected := _expected(field)) != (found := type_of(known[field.name])):
            yield f"{name} is {expected} in the model and {found} in the contract"
    for extra in sorted(set(known) - {field.name for field in shape.fields}):
        yield f"{descriptor.name}.{extra} is missing in the model"


def _expected(field: Field) -> str:
    shape = field.shape
    if shape.form is Form.MAP:
        return "map<string, string>"
    if shape.form is Form.LIST:
        assert shape.item is not None
        return f"repeated {_name(shape.item)}"
    # A required number has presence too: one that was left out must not be read as zero.
    marked = field.nullable or (field.required and shape.form in (Form.INTEGER, Form.BOOLEAN))
    return f"optional {_name(shape)}" if marked and shape.struct is None else _name(shape)


def _name(shape: Shape) -> str:
    return shape.struct.__name__ if shape.struct is not None else _OF_FORM[shape.form]


def objects(shapes: Iterable[Shape]) -> Iterator[Shape]:
    """Every object among shapes and below them, once."""
    pending, seen = list(shapes), set()
    while pending:
        shape = pending.pop()
        if shape.form is Form.OBJECT and shape.struct not in seen:
            seen.add(shape.struct)
            pending.extend(field.shape for field in shape.fields)
            yield shape
        elif shape.item is not None:
            pending.append(shape.item)
