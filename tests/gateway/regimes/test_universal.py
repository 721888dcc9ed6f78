"""Rules that hold everywhere, and a jurisdiction's own table."""

from decimal import Decimal

import msgspec
import pytest

from gateway.regimes import Jurisdiction, Universal, weigh
from gateway.regimes.jurisdiction import Requirement
from tests import samples
from translators.canonical import Address, ContentPiece, ItemDeclaration, Money, Order, Parcel
from translators.faults import Fault, Severity


def found(message: ItemDeclaration | Order) -> set[tuple[str, str]]:
    return {(fault.code, fault.path) for fault in Universal().check(message)}


def test_good_messages_have_no_fault() -> None:
    assert set() == found(samples.ITEM) | found(samples.ORDER)


def test_a_bad_check_digit_is_found() -> None:
    assert {("s10.check-digit", "/item_id")} == found(samples.item(item_id="EE471108152FR"))


def test_an_identifier_of_another_type_is_not_judged_as_s10() -> None:
    assert set() == found(samples.item(item_id="1Z-77", item_id_type="carrier"))


def test_unknown_countries_are_found_wherever_they_stand() -> None:
    addressee = msgspec.structs.replace(samples.ADDRESSEE, address=Address(country="QQ"))
    piece = msgspec.structs.replace(samples.ITEM.pieces[0], origin_country="ZX")

    assert {
        ("country.unknown", "/addressee/address/country"),
        ("country.unknown", "/pieces/0/origin_country"),
    } == found(samples.item(addressee=addressee, pieces=(piece,)))


def test_a_country_of_the_configuration_is_known() -> None:
    message = samples.item(destination_country="XA")

    assert ("country.unknown", "/destination_country") in found(message)
    assert Universal(countries=frozenset({"XA"})).check(message) == ()


def test_every_fault_of_a_message_is_named_at_once() -> None:
    piece = ContentPiece(
        number=1,
        pieces=1,
        description="socks",
        hs="6115",
        amount=Money(amount=Decimal(-1), currency="ZZZ"),
    )
    message = samples.item(
        item_id="XX", gross_weight=Decimal(0), pieces=(piece, samples.ITEM.pieces[0])
    )

    assert {
        ("s10.form", "/item_id"),
        ("weight.not-positive", "/gross_weight"),
        ("hs.form", "/pieces/0/hs"),
        ("amount.negative", "/pieces/0/amount/amount"),
        ("currency.unknown", "/pieces/0/amount/currency"),
        ("number.repeated", "/pieces/1/number"),
    } == found(message)


def test_a_parcel_that_names_a_line_which_is_not_there() -> None:
    parcel = Parcel(tracking_number="own-7", lines=(1, 9))
    order = msgspec.structs.replace(samples.ORDER, parcels=(parcel,))

    assert {("reference.unknown", "/parcels/0/lines/1")} == found(order)


LU = Jurisdiction(
    country="LU",
    source="example",
    valid_from="2026-01-01",
    requirements=(
        Requirement(
            id="hs-for-sales",
            kind="ItemDeclaration",
            path="pieces/*/hs",
            text="an HS code is required for sales",
            natures=("sale",),
        ),
        Requirement(
            id="telephone",
            kind="ItemDeclaration",
            path="addressee/telephone",
            text="helps delivery",
            severity=Severity.WARNING,
        ),
    ),
)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ["regime.telephone"]),
        ({"destination_country": "FR"}, []),
        ({"nature": "gift"}, ["regime.telephone"]),
    ],
)
def test_a_jurisdiction_speaks_only_for_itself(changes: dict[str, str], codes: list[str]) -> None:
    message = samples.item(**{"destination_country": "LU", **changes})

    assert codes == [fault.code for fault in LU.check(message)]


def test_a_missing_path_is_named_with_its_index() -> None:
    bare = msgspec.structs.replace(samples.ITEM.pieces[0], number=2, hs=None)
    message = samples.item(destination_country="LU", pieces=(samples.ITEM.pieces[0], bare))

    assert ("regime.hs-for-sales", "/pieces/1/hs") in [(f.code, f.path) for f in LU.check(message)]


def test_configuration_weighs_codes() -> None:
    faults = (Fault(code="a"), Fault(code="b"), Fault(code="c", severity=Severity.WARNING))

    weighed = weigh(faults, {"a": "warning", "b": "ignore", "c": "error"})

    assert [(fault.code, fault.severity) for fault in weighed] == [
        ("a", Severity.WARNING),
        ("c", Severity.ERROR),
    ]
