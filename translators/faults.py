"""Faults: defects found in what a party sent, collected and never raised one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How a fault weighs: an error refuses its message, a warning only tells."""

    ERROR = "error"
    WARNING = "warning"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One defect.

    ``code`` is a dotted name from ``translators/codes/faults.toml``; ``path`` a JSON Pointer
    (RFC 6901) into the canonical message, empty for the message or interchange as a whole;
    ``detail`` a sentence for a person that never repeats personal data; ``source_path`` and
    ``line`` say where it stands in the sender's own document, when the syntax knows.
    """

    code: str
    path: str = ""
    detail: str = ""
    severity: Severity = Severity.ERROR
    source_path: str | None = None
    line: int | None = None

    @property
    def refuses(self) -> bool:
        """True when this fault makes its message unacceptable."""
        return self.severity is Severity.ERROR


class TranslationError(Exception):
    """A document that cannot be translated at all; ``faults`` says everything that is wrong."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("; ".join(f"{f.code} {f.path} {f.detail}".strip() for f in self.faults))


class NoteKind(StrEnum):
    """What a translation did to a value that it did not simply carry."""

    DROPPED = "dropped"
    DEFAULTED = "defaulted"
    MAPPED = "mapped"
    CONTRADICTS = "contradicts"


class Note(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a translation report.

    ``path`` is the canonical pointer, ``source_path`` the place in the wire document; at least
    one is set. ``detail`` gives the reason or the mapping and never repeats personal data.
    """

    kind: NoteKind
    path: str = ""
    source_path: str | None = None
    detail: str = ""
    ordinal: int | None = None
