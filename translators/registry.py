"""The registry of formats: explicit, immutable, one line per packaged format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from translators import xml
from translators.exchange.json_exchange import JsonExchange
from translators.layout import packaged
from translators.translator import FormatId, Translator


@runtime_checkable
class Rooted(Protocol):
    """A format whose documents can be told by their root element."""

    @property
    def root_element(self) -> str:
        """The document element in Clark notation, ``{namespace}name``."""


class UnknownFormatError(LookupError):
    """No format of that id is registered."""


class Registry:
    """Formats by id, by media type and by root element. The first that claims something has it."""

    __slots__ = ("_by_id", "_by_media_type", "_by_root")

    def __init__(self, translators: Iterable[Translator]) -> None:
        self._by_id: dict[FormatId, Translator] = {}
        self._by_media_type: dict[str, Translator] = {}
        self._by_root: dict[str, Translator] = {}
        for translator in translators:
            self._by_id.setdefault(translator.id, translator)
            for media_type in translator.media_types:
                self._by_media_type.setdefault(media_type, translator)
            if isinstance(translator, Rooted):
                self._by_root.setdefault(translator.root_element, translator)

    def __iter__(self) -> Iterator[Translator]:
        return iter(self._by_id.values())

    def find(self, format_id: FormatId) -> Translator | None:
        """The format of that id."""
        return self._by_id.get(format_id)

    def get(self, format_id: FormatId) -> Translator:
        """The format of that id; raises ``UnknownFormatError``, which names all there are."""
        translator = self._by_id.get(format_id)
        if translator is None:
            known = ", ".join(sorted(self._by_id))
            raise UnknownFormatError(f"there is no format {format_id}; there are {known}")
        return translator

    def by_media_type(self, media_type: str) -> Translator | None:
        """The format that a media type (lower case, without parameters) selects."""
        return self._by_media_type.get(media_type)

    def by_root(self, head: bytes) -> Translator | None:
        """The XML format whose documents begin like this; ``head`` is the start of one."""
        try:
            opening = xml.opening(head)
        except xml.XmlError:
            return None
        return self._by_root.get(opening.tag)


def standard() -> Registry:
    """Every packaged format."""
    return Registry(
        [
            JsonExchange(),
            packaged("upu.itmatt.1"),
            packaged("upu.cusrsp.1"),
            packaged("upu.cusitm.1"),
        ]
    )
