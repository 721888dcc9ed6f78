"""The seam of every format: a stream of entries in, a stream of bytes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NewType, Protocol

import msgspec

from translators.canonical import Header, Interchange, Message
from translators.faults import Fault, Note, TranslationError

FormatId = NewType("FormatId", str)

Report = Callable[[Note], None]
"""Receives each line of a translation report as it arises."""


Locate = Callable[[str], tuple[str | None, int | None]]
"""Where a canonical pointer stands in the sender's document: source path and line."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One message of an interchange as it was read.

    ``ordinal`` counts from 1 in the order of the document. ``message`` is ``None`` when the
    content could not be understood; ``faults`` then has at least one error. A message with only
    warnings is there together with them. ``notes`` is what was not simply carried. ``key`` names
    the message for a person even when it was refused (its item or order id as written). ``draft``
    is, for a message that could not be understood, what it says as far as it was read, so that
    rules about single values can still be checked. ``locate`` gives source path and line of a
    canonical pointer; it may be called only until the next entry is read.
    """

    ordinal: int
    message: Message | None
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()
    key: str | None = None
    draft: Mapping[str, Any] | None = None
    locate: Locate | None = None


Reading = Header | Entry | Fault
"""What a reader yields: at most one header first, then entries; a bare fault concerns the
interchange as a whole and refuses all of it."""


class Translator(Protocol):
    """One format, both directions. Instances are immutable and safe to share."""

    @property
    def id(self) -> FormatId:
        """The format id, such as ``upu.itmatt.1``."""

    @property
    def title(self) -> str:
        """One line for people."""

    @property
    def standing(self) -> str:
        """How the format stands to its standard, in words that claim nothing untested."""

    @property
    def kinds(self) -> frozenset[str]:
        """The message kinds that this format can carry."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """Media types that select this format when no format is named; the first is written."""

    @property
    def drops(self) -> dict[str, frozenset[str]]:
        """For each kind, the canonical paths that it cannot carry (pointers, ``*``: any index)."""

    def read(self, source: BinaryIO, *, explain: bool = False) -> Iterator[Reading]:
        """Read a document; yields as it goes and never raises for bad input.

        The notes of each entry always name what was not carried. With ``explain`` they are
        complete: they also name every code that was mapped and every default that was filled in,
        which costs time.
        """

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        """Write a document in pieces.

        Raises :class:`TranslationError` when a message cannot be expressed in this format (a
        required path is missing, a value too long); nothing is ever cut silently. ``report``
        receives every note: what was dropped, defaulted, mapped, or contradicts; without it
        nothing is computed for them.
        """


def decode(translator: Translator, content: bytes) -> Interchange:
    """Decode a whole document; raises :class:`TranslationError` with every error found."""
    import io

    header = Header()
    messages: list[Message] = []
    faults: list[Fault] = []
    for reading in translator.read(io.BytesIO(content)):
        if isinstance(reading, Header):
            header = reading
        elif isinstance(reading, Fault):
            faults.append(reading)
        else:
            faults.extend(f for f in reading.faults if f.refuses)
            if reading.message is not None:
                messages.append(reading.message)
    refusing = [fault for fault in faults if fault.refuses]
    if refusing:
        raise TranslationError(refusing)
    return Interchange(header=header, messages=tuple(messages))


def encode(translator: Translator, interchange: Interchange, report: Report | None = None) -> bytes:
    """Encode a whole interchange; raises :class:`TranslationError` when it cannot be expressed."""
    return b"".join(translator.write(interchange.header, interchange.messages, report))
