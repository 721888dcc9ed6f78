"""eu.ics2.risk.2 against the published schemas of ICS2: what is written satisfies them, and every
value of a document that they allow comes back."""

from __future__ import annotations

from functools import cache

import pytest
from lxml import etree

from tests.conformance import ics2
from tests.conformance.accounting import account, as_moment, as_number
from tests.conformance.drawn import Drawer, Part, leaves, tree
from tests.conftest import Figure
from translators.layout import packaged
from translators.translator import decode, encode
from translators.xml import Node

pytestmark = pytest.mark.conformance("ICS2 risk messages")

LAYOUT = packaged("eu.ics2.risk.2")
FORMS = tuple(root.rpartition("}")[2] for root in LAYOUT.root_elements)
each_form = pytest.mark.parametrize("form", FORMS)
DRAWN = 60
"""Documents that are drawn of each form."""


@cache
def published(form: str) -> Part:
    return tree(form)


def valid(form: str, node: Node) -> bool:
    """True when the published schema takes a document; told otherwise."""
    schema = ics2.published(form)
    assert schema.validate(node), f"{schema.error_log}"
    return True


def typed(path: str, text: str) -> object:
    """Numbers and instants are the same in another spelling, all else is text."""
    if path.endswith(("DateTime", "messageTimestamp")):
        return as_moment(text)
    return as_number(text) if path.endswith(("goodsItemNumber", "sequenceNumber")) else text


@each_form
@pytest.mark.parametrize("full", [True, False])
def test_the_sample_satisfies_the_published_schema(form: str, full: bool) -> None:
    sample = LAYOUT.samples(full=full)[FORMS.index(form)]
    content = encode(LAYOUT, sample)
    assert valid(form, etree.fromstring(content))
    assert sample == decode(LAYOUT, content)


@each_form
def test_every_value_of_drawn_documents_comes_back_or_is_named(form: str, figure: Figure) -> None:
    for seed in range(DRAWN):
        drawn = Drawer(seed).document(published(form))
        assert valid(form, drawn)
        found = account(LAYOUT, etree.tostring(drawn), typed)
        assert valid(form, etree.fromstring(found.written))
        assert frozenset() == found.unnamed, seed
        figure("values of drawn documents carried", found.carried, found.total)


@each_form
def test_what_was_written_reads_back_equal(form: str) -> None:
    for seed in range(0, DRAWN, 10):
        drawn = etree.tostring(Drawer(seed).document(published(form)))
        found = decode(LAYOUT, drawn)
        assert found == decode(LAYOUT, encode(LAYOUT, found))


@each_form
def test_the_published_elements_are_carried(form: str, figure: Figure) -> None:
    wanted = leaves(published(form))
    content = encode(LAYOUT, LAYOUT.samples()[FORMS.index(form)])
    # The full sample of a form fills every line of it; the message has the rest of the forms.
    found = ics2.filled(etree.fromstring(content))
    figure("published elements carried", len(wanted & found), len(wanted))
    assert wanted == found
