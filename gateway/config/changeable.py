"""What of a configuration may change while the gateway runs; for all else it is started again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.config.document import Config
from gateway.config.mistakes import Mistake

CHANGEABLE = frozenset(
    {
        "agreement",
        "answers",
        "clearance",
        "codes",
        "countries",
        "destination",
        "dispatch",
        "expect",
        "format",
        "ingress.folder",
        "limits",
        "quality",
        "regime",
        "retention",
        "route",
        "severity",
    }
)
"""Keys with everything below them. What is not named here needs a restart, also what is new."""


def restarts(before: Config, after: Config) -> tuple[Mistake, ...]:
    """The keys of which a running gateway can not take over the change, sorted by their path."""
    found = sorted(set(_differing(_tree(before), _tree(after), "")))
    return tuple(Mistake(path, "restart needed: it can not change while it runs") for path in found)


def _tree(config: Config) -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.to_builtins(config)
    return tree


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:
    """Paths of the values that differ; tables are compared key by key, lists as a whole."""
    if path in CHANGEABLE or before == after:
        return
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        yield path
        return
    for key in before.keys() | after.keys():
        step = f"{path}.{key}" if path else str(key)
        yield from _differing(before.get(key), after.get(key), step)
