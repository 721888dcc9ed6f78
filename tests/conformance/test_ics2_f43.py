"""eu.ics2.f43.2 against the consignment that is published for it (type 57): what is written
satisfies it, and every value of a consignment that it allows comes back or is named."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.conformance import ics2
from tests.conformance.accounting import account, as_moment, as_number, values
from tests.conformance.drawn import Drawer, Part, leaves, tree
from tests.conftest import Figure
from tests.samples import item
from tests.strategies import tried
from tests.variations import expressible
from translators.canonical import Header, Interchange, ItemDeclaration, Reference, TradeParty
from translators.faults import Note, NoteKind, TranslationError
from translators.layout import packaged
from translators.translator import decode, encode
from translators.xml import Node

pytestmark = pytest.mark.conformance("ICS2 F43")

LAYOUT = packaged("eu.ics2.f43.2")
TABLE = "F43-postal-consignment-type57"
CONSIGNMENT = f"{{{ics2.NAMESPACE}}}consignmentMasterLevel"
AMOUNTS = ("postalValue", "postalCharges/postalCharges")
NUMBERS = ("totalGrossMass", "netMass", "@value", "goodsItemNumber", "numberOfPackages")
NARROWER = {
    "typeOfPerson": ("1", "2", "3"),
    # All goods of an item are of one nature with us, and its number is that of a postal item.
    "typeOfGoods": ("11",),
    "documentNumber": ("EE471108151FR", "RR473124829GB"),
}
FILING = Header(
    control_reference="LRN-1",
    prepared_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    addressed_country="FR",
    declarant=TradeParty(references=(Reference(type="EORI", value="FR00000000000017"),)),
)
ENVELOPE = encode(LAYOUT, Interchange(header=FILING, messages=LAYOUT.sample().messages[:1]))


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    """A schema with one element, of the published type of the consignment."""
    folder: Path = tmp_path_factory.mktemp("f43")
    return ics2.of_type("consignmentMasterLevel", "ConsignmentMasterLevelType57", folder)


def valid(schema: etree.XMLSchema, document: bytes) -> bool:
    """True when the consignment of a filing is one; told otherwise."""
    (consignment,) = etree.fromstring(document).iter(CONSIGNMENT)
    assert schema.validate(consignment), f"{schema.error_log}"
    return True


def filing(consignment: Node) -> bytes:
    """A filing with another consignment in it."""
    root = etree.fromstring(ENVELOPE)
    (known,) = root.iter(CONSIGNMENT)
    root.replace(known, consignment)
    return etree.tostring(root)


def typed(path: str, text: str) -> object:
    """Numbers and instants are the same in another spelling, all else is text."""
    if path.endswith("DateTime"):
        return as_moment(text)
    return as_number(text) if path.endswith(NUMBERS) else text


@pytest.mark.parametrize("full", [True, False])
def test_the_consignment_of_the_sample_is_one(schema: etree.XMLSchema, full: bool) -> None:
    sample = LAYOUT.sample(full=full)
    content = encode(LAYOUT, sample)
    assert valid(schema, content)
    assert sample == decode(LAYOUT, content)


@tried(60)
@given(data=st.data())
def test_consignments_of_generated_items_are_ones(
    schema: etree.XMLSchema, data: st.DataObject
) -> None:
    drawn = data.draw(expressible(LAYOUT, "ItemDeclaration"))
    assert valid(schema, encode(LAYOUT, drawn))


def test_every_value_of_drawn_consignments_comes_back_or_is_named(
    schema: etree.XMLSchema, figure: Figure
) -> None:
    published: Part = tree(TABLE)
    for seed in range(60):
        content = filing(Drawer(seed, NARROWER).document(published))
        assert valid(schema, content)
        found = account(LAYOUT, content, typed)
        assert valid(schema, found.written)
        assert frozenset() == found.unnamed, seed
        figure("values of drawn consignments carried", found.carried, found.total)


def test_the_published_elements_are_carried(figure: Figure) -> None:
    wanted = {
        one
        for path in leaves(tree(TABLE))
        for one in ((f"{path}/@value", f"{path}/@currency") if path.endswith(AMOUNTS) else (path,))
    }
    start = "/IE3F43/consignmentMasterLevel/"
    found = {
        "/".join(step.partition("[")[0] for step in path.split("/")).removeprefix(start)
        for path in values(encode(LAYOUT, LAYOUT.sample()))
        if "consignmentMasterLevel" in path
    }
    figure("published elements carried", len(wanted & found), len(wanted))
    assert wanted == found


def test_an_item_of_a_post_is_a_consignment_as_it_is(schema: etree.XMLSchema) -> None:
    notes: list[Note] = []
    message = msgspec.structs.replace(item(), gross_weight=Decimal("1.250"))
    content = encode(LAYOUT, Interchange(header=FILING, messages=(message,)), notes.append)
    assert valid(schema, content)
    (back,) = decode(LAYOUT, content).messages
    assert (message.item_id, message.pieces) == (back.item_id, back.pieces)  # type: ignore[union-attr]
    assert "/mail_class" in {note.path for note in notes if note.kind is NoteKind.DROPPED}


@pytest.mark.parametrize(("hs", "parts"), [("610910", ("610910",)), ("61091000", ("610910", "00"))])
def test_a_commodity_code_stands_in_its_two_parts(hs: str, parts: tuple[str, ...]) -> None:
    root = etree.fromstring(encode(LAYOUT, Interchange(header=FILING, messages=(of_code(hs),))))
    (code,) = root.iter(f"{{{ics2.NAMESPACE}}}commodityCode")
    assert parts == tuple(one.text for one in code)


@pytest.mark.parametrize("hs", ["6109", "6109100012"])
def test_a_commodity_code_of_another_length_is_refused(hs: str) -> None:
    with pytest.raises(TranslationError) as caught:
        encode(LAYOUT, Interchange(header=FILING, messages=(of_code(hs),)))
    assert {"/pieces/0/hs"} == {fault.path for fault in caught.value.faults}


def of_code(hs: str) -> ItemDeclaration:
    """An item with one kind of goods of that commodity code."""
    whole = item()
    piece = msgspec.structs.replace(whole.pieces[0], hs=hs)
    return msgspec.structs.replace(whole, pieces=(piece,))
