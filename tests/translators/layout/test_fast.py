"""Generated readers and writers do what the reference does, for every construct of layouts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.translators.layout import constructs
from tests.translators.layout.drawn import changed, documents
from tests.translators.layout.layouts import by_reference, compiled, read
from tests.translators.layout.test_properties import mutated
from translators.canonical import Header, Interchange
from translators.faults import TranslationError
from translators.layout import LayoutTranslator
from translators.translator import Entry, encode

LAYOUTS = {name: compiled(text) for name, text in constructs.LAYOUTS.items()}
each_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
some = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)


@each_layout
@some
@given(data=st.data())
def test_both_readers_read_alike(layout: LayoutTranslator, data: st.DataObject) -> None:
    content = data.draw(documents(layout))
    assert read(layout, content) == by_reference(layout, content)


@each_layout
@some
@given(data=st.data())
def test_both_readers_agree_on_what_is_wrong(layout: LayoutTranslator, data: st.DataObject) -> None:
    content = mutated(data, data.draw(documents(layout)))
    assert read(layout, content) == by_reference(layout, content)


@each_layout
@some
@given(data=st.data())
def test_both_writers_write_alike_and_what_they_write_is_read_alike(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    readings = by_reference(layout, data.draw(documents(layout)))
    header = next((one for one in readings if isinstance(one, Header)), Header())
    messages = tuple(
        data.draw(changed(one.message))
        for one in readings
        if isinstance(one, Entry) and one.message is not None
    )
    content = written(layout, header, messages)
    assert content == written(layout, header, messages, report=True)
    if isinstance(content, bytes):
        # In what is written all that is derived is right.
        assert read(layout, content) == by_reference(layout, content)


def written(
    layout: LayoutTranslator, header: Header, messages: tuple[Any, ...], *, report: bool = False
) -> object:
    """The document, or what is wrong; a report takes the reference writer."""
    notes: list[Any] = []
    interchange = Interchange(header=header, messages=messages)
    try:
        return encode(layout, interchange, notes.append if report else None)
    except TranslationError as error:
        return error.faults
