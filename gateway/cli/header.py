"""``--header KEY=VALUE``: what a document says about itself, where its source does not say it."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from translators import gate
from translators.canonical import Header


def headed(header: Header, given: tuple[str, ...]) -> Header:
    """The header with what was given in place of its own.

    A value that begins with a brace or bracket is JSON, as for a declarant. Raises a usage error
    that names every mistake.
    """
    raw: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or key not in Header.__struct_fields__:
            known = ", ".join(Header.__struct_fields__)
            raise click.BadParameter(f"{pair}: KEY=VALUE, where KEY is one of {known}")
        raw[key] = _value(key, value)
    found, faults = gate.convert_header(raw)
    if found is None:
        told = "; ".join(f"{fault.path.lstrip('/')}: {fault.detail}" for fault in faults)
        raise click.BadParameter(told)
    return msgspec.structs.replace(header, **{key: getattr(found, key) for key in raw})


def _value(key: str, value: str) -> Any:
    if not value.startswith(("{", "[")):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"{key}: {error}") from error
