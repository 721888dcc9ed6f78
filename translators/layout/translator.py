"""A compiled layout as a translator: reads, writes, and describes itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import BinaryIO

import msgspec

from translators.canonical import Header, Message, kind_of
from translators.faults import Fault, Note, NoteKind, TranslationError
from translators.layout.fast import Fast
from translators.layout.leaves import leaves
from translators.layout.plan import Plan
from translators.layout.reading import DocumentReader
from translators.layout.walking import Source
from translators.layout.writing import MARK, ReferenceWriter, wrapped
from translators.translator import FormatId, Reading, Report
from translators.xml import Limits


class LayoutTranslator:
    """One format that a layout defines. Immutable; safe to share."""

    def __init__(self, plan: Plan, *, limits: Limits | None = None) -> None:
        self.plan = plan
        self._limits = limits or Limits()
        self._fast = Fast(plan)

    @property
    def id(self) -> FormatId:
        return FormatId(self.plan.id)

    @property
    def title(self) -> str:
        return self.plan.title

    @property
    def standing(self) -> str:
        return self.plan.standing

    @property
    def kinds(self) -> frozenset[str]:
        return self.plan.kinds

    @property
    def media_types(self) -> tuple[str, ...]:
        return self.plan.media_types

    @property
    def root_element(self) -> str:
        """The document element in Clark notation."""
        return self.plan.root

    @property
    def drops(self) -> dict[str, frozenset[str]]:
        return dict(self.plan.drops)

    def read(self, source: BinaryIO) -> Iterator[Reading]:
        """Read a document; yields as it goes and never raises for bad input."""
        return DocumentReader(self.plan, self._fast, self._limits).read(source)

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        """Write a document in pieces; raises :class:`TranslationError`, never cuts."""
        count = len(messages) if isinstance(messages, Sized) else None
        if self.plan.required_count and count is None:
            detail = "this format states the number of messages before them: give a list"
            raise TranslationError([Fault(code="stream.count", detail=detail)])
        outside = ReferenceWriter(self.plan, header, count)
        built = outside.content(self.plan.document, Source(None))
        outside.faults += built.missing
        if outside.judged():
            raise TranslationError(outside.judged())
        if report is not None:
            self._report_header(header, outside, report)
        declared = "".join(
            f' xmlns{"" if prefix == "default" else ":" + prefix}="{uri}"'
            for prefix, uri in self.plan.namespaces.items()
        )
        built.attributes = declared + built.attributes
        whole = wrapped(self.plan.name(self.plan.root), built)
        before, _, after = whole.partition(MARK)
        yield b'<?xml version="1.0" encoding="UTF-8"?>\n'
        yield before.encode()
        for ordinal, message in enumerate(messages, start=1):
            yield self._message(header, message, ordinal, report)
        yield (after + "\n").encode()

    def _message(
        self, header: Header, message: Message, ordinal: int, report: Report | None
    ) -> bytes:
        element = self.plan.chain[-1]
        rows = [row for row in self.plan.messages.rows if row.kind == kind_of(message)]
        if not rows:
            detail = f"{self.plan.id} does not carry {kind_of(message)}"
            raise TranslationError([Fault(code="kind.unknown", detail=detail)])
        for row in rows:
            writer = ReferenceWriter(self.plan, header)
            text = writer.message(element, row.content, message, ordinal)
            if not writer.judged():
                break
        else:
            raise TranslationError(writer.judged())
        if report is not None:
            self._report(message, writer, ordinal, report)
        return text.encode() + b"\n"

    def _report(
        self, message: Message, writer: ReferenceWriter, ordinal: int, report: Report
    ) -> None:
        for note in writer.notes:
            report(msgspec.structs.replace(note, ordinal=ordinal))
        for pointer, _ in leaves(message):
            if pointer not in writer.touched:
                report(
                    Note(
                        kind=NoteKind.DROPPED, path=pointer, ordinal=ordinal,
                        detail=f"{self.plan.id} has no place for it",
                    )
                )  # fmt: skip

    def _report_header(self, header: Header, writer: ReferenceWriter, report: Report) -> None:
        for note in writer.notes:
            report(note)
        for pointer, _ in leaves(header, "/header"):
            if pointer not in writer.touched:
                detail = f"{self.plan.id} has no place for it"
                report(Note(kind=NoteKind.DROPPED, path=pointer, detail=detail))
