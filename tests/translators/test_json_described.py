"""Sample, schema and documentation of ``luxor.json.1``."""

from __future__ import annotations

import json as reference
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from tests.translators.json_readings import FORMAT, aeo
from tests.translators.strategies_model import interchanges
from translators.canonical import KINDS, Interchange, kind_of
from translators.faults import TranslationError
from translators.model import HEADER, SHAPES, Form, Shape
from translators.translator import decode, encode


def test_the_sample_fills_every_field_of_every_kind() -> None:
    sample = FORMAT.sample()
    assert [kind_of(message) for message in sample.messages] == list(KINDS)
    for value, shape in [
        (sample.header, HEADER),
        *((message, SHAPES[kind_of(message)]) for message in sample.messages),
    ]:
        assert not list(empty(value, shape, ""))
    assert decode(FORMAT, encode(FORMAT, sample)) == sample


def empty(value: Any, shape: Shape, path: str) -> Any:
    if shape.form is Form.OBJECT:
        for field in shape.fields:
            below = getattr(value, field.name)
            if below is None or below in ((), {}):
                yield f"{path}/{field.name}"
            else:
                yield from empty(below, field.shape, f"{path}/{field.name}")
    elif shape.form is Form.LIST:
        assert shape.item is not None
        yield from empty(value[0], shape.item, f"{path}/*")


def validator() -> jsonschema.Draft202012Validator:
    (schema,) = FORMAT.schema().values()
    loaded = reference.loads(schema)
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


VALIDATOR = validator()


@settings(max_examples=20)
@given(interchanges())
def test_what_is_written_is_valid_by_the_schema(interchange: Interchange) -> None:
    VALIDATOR.validate(reference.loads(encode(FORMAT, interchange)))


@pytest.mark.parametrize(
    "raw",
    [aeo(x=1), aeo(holder=""), aeo(country="fr"), aeo(type="Rocket"), aeo(number=None), {}, 5],
)
def test_the_schema_refuses_what_the_reader_refuses(raw: Any) -> None:
    assert not VALIDATOR.is_valid(raw)
    with pytest.raises(TranslationError):
        decode(FORMAT, reference.dumps(raw).encode())


def test_the_documentation_names_every_field() -> None:
    page = FORMAT.documentation()
    assert not [kind for kind in KINDS if f"## {kind}\n" not in page]
    assert not [
        field.name
        for shape in SHAPES.values()
        for field in shape.fields
        if f"| `{field.name}` |" not in page
    ]
