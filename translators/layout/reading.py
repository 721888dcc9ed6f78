"""Reading a document as a stream: the header, then message by message, then what follows.

The streamed element is handed over when it is complete and freed when the next one is; memory
does not grow with their number. Each message goes through the fast reader; whatever that one
does not take goes through the reference reader, which explains (LAYOUTS 9 and 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from translators import gate
from translators.faults import Fault, Note, NoteKind
from translators.keys import key_of
from translators.layout.fast import Unusual
from translators.layout.findings import Findings
from translators.layout.plan import Content, Element, MessageRow, Plan
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.layout.rows import choose_row
from translators.translator import Entry, Reading
from translators.xml import Limits, Node, Stream, XmlError, check_depth, line_of

MAX_FAULTS = 1000
"""Faults that are told of one interchange."""

FastReader = Callable[[Node], dict[str, Any]]


class DocumentReader:
    """One reading of one document."""

    def __init__(self, plan: Plan, fast: dict[str, FastReader], limits: Limits) -> None:
        self._plan = plan
        self._fast = fast
        self._limits = limits
        self._header = Record({}, "/header")
        self._outside = Findings(plan)
        self._ordinal = 0
        self._faults_told = 0
        self._held: Entry | None = None

    def read(self, source: BinaryIO) -> Iterator[Reading]:
        """Yield a header, entries, and bare faults; never raises for bad content."""
        told = True
        for reading in self._read(source):
            if not isinstance(reading, Fault):
                yield reading
            elif told:
                faults = self._counted((reading,))
                told = faults == (reading,)
                yield from faults

    def _read(self, source: BinaryIO) -> Iterator[Reading]:
        try:
            stream = Stream(source, (self._streamed_tag,), self._limits)
            if stream.opening.tag != self._plan.root:
                yield self._wrong_root(stream)
                return
            yield from self._messages(stream)
            yield from self._end(stream.root)
        except XmlError as error:
            if self._held is not None:
                yield self._held
            yield Fault(code=error.code, detail=error.detail, line=error.line)

    @property
    def _streamed_tag(self) -> str:
        return self._plan.chain[-1].tag if self._plan.chain else self._plan.root

    def _wrong_root(self, stream: Stream) -> Fault:
        expected = f"{self._plan.name(self._plan.root)} of the namespace of {self._plan.id}"
        detail = f"the document element is not {expected}"
        return Fault(code="xml.root", detail=detail, line=stream.opening.line)

    def _messages(self, stream: Stream) -> Iterator[Reading]:
        latest: Node | None = None
        for node in stream:
            if not self._streamed(node):
                continue
            if latest is None:
                self._before(node)
            else:
                self._between(node, latest)
            latest = node
            self._ordinal += 1
            entry = self._entry(node)
            if self._ordinal == 1:
                yield from self._opened()
            else:
                yield from self._outside_faults()
            yield from self._release(entry)
        if latest is not None:
            self._after(latest)

    def _streamed(self, node: Node) -> bool:
        """True for the streamed element in its own place, not for namesakes elsewhere."""
        above = node.getparent()
        for element in reversed(self._plan.chain[:-1]):
            if above is None or above.tag != element.tag:
                return False
            above = above.getparent()
        if not self._plan.chain:
            return above is None
        return above is not None and above.getparent() is None

    def _levels(self, node: Node) -> Iterator[tuple[Content, Node, Element]]:
        """From the root down: content, element, and the form of the next one on the way."""
        nodes = [node, *node.iterancestors()][::-1]
        content = self._plan.document
        for above, element in zip(nodes, self._plan.chain, strict=False):
            yield content, above, element
            content = element.content

    def _before(self, node: Node) -> None:
        """Read what stands before the first message."""
        reader = ReferenceReader(self._plan, self._header, self._outside)
        outside = Record({}, "")
        where = ""
        on_way = {node, *node.iterancestors()}
        for content, above, element in self._levels(node):
            where += f"/{self._plan.name(str(above.tag))}"
            before = []
            for one in above:
                if one in on_way:
                    break
                before.append(one)
            names = self._names(content, element, after=False)
            reader.content(content, above, outside, where, children=before, only=names)
            self._ahead(content, before, element, where)

    def _names(self, content: Content, element: Element, *, after: bool) -> frozenset[str]:
        order = content.slots[element.tag].order
        return frozenset(
            tag
            for tag, slot in content.slots.items()
            if (slot.order > order if after else slot.order < order)
        )

    def _ahead(self, content: Content, before: list[Node], element: Element, where: str) -> None:
        """What belongs behind the messages and stands before them."""
        if not self._plan.refuse:
            return
        late = self._names(content, element, after=True)
        for one in before:
            if str(one.tag) in late:
                here = f"{where}/{self._plan.name(str(one.tag))}"
                detail = "stands before an earlier element"
                self._outside.fault("element.order", here, line_of(one), detail=detail)

    def _between(self, node: Node, latest: Node) -> None:
        """Judge what stands between two messages and free everything before the second."""
        above = node.getparent()
        if above is None or latest.getparent() is not above:
            here = self._plan.name(str(node.tag))
            self._outside.fault("element.repeated", here, line_of(node))
            return
        one = node.getprevious()
        while one is not None:
            previous = one.getprevious()
            if one is latest:
                self._tail(one)
            elif latest in one.itersiblings(preceding=True):
                self._misplaced(one)
            above.remove(one)
            one = previous

    def _tail(self, node: Node) -> None:
        if node.tail and node.tail.strip():
            where = f"/{self._plan.name(self._plan.root)}"
            if self._plan.refuse:
                line = line_of(node)
                self._outside.fault("element.text", where, line, detail="text among elements")
            else:
                self._outside.notes.append(Note(kind=NoteKind.DROPPED, source_path=where))

    def _misplaced(self, node: Node) -> None:
        where = f"/{self._plan.name(self._plan.root)}/{self._plan.name(str(node.tag))}"
        self._outside.lost(node, where, "element.order", "stands among the messages")

    def _after(self, latest: Node) -> None:
        """Read what stands after the last message."""
        if not self._plan.chain:
            return
        reader = ReferenceReader(self._plan, self._header, self._outside)
        outside = Record({}, "")
        where = ""
        levels = list(self._levels(latest))
        nodes = [*[above for _, above, _ in levels][1:], latest]
        for (content, above, element), boundary in zip(levels, nodes, strict=True):
            where += f"/{self._plan.name(str(above.tag))}"
            names = self._names(content, element, after=True)
            rest = []
            for one in boundary.itersiblings():
                if str(one.tag) in names or str(one.tag) not in content.slots:
                    rest.append(one)
                else:
                    self._misplaced(one)
            reader.content(content, above, outside, where, children=rest, own=False, only=names)
        self._tail(latest)

    def _end(self, root: Node) -> Iterator[Reading]:
        if self._ordinal == 0:
            yield from self._empty(root)
            return
        for (_, where), text in self._header.seen.items():
            if text != str(self._ordinal):
                detail = f"there are {self._ordinal} messages"
                self._outside.fault("value.disagrees", where, None, detail=detail)
        notes = tuple(self._outside.notes)
        if self._held is not None:
            yield msgspec.structs.replace(self._held, notes=self._held.notes + notes)
        yield from self._outside_faults()

    def _empty(self, root: Node) -> Iterator[Reading]:
        """A document without any message."""
        reader = ReferenceReader(self._plan, self._header, self._outside)
        where = f"/{self._plan.name(self._plan.root)}"
        reader.content(self._plan.document, root, Record({}, ""), where)
        if self._plan.chain and self._plan.chain[-1].minimum:
            here = "/".join((where, *(self._plan.name(e.tag) for e in self._plan.chain)))
            self._outside.fault("element.missing", here, line_of(root), detail="no message")
        yield from self._opened()

    def _opened(self) -> Iterator[Reading]:
        """The header, when it is good, and the faults of what stands before the messages."""
        self._header.finish()
        header, faults = gate.convert_header(self._header.data, locate=self._locate)
        own = self._outside.refuses
        placed = [msgspec.structs.replace(one, path=f"/header{one.path}") for one in faults]
        self._outside.faults += [one for one in placed if not _covered(one, self._outside)]
        if header is not None and not own:
            yield header
        yield from self._outside_faults()

    def _locate(self, pointer: str) -> tuple[str | None, int | None]:
        return self._outside.locate(f"/header{pointer}")

    def _outside_faults(self) -> Iterator[Fault]:
        faults, self._outside.faults = self._outside.faults, []
        yield from faults

    def _release(self, entry: Entry) -> Iterator[Entry]:
        """Entries are held back by one, so that the last can tell of what follows it."""
        if self._held is not None:
            yield self._held
        notes, self._outside.notes = tuple(self._outside.notes), []
        self._held = msgspec.structs.replace(entry, notes=notes + entry.notes) if notes else entry

    def _entry(self, node: Node) -> Entry:
        row = choose_row(self._plan.messages, node)
        if row is not None and row.group in self._fast:
            try:
                raw = self._fast[row.group](node)
                message = gate.convert_fast(raw, row.kind)
            except (Unusual, KeyError, AttributeError, TypeError, ValueError, OverflowError):
                pass  # the reference reader tells what it is
            else:
                return Entry(ordinal=self._ordinal, message=message, key=key_of(raw, row.kind))
        return self._explained(node, row)

    def _explained(self, node: Node, row: MessageRow | None) -> Entry:
        check_depth(node, self._limits.depth - len(self._plan.chain))
        findings = Findings(self._plan)
        where = self._where()
        if row is None:
            findings.lost(node, where, "kind.unknown", "no kind of message fits")
            faults = tuple(findings.faults) or (
                Fault(code="kind.unknown", source_path=where, line=line_of(node)),
            )
            return Entry(
                ordinal=self._ordinal, message=None, faults=self._counted(faults),
                notes=self._numbered(findings),
            )  # fmt: skip
        record = Record({}, "", None, self._ordinal)
        reader = ReferenceReader(self._plan, self._header, findings)
        reader.message(row.content, node, record, where)
        message, faults = gate.convert(record.data, row.kind, locate=findings.locate)
        own = tuple(findings.faults)
        faults = own + tuple(one for one in faults if not _covered(one, findings))
        written = {path[1:]: text for path, text in findings.written.items() if text}
        return Entry(
            ordinal=self._ordinal,
            message=None if findings.refuses else message,
            faults=self._counted(faults),
            notes=self._numbered(findings),
            key=key_of({**record.data, **written}, row.kind),
        )

    def _where(self) -> str:
        names = [self._plan.name(self._plan.root)]
        names += [self._plan.name(element.tag) for element in self._plan.chain]
        index = f"[{self._ordinal}]" if self._plan.chain else ""
        return f"/{'/'.join(names)}{index}"

    def _numbered(self, findings: Findings) -> tuple[Note, ...]:
        return tuple(
            msgspec.structs.replace(note, ordinal=self._ordinal) for note in findings.notes
        )

    def _counted(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """The faults that may still be told; the last one says that there are more."""
        room = MAX_FAULTS - self._faults_told
        self._faults_told += len(faults)
        if len(faults) <= room:
            return faults
        errors = any(fault.refuses for fault in faults[max(room, 0) :])
        detail = f"more than {MAX_FAULTS} faults; the others are not told"
        more = Fault(code="faults.truncated", detail=detail)
        if not errors:
            return faults[: max(room, 0)]
        return (*faults[: max(room, 0)], more)


def _covered(fault: Fault, findings: Findings) -> bool:
    """True when the layout has already said what is wrong there."""
    path = fault.path
    return any(path == one or path.startswith(f"{one}/") for one in findings.written)
