"""Reading the configuration: types first, then what the parts say about each other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.config.document import Config
from gateway.config.mistakes import ConfigError, Mistake

_WHERE = re.compile(r" - at `\$([^`]*)`$")
_RESERVED = frozenset({"folder", "file"})


def load(file: Path, *, changes: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a file; raises ``ConfigError`` with every mistake of form.

    ``changes`` are dotted keys with values that replace what the file says.
    """
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(str(file), [Mistake("", f"can not be read: {reason}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), [Mistake("", f"is not TOML: {error}")]) from error
    for key, value in (changes or {}).items():
        _set(raw, key.split("."), value)
    mistakes = list(_mistakes(raw))
    if mistakes:
        raise ConfigError(str(file), mistakes)
    return msgspec.convert({**raw, "folder": str(file.parent.resolve()), "file": str(file)}, Config)


def _set(raw: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        raw = raw.setdefault(step, {})
    raw[steps[-1]] = value


def _mistakes(raw: dict[str, Any]) -> Iterator[Mistake]:
    """Every table is judged on its own, so that one mistake does not hide the next."""
    fields = {
        field.encode_name: field
        for field in msgspec.structs.fields(Config)
        if field.encode_name not in _RESERVED
    }
    for name in raw.keys() - fields.keys():
        known = ", ".join(sorted(fields))
        yield Mistake(name, f"unknown key; known are {known}")
    for name, field in fields.items():
        if name not in raw:
            if field.required:
                yield Mistake(name, "missing")
            continue
        entries = _entries(raw[name], field.type)
        if entries is None:
            yield from _judge(raw[name], field.type, name)
            continue
        for index, (value, type_) in enumerate(entries):
            yield from _judge(value, type_, f"{name}[{index}]")


def _entries(value: Any, type_: Any) -> list[tuple[Any, Any]] | None:
    info = msgspec.inspect.type_info(type_)
    if not isinstance(value, list) or not isinstance(info, msgspec.inspect.VarTupleType):
        return None
    item = info.item_type
    return [(v, item.cls) for v in value] if isinstance(item, msgspec.inspect.StructType) else None


def _judge(value: Any, type_: Any, path: str) -> Iterator[Mistake]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        text = str(error)
        where = _WHERE.search(text)
        yield Mistake(path + (where[1] if where else ""), _WHERE.sub("", text))
