"""JSON Pointers (RFC 6901): how faults and notes say where something is."""

from __future__ import annotations

MAX_TOKEN = 70
"""Longest name that is repeated in a pointer; a longer one ends in an ellipsis."""


def child(path: str, name: str | int) -> str:
    """The pointer of a member or entry below ``path``."""
    if isinstance(name, int):
        return f"{path}/{name}"
    if len(name) > MAX_TOKEN:
        name = name[:MAX_TOKEN] + "…"
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"  # RFC 6901 section 3
