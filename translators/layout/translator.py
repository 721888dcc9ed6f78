"""A compiled layout as a translator: reads, writes, and describes itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import BinaryIO

import msgspec

from translators.canonical import Header, Interchange, Message, kind_of
from translators.faults import Fault, Note, NoteKind, TranslationError
from translators.layout.documentation import documentation
from translators.layout.fast import GIVES_UP, Fast
from translators.layout.fastwrite import fast_writers
from translators.layout.leaves import leaves
from translators.layout.losses import loses
from translators.layout.plan import MessageRow, Plan
from translators.layout.reading import DocumentReader
from translators.layout.sample import sample_document
from translators.layout.schema import schema
from translators.layout.walking import Source
from translators.layout.writing import MARK, ReferenceWriter, wrapped
from translators.model import SHAPES
from translators.translator import FormatId, Reading, Report, decode
from translators.xml import Limits


class LayoutTranslator:
    """One format that a layout defines. Immutable; safe to share."""

    def __init__(self, plan: Plan, *, limits: Limits | None = None) -> None:
        self.plan = plan
        self._limits = limits or Limits()
        self._fast = Fast(plan)
        self._writers = fast_writers(plan)
        self._loses_at = {kind: loses(SHAPES[kind], lost) for kind, lost in plan.drops.items()}

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
        rows = [row for row in self.plan.messages.rows if row.kind == kind_of(message)]
        if not rows:
            detail = f"{self.plan.id} does not carry {kind_of(message)}"
            raise TranslationError([Fault(code="kind.unknown", detail=detail)])
        quick = self._quick(rows, message)
        if quick is not None and (report is None or not self._may_lose(message)):
            return quick
        element = self.plan.chain[-1]
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

    def _quick(self, rows: list[MessageRow], message: Message) -> bytes | None:
        """The bytes of an ordinary message; with several forms only the reference chooses."""
        if len(rows) != 1 or rows[0].group not in self._writers:
            return None
        try:
            return self._writers[rows[0].group].write(message).encode() + b"\n"
        except GIVES_UP:
            return None

    def _may_lose(self, message: Message) -> bool:
        """True when there may be something to report about a message that was written."""
        if not self.plan.exact_drops:
            return True
        return self._loses_at[kind_of(message)](message)

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

    def schema(self) -> dict[str, bytes]:
        """XML Schema files by name, the first that of the document element."""
        return schema(self.plan)

    def sample(self, *, full: bool = True) -> Interchange:
        """An interchange with every line of the layout filled, or only what is required.

        Raises :class:`TranslationError` when the layout refuses what it itself asks for.
        """
        return decode(self, sample_document(self.plan, full=full))

    def documentation(self) -> str:
        """A page in Markdown for who has to speak the format."""
        return documentation(self.plan)
