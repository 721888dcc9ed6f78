"""Hypothesis strategies that the tests of several packages share.

``messages`` and ``headers`` give canonical values of all sorts; ``wire_documents`` gives
documents that the schema of a layout allows, and ``interchanges`` what can be said in one.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from lxml import etree

from tests.examples import TIMES
from tests.translators.strategies_model import headers, messages, values
from translators.canonical import Interchange, kind_of
from translators.faults import TranslationError
from translators.layout import LayoutTranslator
from translators.layout.plan import Content, Element, Value
from translators.model import field_type
from translators.translator import decode
from translators.xml import Node

__all__ = ["headers", "interchanges", "messages", "texts", "tried", "wire_documents"]


def tried(examples: int) -> settings:
    """Settings of a law: always the same examples; for ``make fuzz`` many times more, and new."""
    return settings(
        max_examples=examples * TIMES,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )


XML_CHARACTERS: st.SearchStrategy[str] = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)
"""What XML can carry, but control characters, which stand in texts of their own below."""
_SCRIPTS = (
    "Müller & Söhne",
    "東京都千代田区",
    "Санкт-Петербург",
    "شارع ١٢",
    'a "b" <c> | d',
    "x\ty",
)


def texts(minimum: int = 1, maximum: int | None = None) -> st.SearchStrategy[str]:
    """Trimmed texts of several scripts, with what has to be escaped."""
    most = min(maximum or 40, 40)
    known = [text for text in _SCRIPTS if minimum <= len(text) <= most]
    drawn = st.text(XML_CHARACTERS, min_size=minimum, max_size=most).filter(
        lambda text: text.strip() == text and len(text) >= minimum
    )
    return st.one_of(drawn, st.sampled_from(known)) if known else drawn


def _instants() -> st.SearchStrategy[str]:
    zones = st.integers(-14 * 60, 14 * 60).map(lambda some: timezone(timedelta(minutes=some)))
    moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=zones)  # noqa: DTZ001 - the strategy adds the zone
    return st.one_of(
        moments.map(datetime.isoformat),
        moments.map(lambda one: one.astimezone(UTC).isoformat().replace("+00:00", "Z")),
    )


def wire_texts(value: Value) -> st.SearchStrategy[str]:
    """Texts that the type of a value allows."""
    type_ = value.type
    if type_.codes is not None:
        return st.sampled_from(sorted(type_.codes.wire))
    if type_.values:
        return st.sampled_from(type_.values)
    if type_.name == "instant":
        return _instants()
    if type_.name == "date":
        return st.dates().map(lambda day: day.isoformat())
    if type_.base == "base64Binary":
        return st.binary(min_size=1, max_size=20).map(lambda some: b64encode(some).decode())
    if type_.base == "integer":
        return st.integers(1, 999).map(str)
    if type_.pattern is not None:
        return st.from_regex(type_.pattern, fullmatch=True).filter(str.isascii)
    return texts(type_.minimum or 1, type_.maximum)


@st.composite
def wire_documents(draw: st.DrawFn, layout: LayoutTranslator) -> bytes:
    """Documents that a layout allows; derived values, choices and predicates are not drawn."""
    nsmap: Any = {None: layout.plan.namespaces["default"]}
    root = etree.Element(layout.plan.root, nsmap=nsmap)
    _fill(draw, root, layout.plan.document)
    if draw(st.booleans()):
        etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(draw: st.DrawFn, node: Node, content: Content) -> None:
    for tag, value in content.attributes.items():
        if value.required or draw(st.booleans()):
            node.set(tag, draw(wire_texts(value)))
    if content.text is not None:
        node.text = draw(wire_texts(content.text))
    for element in content.elements():
        for _ in range(_times(draw, element)):
            made = etree.SubElement(node, element.tag)
            if element.pairs is not None:
                made.set(element.pairs, draw(texts(1, 20)))
                made.text = draw(texts(1, 20))
                return
            rows = element.messages.rows if element.messages else ()
            _fill(draw, made, rows[0].content if rows else element.content)


def _times(draw: st.DrawFn, element: Element) -> int:
    most = 2 if element.maximum is None else min(element.maximum, 2)
    return draw(st.integers(min_value=min(element.minimum, most), max_value=most))


@st.composite
def interchanges(draw: st.DrawFn, layout: LayoutTranslator) -> Interchange:
    """What a layout can say, with some of what it cannot carry added."""
    found = decode(layout, draw(wire_documents(layout)))
    more = tuple(_with_more(draw, message, layout) for message in found.messages)
    return Interchange(header=found.header, messages=more)


def _with_more(draw: st.DrawFn, message: Any, layout: LayoutTranslator) -> Any:
    kind = kind_of(message)
    dropped = sorted(path for path in layout.drops[kind] if path.count("/") == 1)
    chosen = draw(st.lists(st.sampled_from(dropped), max_size=2, unique=True)) if dropped else []
    for path in chosen:
        value = draw(values(field_type(kind, path), XML_CHARACTERS))
        message = msgspec.structs.replace(message, **{path[1:]: value})
    return message


def refused(layout: LayoutTranslator, content: bytes) -> bool:
    """True when a document, or a message in it, is refused."""
    try:
        decode(layout, content)
    except TranslationError:
        return True
    return False
