"""The JSON Schema (2020-12) of ``luxor.json.1``, made from the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from translators.lexical import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS
from translators.model import HEADER, SHAPES, Field, Form, Shape

_NUMBER: Final = rf"-?[0-9]{{1,{MAX_INTEGER_DIGITS}}}(\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?"
_VALUES: Final[Mapping[Form, dict[str, Any]]] = {
    Form.TEXT: {"type": "string"},
    Form.INTEGER: {"type": "integer"},
    Form.BOOLEAN: {"type": "boolean"},
    Form.DECIMAL: {"$ref": "#/$defs/Decimal"},
    Form.DATE: {"type": "string", "format": "date"},
    Form.INSTANT: {"type": "string", "format": "date-time"},
    Form.BYTES: {"type": "string", "contentEncoding": "base64"},
}
_DECIMAL: Final[dict[str, Any]] = {
    "description": "An exact decimal, better as a text; a number has no exponent.",
    "anyOf": [{"type": "string", "pattern": f"^{_NUMBER}$"}, {"type": "number"}],
}


def schema(format_id: str, title: str) -> dict[str, Any]:
    """The schema as a plain value."""
    definitions: dict[str, Any] = {"Decimal": _DECIMAL}
    header = _reference(HEADER, definitions)
    kinds = [_reference(shape, definitions) | {"required": ["type"]} for shape in SHAPES.values()]
    definitions["Message"] = {"oneOf": kinds}
    messages = {"type": "array", "items": {"$ref": "#/$defs/Message"}}
    definitions["Interchange"] = {
        "description": "A header and its messages.",
        "type": "object",
        "properties": {"interchange": header, "messages": messages},
        "minProperties": 1,
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:luxor:schema:{format_id}",
        "title": title,
        "description": "One interchange, one message, or a list of messages.",
        "anyOf": [{"$ref": "#/$defs/Interchange"}, {"$ref": "#/$defs/Message"}, messages],
        "$defs": dict(sorted(definitions.items())),
    }


def render(format_id: str, title: str) -> bytes:
    """The schema as a file."""
    text = msgspec.json.encode(schema(format_id, title))
    return msgspec.json.format(text, indent=2) + b"\n"


def _reference(shape: Shape, definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to an object's definition, which is made when it is not there yet."""
    assert shape.struct is not None
    name = shape.struct.__name__
    if name not in definitions:
        definitions[name] = None  # Holds the place while what is below is defined.
        definitions[name] = _object(shape, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(shape: Shape, definitions: dict[str, Any]) -> dict[str, Any]:
    properties = {} if shape.tag is None else {"type": {"const": shape.tag}}
    properties |= {field.name: _field(field, definitions) for field in shape.fields}
    required = [field.name for field in shape.fields if field.required]
    described: dict[str, Any] = {"type": "object", "properties": properties}
    if shape.struct is not None and shape.struct.__doc__:
        text = shape.struct.__doc__.split("\n\n")[0]
        described["description"] = " ".join(text.replace("``", "").split())
    if required:
        described["required"] = required
    return described | {"additionalProperties": False}


def _field(field: Field, definitions: dict[str, Any]) -> dict[str, Any]:
    value = _value(field.shape, definitions)
    return {"anyOf": [value, {"type": "null"}]} if field.nullable else value


def _value(shape: Shape, definitions: dict[str, Any]) -> dict[str, Any]:
    if shape.form is Form.OBJECT:
        return _reference(shape, definitions)
    if shape.form is Form.LIST:
        assert shape.item is not None
        value = {"type": "array", "items": _value(shape.item, definitions)}
        return value | _limits(minItems=shape.min_length, maxItems=shape.max_length)
    if shape.form is Form.MAP:
        assert shape.item is not None
        assert shape.names is not None
        return {
            "type": "object",
            "propertyNames": _value(shape.names, definitions),
            "additionalProperties": _value(shape.item, definitions),
        } | _limits(maxProperties=shape.max_length)
    return _VALUES[shape.form] | _limits(
        minLength=shape.min_length,
        maxLength=shape.max_length,
        pattern=shape.pattern and f"^(?:{shape.pattern})$",
        minimum=shape.minimum,
        maximum=shape.maximum,
    )


def _limits(**limits: Any) -> dict[str, Any]:
    return {name: value for name, value in limits.items() if value is not None}
