"""Rows of the configuration that are for some kinds of messages, named by globs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Protocol, TypeVar

from translators.canonical import KINDS


class ForKinds(Protocol):
    """A row that is for the kinds of which one of its globs speaks."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Globs of kinds."""


Row = TypeVar("Row", bound=ForKinds)


def speaks_of(row: ForKinds, kind: str) -> bool:
    """Whether a row is for that kind."""
    return any(fnmatchcase(kind, glob) for glob in row.kinds)


def by_kind(rows: Iterable[Row]) -> Mapping[str, tuple[Row, ...]]:
    """For every kind of the model the rows that are for it, in their order."""
    listed = tuple(rows)
    return MappingProxyType(
        {kind: tuple(row for row in listed if speaks_of(row, kind)) for kind in KINDS}
    )
