"""What the reference reader finds while it reads one message: faults, notes, and the count.

Every value of the wire (an attribute, or text that is more than blank) ends in exactly one of
``carried``, ``reported`` and ``faulty``; their sum is the number of values in the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from translators.faults import Fault, Note, NoteKind, Severity
from translators.layout.notation import Wrong
from translators.layout.plan import HINTS, Plan
from translators.xml import Node, XmlError, line_of

MAX_FINDINGS = 2_000
"""Faults, and a hundred times as many notes, after which reading one message stops.

Whoever sends so many mistakes must not keep the gateway busy with naming them.
"""


MAX_ATTRIBUTES = 500
"""Of one element. Walking them costs the square of their number in libxml2."""


@dataclass(eq=False)
class Findings:
    """Collected about one message, or about the header."""

    plan: Plan
    explain: bool = False
    """Whether codes that were mapped and defaults that were filled in are noted too."""
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    carried: int = 0
    reported: int = 0
    faulty: int = 0
    places: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    """Wire text of values that were refused, by canonical pointer."""

    @property
    def values(self) -> int:
        """How many values were accounted for."""
        return self.carried + self.reported + self.faulty

    @property
    def refuses(self) -> bool:
        """True when a fault makes the message unacceptable."""
        return any(fault.refuses for fault in self.faults)

    def fault(
        self, code: str, where: str, line: int | None, *, path: str = "", detail: str = ""
    ) -> None:
        """Record an error."""
        fault = Fault(code=code, path=path, detail=detail, source_path=where, line=line)
        self.faults.append(fault)
        if len(self.faults) > MAX_FINDINGS:
            detail = f"more than {MAX_FINDINGS} faults in one place; reading stopped"
            raise XmlError("faults.truncated", detail, line)

    def warn(self, code: str, where: str, line: int | None, *, path: str, detail: str) -> None:
        """Record a warning."""
        self.faults.append(
            Fault(
                code=code, path=path, detail=detail, severity=Severity.WARNING,
                source_path=where, line=line,
            )
        )  # fmt: skip

    def note(self, kind: NoteKind, where: str | None, *, path: str = "", detail: str = "") -> None:
        """Record a line of the translation report."""
        self.notes.append(Note(kind=kind, path=path, source_path=where, detail=detail))
        if len(self.notes) > 100 * MAX_FINDINGS:
            detail = f"more than {100 * MAX_FINDINGS} values that are not carried"
            raise XmlError("message.too-large", detail)

    def explained(self, kind: NoteKind, where: str, *, path: str, detail: str) -> None:
        """Note, where that is asked for, what was done to a value that is carried."""
        if self.explain:
            self.note(kind, where, path=path, detail=detail)

    def report(self, kind: NoteKind, where: str, detail: str, *, path: str = "") -> None:
        """A value that is reported and not carried."""
        self.reported += 1
        self.note(kind, where, path=path, detail=detail)

    def lost(self, node: Node, where: str, code: str, detail: str) -> None:
        """A whole element that is not read: a fault, or a report of each of its values."""
        found = list(self.plan.notation.values(node, where, self.plan))
        if self.plan.refuse:
            self.faulty += len(found)
            self.fault(code, where, line_of(node), detail=detail)
        else:
            for path in found:
                self.report(NoteKind.DROPPED, path, detail)
            if not found:
                self.note(NoteKind.DROPPED, where, detail=f"{detail}; it is empty")

    def misfit(self, node: Node, where: str, wrong: Wrong, *, path: str) -> None:
        """A node of another form than its line: nothing in it is read."""
        self.faulty += sum(1 for _ in self.plan.notation.values(node, where, self.plan))
        self.fault(wrong.code, where, line_of(node), path=path, detail=wrong.detail)
        self.written.setdefault(path, "")

    def locate(self, pointer: str) -> tuple[str | None, int | None]:
        """Where a canonical path, or the nearest record around it, stands in the document."""
        while pointer not in self.places and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.places.get(pointer, (None, None))


def check_attributes(node: Node) -> None:
    """Refuse an element with too many attributes; raises :class:`XmlError`."""
    if len(node.attrib) > MAX_ATTRIBUTES:
        detail = f"an element with more than {MAX_ATTRIBUTES} attributes"
        raise XmlError("message.too-large", detail, line_of(node))


def values(node: Node, where: str, plan: Plan) -> Iterator[str]:
    """Source path of every value in an element, its own attributes and text included."""
    check_attributes(node)
    for name in node.attrib:
        if str(name) not in HINTS:
            yield f"{where}/@{plan.name(str(name))}"
    if node.text and node.text.strip():
        yield where
    counts: dict[str, int] = {}
    for child in node:
        tag = str(child.tag)
        counts[tag] = counts.get(tag, 0) + 1
        yield from values(child, f"{where}/{plan.name(tag)}[{counts[tag]}]", plan)
        if child.tail and child.tail.strip():
            yield where
