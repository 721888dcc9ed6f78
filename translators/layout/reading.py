"""Reading a document as a stream: the header, then message by message, then what follows.

The streamed element is handed over when it is complete and freed when the next one is; memory
does not grow with their number. Each message goes through the fast reader; whatever that one
does not take goes through the reference reader, which explains (LAYOUTS 9 and 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import BinaryIO

import msgspec

from translators import gate
from translators.canonical import Message
from translators.faults import Fault, Note, NoteKind
from translators.layout.entries import Allowance, EntryReader, covered
from translators.layout.fast import GIVES_UP, Fast, adjoining
from translators.layout.findings import Findings
from translators.layout.plan import Content, Element, Plan
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.translator import Entry, Reading
from translators.xml import Limits, Node, Stream, XmlError, line_of


class DocumentReader:
    """One reading of one document."""

    def __init__(
        self, plan: Plan, fast: Fast | None, limits: Limits, *, explain: bool = False
    ) -> None:
        self._plan = plan
        # What is to be explained, and without a fast reader everything, takes the reference.
        self._fast = None if explain else fast
        self._limits = limits
        self._header = Record({}, "/header")
        self._outside = Findings(plan, explain=explain)
        self._allowance = Allowance()
        self._entries = EntryReader(
            plan, self._fast, self._header, limits, self._allowance, explain=explain
        )
        self._ordinal = 0
        self._held: Entry | None = None
        self._telling = True
        self._frees = True
        self._calm = False

    def read(self, source: BinaryIO) -> Iterator[Reading]:
        """Yield a header, entries, and bare faults; never raises for bad content."""
        try:
            stream = Stream(source, self._streamed_tag, self._limits)
            if stream.opening.tag == self._plan.root:
                yield from self._messages(stream)
                yield from self._end(stream.root)
            else:
                yield from self._told([self._wrong_root(stream)])
        except XmlError as error:
            if self._held is not None:
                yield self._held
            yield from self._told([Fault(code=error.code, detail=error.detail, line=error.line)])

    def _told(self, faults: list[Fault]) -> Iterator[Fault]:
        """Faults of the interchange as a whole, as far as faults may still be told."""
        for fault in faults:
            if self._telling:
                told = self._allowance.told((fault,))
                self._telling = told == (fault,)
                yield from told

    @property
    def _streamed_tag(self) -> str:
        return self._plan.chain[-1].tag if self._plan.chain else self._plan.root

    def _wrong_root(self, stream: Stream) -> Fault:
        expected = f"{self._plan.name(self._plan.root)} of the namespace of {self._plan.id}"
        detail = f"the document element is not {expected}"
        return Fault(code="xml.root", detail=detail, line=stream.opening.line)

    def _messages(self, stream: Stream) -> Iterator[Reading]:
        latest: Node | None = None
        self._frees = not stream.whole
        for node, message in self._quickly(stream):
            self._ordinal += 1
            if latest is None:
                self._before(node)
            elif not self._calm:
                self._between(node, latest)
            entry = self._entries.entry(node, message, self._ordinal)
            if latest is None:
                yield from self._opened()
            elif not self._calm:
                yield from self._outside_faults()
            if self._outside.notes:
                entry = self._with_notes(entry)
            latest = node
            # Held back by one, so that the last can tell of what follows it.
            if self._held is not None:
                yield self._held
            self._held = entry
        if latest is not None:
            self._after(latest)

    def _quickly(self, stream: Stream) -> Iterable[tuple[Node, Message | None]]:
        """Each streamed element with its message, when the fast reader could make one."""
        number = 1
        for batch in stream.batches():
            nodes = list(self._placed(batch))
            # Of a document as a whole this is known of all that stands in it.
            self._calm = stream.whole and adjoining(nodes)
            messages = self._entries.quick_all(nodes, number, stream.attributes)
            yield from zip(nodes, messages, strict=True)
            number += len(nodes)

    def _placed(self, batch: Sequence[Node]) -> Iterator[Node]:
        """The streamed elements in their own place, which their parent tells."""
        known: Node | None = None
        for node in batch:
            above = node.getparent()
            if (above is not None and above is known) or self._streamed(node):
                known = above
                yield node

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
        if self._quick_header(node):
            return
        reader = ReferenceReader(self._plan, self._header, self._outside)
        outside = Record({}, "")
        where = ""
        on_way = {node, *node.iterancestors()}
        shared = frozenset(self._plan.shared.slots) if self._plan.shared else frozenset()
        for content, above, element in self._levels(node):
            where += f"/{self._plan.name(str(above.tag))}"
            ahead = list(takewhile(lambda one: one not in on_way, above))
            before = [one for one in ahead if str(one.tag) not in shared]
            if shared:
                self._crossed(content, ahead, shared, where)
            names = self._names(content, element, after=False) - shared
            reader.content(content, above, outside, where, children=before, only=names)
            self._ahead(content, before, element, where)

    def _crossed(
        self, content: Content, ahead: list[Node], shared: frozenset[str], where: str
    ) -> None:
        """The order between what is said once for all messages and what is of the header.

        They are read apart, so that neither reading sees it.
        """
        latest = {True: -1, False: -1}
        for one in ahead:
            tag = str(one.tag)
            slot, once = content.slots.get(tag), tag in shared
            if slot is None:
                continue
            if slot.order < latest[not once]:
                here = f"{where}/{self._plan.name(tag)}"
                detail = "stands after a later element"
                self._outside.explained(NoteKind.MAPPED, here, path="", detail=detail)
            latest[once] = max(latest[once], slot.order)

    def _quick_header(self, node: Node) -> bool:
        """Read the header by the fast reader; false when that needs the reference reader."""
        header, root = node.getprevious(), node.getparent()
        fast = None if self._fast is None else self._fast.header
        if self._fast is None or fast is None or header is None:
            return False
        if root is None or root.attrib or root.text:
            return False
        if header.tag != self._fast.header_tag or header.getprevious() is not None or header.tail:
            return False
        try:
            raw = fast.one(header)
        except GIVES_UP:
            return False
        if gate.convert_header(raw)[0] is None:
            return False
        self._header.data.update(raw)
        return True

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
        """Judge what stands between two messages and free the first."""
        above = node.getparent()
        if node.getprevious() is latest and not latest.tail and above is not None:
            if self._frees:
                above.remove(latest)
            return
        if above is None or latest.getparent() is not above:
            here = self._plan.name(str(node.tag))
            self._outside.fault("element.repeated", here, line_of(node))
            return
        one, behind = node.getprevious(), True
        while one is not None:
            previous = one.getprevious()
            if one is latest:
                behind = False
                self._tail(one)
            elif behind:
                self._misplaced(one)
            if behind or one is latest or not self._said(one):
                above.remove(one)
            one = previous

    def _said(self, node: Node) -> bool:
        """True for what a document says once for all of its messages: each is read with it."""
        return self._plan.shared is not None and str(node.tag) in self._plan.shared.slots

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
        header = None if self._fast is None else self._fast.header
        if header is not None and latest.getnext() is None and not latest.tail:
            # Such a layout has no lines behind the messages either.
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
        for boundary in nodes:
            self._tail(boundary)

    def _end(self, root: Node) -> Iterator[Reading]:
        if self._ordinal == 0:
            yield from self._empty(root)
            return
        for where, text in self._header.counts.items():
            if text != str(self._ordinal):
                detail = f"there are {self._ordinal} messages"
                self._outside.fault("value.disagrees", where, None, detail=detail)
        maximum = self._plan.chain[-1].maximum if self._plan.chain else None
        if maximum is not None and self._ordinal > maximum:
            where = f"/{self._plan.name(self._plan.root)}/{self._plan.name(self._streamed_tag)}"
            detail = f"there are {self._ordinal} messages, at most {maximum} may stand here"
            self._outside.fault("element.repeated", where, None, detail=detail)
        if self._held is not None:
            yield self._with_notes(self._held) if self._outside.notes else self._held
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
        self._outside.faults += [one for one in placed if not covered(one, self._outside)]
        if header is not None and not own:
            yield header
        yield from self._outside_faults()

    def _locate(self, pointer: str) -> tuple[str | None, int | None]:
        return self._outside.locate(f"/header{pointer}")

    def _outside_faults(self) -> Iterator[Fault]:
        faults, self._outside.faults = self._outside.faults, []
        yield from self._told(faults)

    def _with_notes(self, entry: Entry) -> Entry:
        """The entry with what was noted outside messages."""
        notes, self._outside.notes = tuple(self._outside.notes), []
        return msgspec.structs.replace(entry, notes=notes + entry.notes)
