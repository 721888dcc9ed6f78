"""The formats that a program knows: an explicit list, nothing registers itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from translators import layout, xml
from translators.exchange.json_exchange import JsonExchange
from translators.exchange.proto_exchange import ProtoExchange
from translators.translator import FormatId, Translator


@runtime_checkable
class _Rooted(Protocol):
    """A format whose documents are XML."""

    @property
    def root_elements(self) -> tuple[str, ...]:
        """The document elements in Clark notation: ``{namespace}name``."""


@runtime_checkable
class _Enveloped(Protocol):
    """A format whose documents may come in an envelope, with a signature beside them."""

    @property
    def detached(self) -> layout.Detached | None:
        """Where in the envelope both stand."""


@runtime_checkable
class _Varied(Protocol):
    """A format with other ways of writing it, each chosen by its own media type."""

    @property
    def variants(self) -> tuple[Translator, ...]:
        """The same format, reading the same and writing otherwise."""


class Registry:
    """Formats by id, by media type and by document element.

    Of two with the same id the later one counts: whoever holds a licensed schema puts a layout
    of it in the place of ours.
    """

    def __init__(self, translators: Iterable[Translator]) -> None:
        self._by_id: Mapping[FormatId, Translator] = MappingProxyType(
            {translator.id: translator for translator in translators}
        )
        formats = tuple(self._by_id.values())
        varied = [each for each in formats if isinstance(each, _Varied)]
        writers = [*formats, *(variant for each in varied for variant in each.variants)]
        self._by_media_type = _grouped(
            (name.lower(), translator) for translator in writers for name in translator.media_types
        )
        self._by_root = _grouped(
            (root, each)
            for each in formats
            if isinstance(each, _Rooted)
            for root in (*each.root_elements, *_envelope(each))
        )

    def __iter__(self) -> Iterator[Translator]:
        """Every format once, in the order in which they were given."""
        return iter(self._by_id.values())

    def find(self, format_id: FormatId) -> Translator | None:
        """The format of that id."""
        return self._by_id.get(format_id)

    def get(self, format_id: FormatId) -> Translator:
        """The format of that id; raises :class:`KeyError` naming all there are."""
        translator = self._by_id.get(format_id)
        if translator is None:
            known = ", ".join(sorted(self._by_id))
            raise KeyError(f"there is no format {format_id}; there are {known}")
        return translator

    def by_media_type(self, media_type: str) -> tuple[Translator, ...]:
        """The formats that a media type names, without its parameters; they write that type.

        Several, in the order in which they were given, when they are versions of one another.
        """
        return self._by_media_type.get(media_type.partition(";")[0].strip().lower(), ())

    def by_element(self, namespace: str, local_name: str) -> tuple[Translator, ...]:
        """The XML formats whose documents have this document element, as above."""
        name = f"{{{namespace}}}{local_name}" if namespace else local_name
        return self._by_root.get(name, ())

    def by_root(self, head: bytes) -> tuple[Translator, ...]:
        """The XML formats of a document that begins with ``head``.

        None also when that is no XML that we read; ``xml.opening`` tells why.
        """
        try:
            return self._by_root.get(xml.opening(head).tag, ())
        except xml.XmlError:
            return ()


def _envelope(translator: Translator) -> tuple[str, ...]:
    """The document element of the envelope in which a format's documents may come."""
    if not isinstance(translator, _Enveloped) or translator.detached is None:
        return ()
    return translator.detached.content[:1]


def _grouped(named: Iterable[tuple[str, Translator]]) -> Mapping[str, tuple[Translator, ...]]:
    """By name; of one format the later way of writing it counts."""
    found: dict[str, dict[FormatId, Translator]] = {}
    for name, translator in named:
        found.setdefault(name, {})[translator.id] = translator
    return MappingProxyType({name: tuple(several.values()) for name, several in found.items()})


def own() -> Registry:
    """Our own two formats, which carry every kind; they need no layout."""
    return Registry((JsonExchange(), ProtoExchange()))


def standard() -> Registry:
    """The formats of the package, one line each."""
    return Registry(
        (
            *own(),
            layout.packaged("upu.itmatt.1"),
            layout.packaged("upu.cusitm.1"),
            layout.packaged("upu.cusrsp.1"),
            layout.packaged("upu.referral.1"),
            layout.packaged("gb.dms.declaration.2"),
            layout.packaged("gb.dms.response.2"),
            layout.packaged("eu.ics2.f43.2"),
            layout.packaged("eu.ics2.referral.2"),
            layout.packaged("eu.ics2.risk.2"),
        )
    )
