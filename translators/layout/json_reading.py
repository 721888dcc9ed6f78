"""Reading a document of JSON: what stands around the messages, then one message after the other.

The document is held once as bytes and each message is parsed when it is asked for. As with XML a
message goes through the quick reader, and through the reference reader when that one gives up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

from translators import gate, json
from translators.canonical import KINDS, Message
from translators.faults import Fault, TranslationError
from translators.layout.entries import Allowance, EntryReader, covered
from translators.layout.findings import Findings
from translators.layout.json_fast import GIVES_UP, JsonFast
from translators.layout.json_nodes import JsonNode, Lines
from translators.layout.json_split import Piece, Split, split
from translators.layout.plan import Plan
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.layout.rows import choose_row, give
from translators.translator import Entry, Reading
from translators.xml import Limits, XmlError

MAX_DOCUMENT: Final = 64 << 20
"""Bytes of a document; it is held once as a whole."""
MAX_VALUES: Final = 200_000
"""Of one message, which takes some microseconds for each to explain."""
_CHUNK: Final = 1 << 16


class JsonDocumentReader:
    """One reading of one document."""

    def __init__(self, plan: Plan, fast: JsonFast, limits: Limits, *, explain: bool) -> None:
        self._plan = plan
        self._fast = fast
        self._explain = explain
        self._size = min(limits.size, MAX_DOCUMENT)
        self._header = Record({}, "/header")
        self._outside = Findings(plan, explain=explain)
        self._allowance = Allowance()
        self._entries = EntryReader(
            plan, None, self._header, limits, self._allowance, explain=explain
        )

    def read(self, source: BinaryIO) -> Iterator[Reading]:
        """Yield a header, entries, and bare faults; never raises for bad content."""
        content = _read(source, self._size + 1)
        if len(content) > self._size:
            detail = f"at most {self._size} bytes in one document"
            yield Fault(code="body.too-large", detail=detail)
            return
        if not content.strip():
            yield Fault(code="body.empty", detail="there is no content")
            return
        try:
            found = split(content, self._plan)
            del content
            yield from self._document(found)
        except TranslationError as error:
            yield from self._allowance.told(error.faults)
        except XmlError as error:  # too many findings in one place
            yield from self._told(Fault(code=error.code, detail=error.detail, line=error.line))

    def _document(self, found: Split) -> Iterator[Reading]:
        self._around(found)
        held: Entry | None = None
        ordinal = 0
        for ordinal, piece in enumerate(found.pieces, start=1):
            entry = self._entry(piece, ordinal)
            if held is None:
                yield from self._opened()
            else:
                yield held
            held = entry if ordinal > 1 else self._with_notes(entry)
        if ordinal == 0:
            self._empty(found)
            yield from self._opened()
            return
        for where, text in self._header.counts.items():
            if text != str(ordinal):
                detail = f"there are {ordinal} messages"
                self._outside.fault("value.disagrees", where, None, detail=detail)
        if held is not None:
            yield held
        yield from self._outside_faults()

    def _around(self, found: Split) -> None:
        """Read what stands around the messages."""
        for pointer in found.repeated:
            self._outside.fault("json.duplicate-key", pointer, found.lines.find(pointer))
        if found.wrong is not None:
            line = found.lines.find(found.wrong)
            several = self._plan.array is not None
            if found.wrong:  # the messages themselves, and not the object that should hold them
                several = self._plan.chain[-1].listed
            what = "an array of messages" if several else "an object"
            self._outside.fault("value.type", found.wrong, line, detail=f"{what} is expected")
        if found.wrong == "" or not self._plan.chain:
            return
        reader = ReferenceReader(self._plan, self._header, self._outside)
        root: Any = JsonNode("", found.around, "", found.lines)
        reader.content(self._plan.document, root, Record({}, ""), "")

    def _empty(self, found: Split) -> None:
        """A document without any message."""
        if found.wrong is not None:
            return
        least = self._plan.array[0] if self._plan.array else self._plan.chain[-1].minimum
        if least:
            where = self._plan.notation.message(self._plan, 1).removesuffix("/0")
            self._outside.fault("element.missing", where, None, detail="no message")

    def _entry(self, piece: Piece, ordinal: int) -> Entry:
        """The entry of one message."""
        where = self._plan.notation.message(self._plan, ordinal)
        if piece.content.count(b",") > MAX_VALUES:
            detail = f"one message with more than {MAX_VALUES} values"
            return self._refused(ordinal, where, piece, "message.too-large", detail)
        try:
            parsed = json.parse(piece.content)
        except TranslationError as error:
            (fault,) = error.faults
            return self._refused(ordinal, where, piece, fault.code, fault.detail)
        if not isinstance(parsed.value, dict):
            return self._refused(ordinal, where, piece, "value.type", "a message is an object")
        lines = Lines(piece.content.decode(), first=piece.line, where=where)
        tag = self._plan.chain[-1].tag if self._plan.chain else ""
        node: Any = JsonNode(tag, parsed.value, where, lines)  # stands for an element
        message = None if parsed.repeated or self._explain else self._quick(node)
        entry = self._entries.entry(node, message, ordinal)
        if not parsed.repeated:
            return entry
        faults = [
            Fault(
                code="json.duplicate-key", detail="given twice", source_path=where + pointer,
                line=lines.find(where + pointer),
            )
            for pointer in parsed.repeated
        ]  # fmt: skip
        told = self._allowance.told(tuple(faults))
        return msgspec.structs.replace(entry, message=None, faults=told + entry.faults)

    def _quick(self, node: Any) -> Message | None:
        """The message of a good object, ``None`` when it needs explaining."""
        row = choose_row(self._plan.messages, node)
        if row is None:
            return None
        try:
            record = self._fast.readers[row.group](node.value)
            give(row, record)
            return gate.convert_spelled(record, KINDS[row.kind])
        except GIVES_UP:
            return None

    def _refused(self, ordinal: int, where: str, piece: Piece, code: str, detail: str) -> Entry:
        fault = Fault(code=code, detail=detail, source_path=where, line=piece.line)
        return Entry(ordinal=ordinal, message=None, faults=self._allowance.told((fault,)))

    def _opened(self) -> Iterator[Reading]:
        """The header, when it is good, and the faults of what stands around the messages."""
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
        for fault in faults:
            yield from self._told(fault)

    def _told(self, fault: Fault) -> Iterator[Fault]:
        yield from self._allowance.told((fault,))

    def _with_notes(self, entry: Entry) -> Entry:
        """The first entry with what was noted around the messages."""
        notes, self._outside.notes = tuple(self._outside.notes), []
        return msgspec.structs.replace(entry, notes=notes + entry.notes)


def _read(source: BinaryIO, size: int) -> bytes:
    """Up to ``size`` bytes, fewer only at the end."""
    pieces = []
    while size and (piece := source.read(min(size, _CHUNK))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
