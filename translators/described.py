"""The seam of formats that describe themselves: schema, sample, documentation."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from translators.canonical import Interchange


@runtime_checkable
class Described(Protocol):
    """A format that one definition describes wholly."""

    def schema(self) -> dict[str, bytes]:
        """Schema files by name: XSD, JSON Schema or protobuf."""

    def sample(self) -> Interchange:
        """An interchange in which everything that the format can carry is filled."""

    def documentation(self) -> str:
        """A page in Markdown for who has to speak the format."""
