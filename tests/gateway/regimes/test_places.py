"""The table of checks: every identifier is found wherever the model has it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.regimes import Universal
from gateway.regimes.codes import CodeList, Codes, parse_list
from tests import samples
from tests.strategies import messages
from translators.canonical import (
    KINDS,
    CustomsResponse,
    Despatch,
    GoodsDeclaration,
    GoodsItem,
    Message,
    Office,
    ProductId,
    Receptacle,
    Reference,
    Referral,
    RiskIndicator,
    RiskSubject,
    TaxReference,
    kind_of,
)
from translators.faults import Severity

UNIVERSAL = Universal()
S9 = "FRCDGADEFRAAAUN60042007100123"


def found(message: Message, universal: Universal = UNIVERSAL) -> set[tuple[str, str]]:
    return {(fault.code, fault.path) for fault in universal.check(message)}


def referring(*references: Reference) -> Message:
    return samples.item(addressee=msgspec.structs.replace(samples.ADDRESSEE, references=references))


DESPATCH = Despatch(
    despatch_id="D1",
    origin_office="FRCDGA",
    destination_office="DEFRAA",
    receptacles=(Receptacle(receptacle_id=S9, item_ids=("EE471108151FR", "own-7")),),
)


def test_references_of_trade_parties_are_judged_by_their_type() -> None:
    assert {
        ("eori.form", "/addressee/references/0/value"),
        ("vat.rule", "/addressee/references/1/value"),
        ("ioss.form", "/addressee/references/2/value"),
        ("country.unknown", "/addressee/references/3/country"),
    } == found(
        referring(
            Reference(type="EORI", value="FR"),
            Reference(type="VAT", value="FR61954506078"),
            Reference(type="IOSS", value="1"),
            Reference(type="passport", value="1", country="QQ"),
        )
    )


def test_tax_references_are_judged_by_their_scheme() -> None:
    item = samples.item(
        tax_references=(
            TaxReference(scheme="IOSS", number="IM2760000742"),
            TaxReference(scheme="IOSS", number="IM276"),
            TaxReference(scheme="GST", number="anything"),
        )
    )
    assert {("ioss.form", "/tax_references/1/number")} == found(item)


def test_declarations_name_the_vendor_by_role() -> None:
    declaration = GoodsDeclaration(
        function="original",
        type_code="IMA",
        lrn="L1",
        tax_references=(TaxReference(scheme="FR5", number="IM1"),),
        items=(GoodsItem(number=1, hs="000000"), GoodsItem(number=1, origin_country="QQ")),
    )
    assert {
        ("ioss.form", "/tax_references/0/number"),
        ("hs.chapter", "/items/0/hs"),
        ("country.unknown", "/items/1/origin_country"),
        ("number.repeated", "/items/1/number"),
    } == found(declaration)


def test_goods_are_judged_by_code_and_product() -> None:
    piece = msgspec.structs.replace(
        samples.ITEM.pieces[0], hs="770000", product_ids=(ProductId(type="GTIN", value="73513536"),)
    )
    assert {
        ("hs.chapter", "/pieces/0/hs"),
        ("gtin.check-digit", "/pieces/0/product_ids/0/value"),
    } == found(samples.item(pieces=(piece,)))


def test_operators_and_movements_of_an_item() -> None:
    item = samples.item(origin_operator="FRA", destination_operator="?", mrn="10NL5663962BE1E826")
    assert {("operator.form", "/destination_operator"), ("mrn.check-digit", "/mrn")} == found(item)


def test_receptacles_offices_and_items_of_a_despatch() -> None:
    assert set() == found(DESPATCH)
    wrong = msgspec.structs.replace(
        DESPATCH,
        origin_office="CDG",
        receptacles=(Receptacle(receptacle_id="bag 7", item_ids=("EE471108152FR",)),),
    )
    assert {
        ("impc.form", "/origin_office"),
        ("s9.form", "/receptacles/0/receptacle_id"),
        ("s10.check-digit", "/receptacles/0/item_ids/0"),
    } == found(wrong)


def test_a_referral_is_never_refused_for_the_receptacles_that_it_repeats() -> None:
    referral = Referral(
        reference="R1",
        kind="DNL",
        issued_at=samples.NOW,
        authority=Office(code="FR000740"),
        receptacle_ids=(S9, "bag 7"),
    )
    (fault,) = UNIVERSAL.check(referral)

    assert ("s9.form", "/receptacle_ids/1", Severity.WARNING) == (
        fault.code,
        fault.path,
        fault.severity,
    )


def test_an_indicator_may_speak_of_false_identifiers() -> None:
    indicator = RiskIndicator(
        issuer="x",
        indicator_id="1",
        kind="entity",
        area="revenue",
        level="low",
        statement="uses a false number",
        subjects=(RiskSubject(references=(Reference(type="EORI", value="?"),)),),
    )
    assert set() == found(indicator)


def test_an_answer_is_not_judged_for_the_item_that_it_names() -> None:
    response = CustomsResponse(decision="released", decided_at=samples.NOW, item_id="CP001020301BR")
    assert set() == found(response)


def test_registers_of_the_user_are_judged_by() -> None:
    universal = Universal(
        codes=Codes(
            impc=frozenset({"FRCDGA"}), operators=frozenset({"FRA"}), hs=frozenset({"611595"})
        )
    )
    assert {("impc.unknown", "/destination_office")} == found(DESPATCH, universal)
    item = samples.item(origin_operator="XYZ", destination_operator="FRA")
    assert {("operator.unknown", "/origin_operator"), ("hs.unknown", "/pieces/0/hs")} == found(
        item, universal
    )


def test_lists_of_the_user_take_the_place_of_ours() -> None:
    universal = Universal(codes=Codes(countries=frozenset({"FR"}), currencies=frozenset({"XYZ"})))

    assert {
        ("country.unknown", "/addressee/address/country"),
        ("currency.unknown", "/pieces/0/amount/currency"),
    } == found(samples.ITEM, universal)


def test_a_list_of_the_user_holds_where_the_user_says() -> None:
    own = CodeList(name="upu-115", places=("ItemDeclaration.handling_class",), codes=frozenset("R"))
    universal = Universal(codes=Codes(lists=(own,)))

    assert set() == found(samples.item(handling_class="R"), universal)
    (fault,) = universal.check(samples.item(handling_class="Q"))
    assert ("list.upu-115", "/handling_class", Severity.WARNING) == (
        fault.code,
        fault.path,
        fault.severity,
    )


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A\nB\n", {"A", "B"}),
        ("# source: example\ncode,name\nA,first\nB,second\n", {"A", "B"}),
        ('\ufeff"A";"x"\n\n  B\tlast', {"A", "B"}),
    ],
)
def test_lists_are_read_from_their_first_column(text: str, codes: set[str]) -> None:
    assert codes == parse_list(text)


def test_a_list_without_a_code_is_no_list() -> None:
    with pytest.raises(ValueError, match="no code"):
        parse_list("# nothing\ncode\n")


def test_drafts_are_judged_as_far_as_they_can_be_read() -> None:
    draft: dict[str, Any] = {
        "item_id": "EE471108152FR",
        "gross_weight": "-1",
        "pieces": [{"hs": "12", "amount": {"amount": "x", "currency": "QQQ"}}, "rubbish"],
        "sender": 7,
        "addressee": {"address": {"country": "QQ"}, "references": [{"type": "EORI", "value": []}]},
    }
    assert {
        ("s10.check-digit", "/item_id"),
        ("weight.not-positive", "/gross_weight"),
        ("hs.form", "/pieces/0/hs"),
        ("currency.unknown", "/pieces/0/amount/currency"),
        ("country.unknown", "/addressee/address/country"),
    } == {(f.code, f.path) for f in UNIVERSAL.check_draft("ItemDeclaration", draft)}


def test_a_draft_of_an_unknown_kind_is_not_judged() -> None:
    assert () == UNIVERSAL.check_draft(None, {"country": "QQ"})
    assert () == UNIVERSAL.check_draft("Rubbish", {"country": "QQ"})


@settings(max_examples=100, deadline=None)
@given(messages())
def test_no_message_of_any_kind_makes_the_rules_raise(message: Message) -> None:
    faults = UNIVERSAL.check(message)

    assert all(fault.path.startswith("/") and fault.detail for fault in faults)
    draft = msgspec.json.decode(msgspec.json.encode(message))
    assert {(f.code, f.path) for f in faults} == {
        (f.code, f.path) for f in UNIVERSAL.check_draft(kind_of(message), draft)
    }


_PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_NAMES = st.sampled_from(["address", "amount", "currency", "lines", "hs", "name", "description"])
_INNER = _PLAIN | st.lists(_PLAIN, max_size=2) | st.dictionaries(_NAMES, _PLAIN, max_size=3)
RUBBISH = _INNER | st.lists(_INNER, max_size=3) | st.dictionaries(_NAMES, _INNER, max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_no_draft_makes_the_rules_raise(kind: str, data: st.DataObject) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(KINDS[kind])]
    draft = data.draw(st.dictionaries(st.sampled_from(names), RUBBISH, max_size=6))

    UNIVERSAL.check_draft(kind, draft)


def test_decimals_of_a_draft_may_be_numbers_already() -> None:
    draft = {"gross_weight": Decimal(-1)}
    assert ["weight.not-positive"] == [
        f.code for f in UNIVERSAL.check_draft("ItemDeclaration", draft)
    ]
