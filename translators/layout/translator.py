"""A compiled layout as a translator: reads, writes, and describes itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from translators.canonical import Header, Interchange, Message
from translators.layout.documentation import documentation
from translators.layout.documents import DocumentWriter, Writers
from translators.layout.fast import Fast
from translators.layout.plan import Plan
from translators.layout.reading import DocumentReader
from translators.layout.sample import sample_document
from translators.layout.schema import schema
from translators.translator import FormatId, Reading, Report, decode
from translators.xml import Limits


class LayoutTranslator:
    """One format that a layout defines. Immutable; safe to share."""

    def __init__(self, plan: Plan, *, limits: Limits | None = None) -> None:
        self.plan = plan
        self._limits = limits or Limits()
        self._fast = Fast(plan)
        self._writers = Writers(plan)

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

    def read(self, source: BinaryIO, *, explain: bool = False) -> Iterator[Reading]:
        """Read a document; yields as it goes and never raises for bad input."""
        reader = DocumentReader(self.plan, self._fast, self._limits, explain=explain)
        return reader.read(source)

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        """Write a document in pieces; raises :class:`TranslationError`, never cuts."""
        return DocumentWriter(self.plan, self._writers, header, report).write(messages)

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
