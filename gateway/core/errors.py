"""The two exceptions that cross module borders, and the one table from code to status."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import Any

import msgspec
from msgspec import toml

from translators.faults import Fault


class Refused(Exception):
    """The same input will always fail. ``code`` is in ``problems.toml``; faults say where."""

    def __init__(self, code: str, detail: str = "", *, faults: Iterable[Fault] = ()) -> None:
        self.code = code
        self.detail = detail
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(f"{code}: {detail}" if detail else code)


class Unavailable(Exception):
    """It may work later. ``retry_after`` is in seconds when somebody said when.

    ``reached`` says that the other side answered and declined just this; otherwise it could not be
    reached at all, which says nothing about what was to be delivered.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, reached: bool = False
    ) -> None:
        self.reason = reason
        self.retry_after = retry_after
        self.reached = reached
        super().__init__(reason)


class ProblemKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a code means to the outside: HTTP status, gRPC status name, title, explanation."""

    http: int
    grpc: str
    title: str
    meaning: str


def problem_kinds() -> dict[str, ProblemKind]:
    """The table ``gateway/core/problems.toml``: every code that a whole request can die of."""
    text = resources.files("gateway.core").joinpath("problems.toml").read_text("utf-8")
    raw: dict[str, Any] = toml.decode(text)
    return {code: msgspec.convert(row, ProblemKind) for code, row in raw["problem"].items()}
