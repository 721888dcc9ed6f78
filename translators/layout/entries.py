"""One streamed element to one entry: fast when it is good, explained when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import msgspec

from translators import gate
from translators.canonical import KINDS, Message
from translators.faults import Fault, Note
from translators.keys import key_of, key_of_message
from translators.layout.along import Along
from translators.layout.fast import GIVES_UP, Fast, FastReader, count, total
from translators.layout.fastplaces import Around, Unusual, add, settle
from translators.layout.findings import Findings
from translators.layout.plan import MessageRow, Plan
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.layout.rows import choose_row, give
from translators.translator import Entry
from translators.xml import Limits, Node, check_depth, line_of

MAX_FAULTS = 1000
"""Faults that are told of one interchange."""
_BATCH = 50
"""Messages whose collected texts are checked together; when something is wrong with one of
them, these are read once more, each by itself."""


class Allowance:
    """How many faults may still be told of one interchange."""

    def __init__(self) -> None:
        self._told = 0

    def told(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """The faults that may still be told; a last one says that there are more."""
        room = max(MAX_FAULTS - self._told, 0)
        self._told += len(faults)
        if len(faults) <= room:
            return faults
        if not any(fault.refuses for fault in faults[room:]):
            return faults[:room]
        detail = f"more than {MAX_FAULTS} faults; the others are not told"
        return (*faults[:room], Fault(code="faults.truncated", detail=detail))


class EntryReader:
    """Makes entries of the messages of one document."""

    def __init__(
        self,
        plan: Plan,
        fast: Fast | None,
        header: Record,
        limits: Limits,
        allowance: Allowance,
        *,
        explain: bool = False,
    ) -> None:
        self._plan = plan
        self._fast = fast
        self._header = header
        self._limits = limits
        self._allowance = allowance
        self._explain = explain
        self._apart = False

    def quick(self, node: Node, ordinal: int) -> Message | None:
        """The message of a good element, ``None`` when it needs explaining.

        One that says something about the header is read when the header was: by ``entry``.
        """
        if self._fast is None or self._fast.outward:
            return None
        return self._quick(node, ordinal)

    def _quick(self, node: Node, ordinal: int) -> Message | None:
        row = choose_row(self._plan.messages, node)
        if row is None or self._fast is None:
            return None
        header: Around = {}
        try:
            record = self._fast.readers[row.group].one(node, header, ordinal)
            if self._plan.shared is not None:
                record = self._said(node, record)
            give(row, record)
            message = gate.convert_spelled(record, KINDS[row.kind])
            if header:
                self._settle(header)
        except GIVES_UP:
            return None
        return message

    def _settle(self, found: Around) -> None:
        """Put what a message says about the header into it, when it can stand there."""
        alone: dict[str, Any] = {}
        settle(alone, found)
        if gate.convert_header(alone)[0] is None:
            raise Unusual
        settle(self._header.data, found)

    def quick_all(
        self, nodes: list[Node], first: int = 1, attributes: int | None = None
    ) -> list[Message | None]:
        """The same for several messages of a document, the first of them with that number.

        ``attributes``: no fewer than stand below the document element, for what is read whole.
        """
        (row, *others) = self._plan.messages.rows
        if (
            self._fast is None
            or others
            or row.conditions
            or row.given
            or self._plan.shared is not None
            or self._fast.readers[row.group].contextual
            or self._apart
            or len({node.getparent() for node in nodes}) != 1
        ):
            return [self.quick(node, at) for at, node in enumerate(nodes, start=first)]
        fast, kind = self._fast.readers[row.group], KINDS[row.kind]
        found: list[Message | None] = []
        number = 0
        for start in range(0, len(nodes), _BATCH):
            batch = nodes[start : start + _BATCH]
            try:
                messages, more = _batch(fast, kind, batch)
            except GIVES_UP:
                # These were counted each by itself.
                messages = [self.quick(node, 0) for node in batch]
                more = sum(count(node) for node in batch)
            found += messages
            number += more
        if attributes is not None and len(self._plan.chain) == 1:
            # Nothing was counted twice, so that what equals the bound is the number itself.
            expected, _ = total(nodes, attributes)
            if number == expected:
                return found
        expected, counted = total(nodes)
        # Where more stands around them than in them, that is not counted again each time.
        self._apart = counted > 2 * expected
        if number != expected:
            return [self.quick(node, 0) for node in nodes]
        return found

    def entry(self, node: Node, message: Message | None, ordinal: int) -> Entry:
        """The entry of one element, with what was read of it already if it is good."""
        if message is None and self._fast is not None and self._fast.outward:
            message = self._quick(node, ordinal)
        if message is not None:
            return Entry(
                ordinal=ordinal,
                message=message,
                key=key_of_message(message),
                locate=Place(self, node, ordinal),
            )
        return self._explained(node, choose_row(self._plan.messages, node), ordinal)

    def locate(self, node: Node, ordinal: int, pointer: str) -> tuple[str | None, int | None]:
        """Where a path of a good message stands; its element is read once more for that."""
        row = choose_row(self._plan.messages, node)
        if row is None:
            return None, None
        findings = Findings(self._plan)
        along = Along(pointer) if self._plan.syntax == "xml" and not self._plan.shared else None
        reader = ReferenceReader(self._plan, self._header, findings, along=along)
        record = Record({}, "", None, ordinal)
        self._shared(reader, node, record)
        reader.message(row.content, node, record, self._where(ordinal))
        return findings.locate(pointer)

    def _said(self, node: Node, data: dict[str, Any]) -> dict[str, Any]:
        """What was read of a message, with what its document says for all of them; raises when
        that needs explaining."""
        findings = Findings(self._plan)
        record = Record({})
        self._shared(ReferenceReader(self._plan, self._header, findings), node, record)
        add(record.data, data)
        record.finish()
        if findings.faults or findings.notes:
            raise Unusual
        return record.data

    def _shared(self, reader: ReferenceReader, node: Node, record: Record) -> None:
        """Read for one message what its document says for all of them."""
        shared = self._plan.shared
        if shared is None:
            return
        tags = frozenset(shared.slots)
        root = next(node.iterancestors(self._plan.root))
        # What stands behind the first message is not known when that is read.
        before = takewhile(lambda one: one.tag != self._plan.chain[0].tag, root)
        said = [one for one in before if str(one.tag) in tags]
        where = f"/{self._plan.name(self._plan.root)}"
        reader.content(shared, root, record, where, children=said, own=False, only=tags)

    def _explained(self, node: Node, row: MessageRow | None, ordinal: int) -> Entry:
        check_depth(node, self._limits.depth - len(self._plan.chain))
        findings = Findings(self._plan, explain=self._explain)
        where = self._where(ordinal)
        if row is None:
            findings.lost(node, where, "kind.unknown", "no kind of message fits")
            if not findings.faults:
                findings.fault("kind.unknown", where, line_of(node))
            return Entry(
                ordinal=ordinal,
                message=None,
                faults=self._allowance.told(tuple(findings.faults)),
                notes=_numbered(findings, ordinal),
            )
        record = Record({}, "", None, ordinal)
        reader = ReferenceReader(self._plan, self._header, findings)
        self._shared(reader, node, record)
        reader.message(row.content, node, record, where)
        give(row, record.data)
        message, faults = gate.convert(record.data, row.kind, locate=findings.locate)
        own = tuple(findings.faults)
        faults = own + tuple(one for one in faults if not covered(one, findings))
        written = {path[1:]: text for path, text in findings.written.items() if text}
        understood = None if findings.refuses else message
        return Entry(
            ordinal=ordinal,
            message=understood,
            faults=self._allowance.told(faults),
            notes=_numbered(findings, ordinal),
            key=key_of({**record.data, **written}, row.kind),
            draft={"type": row.kind, **record.data} if understood is None else None,
            locate=findings.locate,
        )

    def _where(self, ordinal: int) -> str:
        return self._plan.notation.message(self._plan, ordinal)


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where the paths of a good message stand; there is one for each, and few are asked."""

    _reader: EntryReader
    _node: Node
    _ordinal: int

    def __call__(self, pointer: str) -> tuple[str | None, int | None]:
        return self._reader.locate(self._node, self._ordinal, pointer)


def _batch(
    fast: FastReader, kind: type[Message], nodes: list[Node]
) -> tuple[Sequence[Message | None], int]:
    """Messages of good elements and the number of their nodes; raises when one is not good."""
    collected = fast.fresh()
    read, convert = fast.read, gate.convert_spelled
    number = 0
    found = []
    for node in nodes:
        record, more = read(node, collected)
        found.append(convert(record, kind))
        number += more
    if not fast.holds(collected):
        raise Unusual
    return found, number


def covered(fault: Fault, findings: Findings) -> bool:
    """True when the layout has already said what is wrong there."""
    path = fault.path
    return any(path == one or path.startswith(f"{one}/") for one in findings.written)


def _numbered(findings: Findings, ordinal: int) -> tuple[Note, ...]:
    return tuple(msgspec.structs.replace(note, ordinal=ordinal) for note in findings.notes)
