"""The schemas of formats at work: whether a document satisfies what its format publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
from google.protobuf.message import DecodeError
from lxml import etree

from translators.described import Described
from translators.translator import Translator
from translators.wire.exchange.v1 import interchange_pb2

Satisfies = Callable[[bytes], bool]


def schema_of(translator: Translator) -> Satisfies:
    """A test by XSD, JSON Schema or descriptor, whichever the format has."""
    assert isinstance(translator, Described)
    return _schema_of(translator)


@cache
def _schema_of(translator: Described) -> Satisfies:
    files = translator.schema()
    first = next(iter(files))
    if first.endswith(".xsd"):
        return _by_xsd(files, first)
    if first.endswith(".json"):
        return _by_json_schema(files[first])
    assert first.endswith(".proto")
    return by_descriptor


def _by_xsd(files: dict[str, bytes], first: str) -> Satisfies:
    with TemporaryDirectory() as folder:  # the files import each other by their names
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        schema = etree.XMLSchema(etree.parse(str(Path(folder, first))))

    def satisfies(content: bytes) -> bool:
        return schema.validate(etree.fromstring(content))

    return satisfies


def _by_json_schema(content: bytes) -> Satisfies:
    schema = json.loads(content)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def satisfies(content: bytes) -> bool:
        return validator.is_valid(json.loads(content))

    return satisfies


def by_descriptor(content: bytes) -> bool:
    """Whether protobuf parses it with nothing left over."""
    record = interchange_pb2.Interchange()
    try:
        record.ParseFromString(content)
    except DecodeError:
        return False
    before = record.SerializeToString(deterministic=True)
    record.DiscardUnknownFields()
    return before == record.SerializeToString(deterministic=True)
