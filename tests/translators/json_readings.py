"""Small messages of ``luxor.json.1`` and what reading them tells."""

from __future__ import annotations

import io
import json as reference
from typing import Any

from translators.canonical import Header
from translators.exchange.json_exchange import JsonExchange
from translators.faults import Fault
from translators.translator import Reading

FORMAT = JsonExchange()


def aeo(**changes: Any) -> dict[str, Any]:
    """A small message that is right."""
    small = {"type": "AeoStatus", "number": "T1", "holder": "H", "status": "valid"}
    return small | {"authority": {"code": "FR"}} | changes


def read(content: bytes | str | Any) -> list[Reading]:
    if not isinstance(content, bytes):
        text = content if isinstance(content, str) else reference.dumps(content)
        content = text.encode()
    return list(FORMAT.read(io.BytesIO(content)))


def summary(readings: list[Reading]) -> list[Any]:
    """Headers, keys of good entries, and path and code of faults."""
    told: list[Any] = []
    for reading in readings:
        if isinstance(reading, Header):
            told.append(reading)
        elif isinstance(reading, Fault):
            told.append(reading.code)
        elif reading.message is not None:
            told.append((reading.ordinal, reading.key))
        else:
            told.append(
                (reading.ordinal, reading.key, [f"{f.code} {f.path}" for f in reading.faults])
            )
    return told
