"""A compiled layout as a translator: reads, writes, and describes itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import BinaryIO

from translators.canonical import Header, Interchange, Message
from translators.faults import Fault
from translators.layout.documentation import documentation
from translators.layout.documents import DocumentWriter, Writers
from translators.layout.fast import Fast
from translators.layout.json_fast import JsonFast
from translators.layout.json_reading import JsonDocumentReader
from translators.layout.json_sample import json_sample_document
from translators.layout.json_schema import json_schema
from translators.layout.plan import Detached, Plan
from translators.layout.pointers import Pointers
from translators.layout.reading import DocumentReader
from translators.layout.roots import chosen, common_drops, rejoined
from translators.layout.sample import sample_document
from translators.layout.schema import schema
from translators.translator import FormatId, Reading, Report, decode
from translators.xml import PROLOG, Limits, XmlError, opening


class _Document:
    """What is compiled for one document element: when it is first read or written, for a program
    that knows all formats seldom speaks all of them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @cached_property
    def fast(self) -> Fast | JsonFast:
        return JsonFast(self.plan) if self.plan.syntax == "json" else Fast(self.plan)

    @cached_property
    def writers(self) -> Writers:
        return Writers(self.plan)


class LayoutTranslator:
    """One format that a layout defines. Immutable; safe to share.

    It has a plan for each document element. Reading goes by the element that stands there,
    writing by the first message: its kind, and what must hold for a form of it.
    """

    def __init__(
        self,
        plans: tuple[Plan, ...],
        *,
        limits: Limits | None = None,
        pointers: Pointers | None = None,
    ) -> None:
        self.plans = plans
        self.pointers = pointers
        self._limits = limits or Limits()
        self._documents = tuple(_Document(plan) for plan in plans)

    @property
    def plan(self) -> Plan:
        """The plan of the first document element."""
        return self.plans[0]

    @property
    def id(self) -> FormatId:
        return FormatId(self.plan.id)

    @property
    def title(self) -> str:
        return self.plan.title

    @property
    def standing(self) -> str:
        return self.plan.standing

    @cached_property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for plan in self.plans for kind in plan.kinds)

    @property
    def media_types(self) -> tuple[str, ...]:
        return self.plan.media_types

    @cached_property
    def root_elements(self) -> tuple[str, ...]:
        """The document elements in Clark notation; none of JSON."""
        return tuple(plan.root for plan in self.plans if plan.root)

    @property
    def detached(self) -> Detached | None:
        """Where documents stand that come in an envelope with a signature beside them."""
        return self.plan.detached

    @cached_property
    def drops(self) -> dict[str, frozenset[str]]:
        # Asked for with every message that is planned.
        return {
            kind: common_drops([plan.drops[kind] for plan in self.plans if kind in plan.drops])
            for kind in sorted(self.kinds)
        }

    def read(self, source: BinaryIO, *, explain: bool = False) -> Iterator[Reading]:
        """Read a document; yields as it goes and never raises for bad input."""
        if len(self._documents) == 1:
            return self._read(self._documents[0], source, explain=explain)
        head = source.read(PROLOG)
        whole = rejoined(head, source)
        try:
            root = opening(head)
        except XmlError:
            # Whichever reader it is: it tells what is wrong with the document.
            return self._read(self._documents[0], whole, explain=explain)
        for document in self._documents:
            if document.plan.root == root.tag:
                return self._read(document, whole, explain=explain)
        return iter([self._wrong_root(root.line)])

    def _read(self, document: _Document, source: BinaryIO, *, explain: bool) -> Iterator[Reading]:
        plan, fast = document.plan, document.fast
        if isinstance(fast, JsonFast):
            return JsonDocumentReader(plan, fast, self._limits, explain=explain).read(source)
        readings = DocumentReader(plan, fast, self._limits, explain=explain).read(source)
        return readings if self.pointers is None else self.pointers.read(readings)

    def _wrong_root(self, line: int) -> Fault:
        known = ", ".join(plan.name(plan.root) for plan in self.plans)
        detail = f"the document element is none of {known}, of the namespace of {self.id}"
        return Fault(code="xml.root", detail=detail, line=line)

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        """Write a document in pieces; raises :class:`TranslationError`, never cuts."""
        at, found = (0, messages) if len(self.plans) == 1 else chosen(self.plans, messages)
        document = self._documents[at]
        if self.pointers is not None:
            found = self.pointers.write(found, report)
        return DocumentWriter(document.plan, document.writers, header, report).write(found)

    def schema(self) -> dict[str, bytes]:
        """XML Schema files by name, the first that of the document elements; or a JSON Schema."""
        return json_schema(self.plan) if self.plan.syntax == "json" else schema(self.plans)

    def sample(self, *, full: bool = True) -> Interchange:
        """An interchange with every line of the layout filled, or only what is required; of
        several document elements, that of the first.

        Raises :class:`TranslationError` when the layout refuses what it itself asks for.
        """
        return self.samples(full=full)[0]

    def samples(self, *, full: bool = True) -> tuple[Interchange, ...]:
        """A sample for each document element, in their order."""
        make = json_sample_document if self.plan.syntax == "json" else sample_document
        return tuple(decode(self, make(plan, full=full)) for plan in self.plans)

    def documentation(self) -> str:
        """A page in Markdown for who has to speak the format."""
        return documentation(self.plans)
