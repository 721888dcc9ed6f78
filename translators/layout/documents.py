"""Writing a document: what stands before the messages, each message, what stands after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import chain

import msgspec
from msgspec.structs import replace

from translators.canonical import Header, Message, kind_of
from translators.faults import Fault, Note, NoteKind, TranslationError
from translators.layout.fast import GIVES_UP
from translators.layout.fastwrite import fast_writers, header_writer
from translators.layout.leaves import leaves
from translators.layout.losses import loses
from translators.layout.marks import Marker, Marks
from translators.layout.notices import notices
from translators.layout.plan import Content, Element, MessageRow, Plan
from translators.layout.roots import no_form
from translators.layout.rows import holds
from translators.layout.walking import Source, shown
from translators.layout.writing import Built, ReferenceWriter
from translators.model import SHAPES
from translators.translator import Report


class Writers:
    """What is compiled once for the writing of one layout."""

    def __init__(self, plan: Plan) -> None:
        self.fast = fast_writers(plan) if plan.syntax == "xml" else {}
        self.header = header_writer(plan) if self.fast else None
        self.header_marks = None if self.header is None else Marks(self.header.element.content)
        self.loses = {kind: loses(SHAPES[kind], lost) for kind, lost in plan.drops.items()}
        self.notices = {row.group: notices(row.content) for row in plan.messages.rows}
        self.marks = {
            row.group: Marks(row.content) for row in plan.messages.rows if row.group in self.fast
        }
        self.header_paths = frozenset(
            pointer for row in plan.messages.rows for pointer in _header_paths(row.content)
        )


class DocumentWriter:
    """Writes one document."""

    def __init__(self, plan: Plan, writers: Writers, header: Header, report: Report | None) -> None:
        self._plan = plan
        self._writers = writers
        self._header = header
        self._report = report

    def write(self, messages: Iterable[Message]) -> Iterator[bytes]:
        """The document in pieces; raises :class:`TranslationError` at what has no expression."""
        count = len(messages) if isinstance(messages, Sized) else None
        if self._plan.required_count and count is None:
            detail = "this format states the number of messages before them: give a list"
            raise TranslationError([Fault(code="stream.count", detail=detail)])
        first: Message | None = None
        if self._plan.shared is not None:
            several = iter(messages)
            first = next(several, None)
            messages = several if first is None else chain([first], several)
        around = self._around(count, first)
        said = around.inner
        if not self._plan.chain and self._plan.array is None:
            yield self._only(around, messages)
            return
        before, after = self._plan.notation.around(self._plan, around)
        yield before.encode()
        minimum, maximum = self._plan.array or _bounds(self._plan.chain[-1])
        ordinal = 0
        for ordinal, message in enumerate(messages, start=1):
            if maximum is not None and ordinal > maximum:
                raise TranslationError([_too_many(maximum)])
            yield self._message(message, ordinal, self._said_outside(message, said))
        if minimum and not ordinal:
            raise TranslationError([Fault(code="element.missing", detail="there is no message")])
        yield after.encode()

    def _around(self, count: int | None, first: Message | None = None) -> Built:
        """What stands outside the messages; what is said there once is taken from the first."""
        quick = self._quick_header()
        if quick is not None:
            return quick
        writer, built = self._outside(count, first)
        if self._report is not None:
            writer.touched |= self._writers.header_paths
            self._tell(writer, self._header, "/header", None)
        return built

    def _quick_header(self) -> Built | None:
        """What stands outside, when that is an ordinary header alone."""
        writer, marks = self._writers.header, self._writers.header_marks
        if not self._writers.fast or writer is None or marks is None:
            return None
        try:
            built = Built(inner=writer.write(self._header), live=True)
        except GIVES_UP:
            return None
        self._plan.notation.put_mark(built, writer.streamed)
        if self._report is not None:
            marker = Marker(self._plan, self._header)
            marker.record(writer.element, marks, writer.path, Source(None))
            marker.touched |= self._writers.header_paths
            self._tell(marker, self._header, "/header", None)
        return built

    def _outside(self, count: int | None, message: Message | None) -> tuple[ReferenceWriter, Built]:
        writer = ReferenceWriter(self._plan, self._header, count, shared=message)
        built = writer.content(self._plan.document, Source(None))
        writer.faults += built.missing
        if writer.judged():
            raise TranslationError(writer.judged())
        return writer, built

    def _said_outside(self, message: Message, said: str) -> frozenset[str]:
        """Paths of a message that stand outside of it; all messages must say the same there."""
        if self._plan.shared is None:
            return frozenset()
        writer, built = self._outside(None, message)
        if built.inner != said:
            detail = "unlike the first message, in what their document says once for all"
            raise TranslationError([Fault(code="value.disagrees", detail=detail)])
        return frozenset(writer.touched)

    def _only(self, around: Built, messages: Iterable[Message]) -> bytes:
        """The document whose root is its message."""
        found = list(messages)
        if len(found) != 1:
            raise TranslationError([_too_many(1)])
        rows = self._rows(found[0])
        quick = self._quick(rows, found[0], 1)
        if quick is not None:
            # What stands around is empty; its attributes come before those of the message.
            head = self._plan.notation.only(self._plan, around, Built()).removesuffix("/>\n")
            return f"{head}{quick.removeprefix(f'<{self._plan.name(self._plan.root)}')}\n".encode()
        _, built = self._explained(rows, found[0], 1, frozenset())
        return self._plan.notation.only(self._plan, around, built).encode()

    def _rows(self, message: Message) -> list[MessageRow]:
        rows = [row for row in self._plan.messages.rows if holds(row, message)]
        if not rows:
            raise TranslationError(no_form((self._plan,), message))
        return rows

    def _message(self, message: Message, ordinal: int, outside: frozenset[str]) -> bytes:
        rows = self._rows(message)
        quick = self._quick(rows, message, ordinal)
        if quick is not None:
            return f"{quick}\n".encode()
        _, built = self._explained(rows, message, ordinal, outside)
        return self._plan.notation.one(self._plan, built, ordinal).encode()

    def _quick(self, rows: list[MessageRow], message: Message, ordinal: int) -> str | None:
        """The text of an ordinary message; with several forms only the reference chooses."""
        if len(rows) != 1 or rows[0].group not in self._writers.fast:
            return None
        if self._report is not None and self._plan.shared is not None:
            return None
        try:
            writer = self._writers.fast[rows[0].group]
            found = writer.write(message, self._header, ordinal)
        except GIVES_UP:
            return None
        if self._report is not None:
            self._tell_quick(rows[0], message, ordinal, self._report)
        return found

    def _tell_quick(self, row: MessageRow, message: Message, ordinal: int, report: Report) -> None:
        """The report of a message that was written by the fast writer."""
        notices = self._writers.notices.get(row.group)
        if notices is not None and not self._loses(message):
            notices(message, "", lambda note: report(replace(note, ordinal=ordinal)))
            return
        marker = Marker(self._plan, self._header)
        marker.mark(self._writers.marks[row.group], message, ordinal)
        marker.touched.update(one.pointer for one in row.given)
        self._tell(marker, message, "", ordinal)

    def _loses(self, message: Message) -> bool:
        """True when something of a message may have no place in the format."""
        return not self._plan.exact_drops or self._writers.loses[kind_of(message)](message)

    def _explained(
        self, rows: list[MessageRow], message: Message, ordinal: int, outside: frozenset[str]
    ) -> tuple[MessageRow, Built]:
        """The message in the first form that can express it, with its report."""
        faults: tuple[Fault, ...] = ()
        for row in rows:
            writer = ReferenceWriter(self._plan, self._header)
            built = writer.message(row.content, message, ordinal)
            if not writer.judged():
                if self._report is not None:
                    writer.touched.update(one.pointer for one in row.given)
                    writer.touched |= outside
                    self._tell(writer, message, "", ordinal)
                return row, built
            faults = faults or writer.judged()
        raise TranslationError(faults)

    def _tell(
        self, writer: ReferenceWriter, value: msgspec.Struct, pointer: str, ordinal: int | None
    ) -> None:
        """Report what was not simply carried, and what has no place in the format."""
        assert self._report is not None
        for note in writer.notes:
            self._report(replace(note, ordinal=ordinal))
        for path, _ in leaves(value, pointer):
            if path not in writer.touched:
                detail = f"{self._plan.id} has no place for it"
                self._report(Note(kind=NoteKind.DROPPED, path=path, ordinal=ordinal, detail=detail))


def _bounds(streamed: Element) -> tuple[int, int | None]:
    return streamed.minimum, streamed.maximum


def _too_many(maximum: int) -> Fault:
    detail = f"a document of this format holds at most {maximum} messages, and at least one"
    return Fault(code="list.too-long", detail=detail)


def _header_paths(content: Content) -> Iterator[str]:
    """Pointers of header values that stand inside messages."""
    values = [*content.attributes.values(), *([content.text] if content.text else [])]
    for value in values:
        if value.path is not None and value.path.header:
            yield f"/header{shown(value.path)}"
    for element in content.elements():
        yield from _header_paths(element.content)
