"""Data quality: every finding has a message that has it and one that just has it not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.demo.generator import items, orders
from gateway.regimes import DataQuality, QualitySettings, Universal, standard
from gateway.regimes.quality.regime import DETAILS
from tests import samples
from tests.strategies import messages
from translators.canonical import (
    KINDS,
    Address,
    ContentPiece,
    GoodsDeclaration,
    GoodsItem,
    ItemDeclaration,
    Message,
    Money,
    Order,
    OrderLine,
    TradeParty,
)
from translators.faults import Severity

QUALITY = DataQuality()


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def found(message: Message, quality: DataQuality = QUALITY) -> set[tuple[str, str]]:
    return {(fault.code.removeprefix("quality."), fault.path) for fault in quality.check(message)}


def piece(**changes: Any) -> ContentPiece:
    return msgspec.structs.replace(samples.ITEM.pieces[0], **changes)


def of(**changes: Any) -> ItemDeclaration:
    """The sample item with one piece that differs."""
    return samples.item(pieces=(piece(**changes),))


def party(**changes: Any) -> TradeParty:
    return msgspec.structs.replace(samples.ADDRESSEE, **changes)


def at(**changes: Any) -> TradeParty:
    """The addressee at an address that differs."""
    assert samples.ADDRESSEE.address is not None
    return party(address=msgspec.structs.replace(samples.ADDRESSEE.address, **changes))


ORDER = msgspec.structs.replace(
    samples.ORDER, lines=(msgspec.structs.replace(samples.ORDER.lines[0], hs="611595"),)
)


def ordered(**changes: Any) -> Order:
    return msgspec.structs.replace(ORDER, **changes)


def line(**changes: Any) -> OrderLine:
    return msgspec.structs.replace(ORDER.lines[0], **changes)


DECLARATION = GoodsDeclaration(
    function="original",
    type_code="IMA",
    lrn="L1",
    consignor=samples.SENDER,
    consignee=samples.ADDRESSEE,
    gross_weight=Decimal("3.0"),
    invoice_total=eur("30.00"),
    transaction_nature="11",
    items=(
        GoodsItem(
            number=1,
            description="woollen socks, knitted",
            hs="611595",
            gross_weight=Decimal("2.0"),
            net_weight=Decimal("1.9"),
            invoice_amount=eur("20.00"),
        ),
        GoodsItem(
            number=2,
            description="silk scarf",
            hs="621410",
            gross_weight=Decimal("1.0"),
            invoice_amount=eur("10.00"),
        ),
    ),
)


def declared(**changes: Any) -> GoodsDeclaration:
    return msgspec.structs.replace(DECLARATION, **changes)


def goods(**changes: Any) -> GoodsDeclaration:
    first, second = DECLARATION.items
    return declared(items=(msgspec.structs.replace(first, **changes), second))


def test_good_messages_have_no_finding() -> None:
    assert set() == found(samples.ITEM) | found(ORDER) | found(DECLARATION)


HITS_AND_MISSES: list[tuple[str, str, Message, Message]] = [
    (
        "description-vague",
        "/pieces/0/description",
        of(description="Gift"),
        of(description="gift box of chocolates", hs="180690"),
    ),
    (
        "description-short",
        "/pieces/0/description",
        of(description="ab"),
        of(description="hat", hs="650500"),
    ),
    (
        "description-digits",
        "/pieces/0/description",
        of(description="611595"),
        of(description="socks 611595"),
    ),
    ("value-zero", "/pieces/0/amount/amount", of(amount=eur("0.00")), of(amount=eur("0.01"))),
    (
        "value-zero",
        "/declared_value/amount",
        samples.item(declared_value=eur("0"), pieces=(piece(amount=None),)),
        samples.item(nature="documents", declared_value=eur("0"), pieces=(piece(amount=None),)),
    ),
    ("value-one", "/pieces/0/amount/amount", of(amount=eur("1.00")), of(amount=eur("1.10"))),
    (
        "value-one",
        "/declared_value/amount",
        samples.item(declared_value=eur("1"), pieces=(piece(amount=eur("1")),)),
        samples.item(
            declared_value=eur("3"),
            pieces=(piece(amount=eur("1")), piece(number=2, amount=eur("2"))),
        ),
    ),
    (
        "value-weight",
        "/pieces/0/amount/amount",
        samples.item(gross_weight=Decimal(750)),  # grams, written as kilograms
        samples.item(gross_weight=Decimal(75)),
    ),
    (
        "value-weight",
        "/pieces/0/amount/amount",
        of(amount=eur("2450000")),
        of(amount=Money(amount=Decimal(2450000), currency="VND")),
    ),
    (
        "weight-sum",
        "/gross_weight",
        of(net_weight=Decimal("0.8")),
        of(net_weight=Decimal("0.76")),  # within the tolerance
    ),
    (
        "value-sum",
        "/declared_value/amount",
        samples.item(declared_value=eur("20.00")),
        samples.item(declared_value=eur("24.51")),
    ),
    (
        "value-sum",
        "/declared_value/amount",
        samples.item(declared_value=eur("20.00")),
        samples.item(declared_value=Money(amount=Decimal(20), currency="GBP")),
    ),
    (
        "hs-missing",
        "/pieces/0/hs",
        of(hs=None),
        samples.item(nature="gift", pieces=(piece(hs=None),)),
    ),
    (
        "hs-description",
        "/pieces/0/hs",
        of(description="cotton trousers", hs="850440"),
        of(description="cotton trousers", hs="620342"),
    ),
    (
        "locality-missing",
        "/addressee/address/city",
        samples.item(addressee=at(city=None)),
        samples.item(addressee=at(city=None, country="SG")),
    ),
    (
        "locality-missing",
        "/addressee/address",
        samples.item(addressee=party(address=None)),
        samples.ITEM,
    ),
    (
        "placeholder",
        "/addressee/name",
        samples.item(addressee=party(name="N/A")),
        samples.item(addressee=party(name="Na Testova")),
    ),
    (
        "placeholder",
        "/addressee/address/lines/0",
        samples.item(addressee=at(lines=("xxxx",))),
        samples.item(addressee=at(lines=("1111",))),
    ),
    (
        "placeholder",
        "/addressee/address/city",
        samples.item(addressee=at(city="12345")),
        samples.item(addressee=at(city="Å")),
    ),
    (
        "placeholder",
        "/sender/organisation",
        samples.item(sender=party(organisation="unknown")),
        samples.item(sender=party(organisation="Unknown Pleasures Records")),
    ),
    (
        "same-parties",
        "/addressee",
        samples.item(sender=samples.ADDRESSEE, addressee=party(name="MUSTER, Beispiel")),
        samples.item(sender=samples.ADDRESSEE, addressee=at(lines=("4 um Beispill",))),
    ),
    (
        "description-vague",
        "/lines/0/description",
        ordered(lines=(line(description="goods"),)),
        ordered(lines=(line(description="woollen goods for babies"),)),
    ),
    ("hs-missing", "/lines/0/hs", samples.ORDER, ORDER),
    (
        "value-zero",
        "/lines/0/unit_price/amount",
        ordered(lines=(line(unit_price=eur("0")),)),
        ordered(lines=(line(unit_price=eur("0.10")),)),
    ),
    ("value-one", "/total/amount", ordered(total=eur("1"), freight=None), ordered(total=None)),
    (
        "value-sum",
        "/total/amount",
        ordered(total=eur("40.00")),
        ordered(total=eur("29.50"), freight=eur("5.00")),
    ),
    (
        "value-sum",
        "/total/amount",
        ordered(total=eur("24.50"), discount=eur("4.50")),
        ordered(total=eur("24.00"), discount=eur("4.50"), tax_collected=eur("4.00")),
    ),
    (
        "locality-missing",
        "/consignee/address",
        ordered(consignee=party(address=None)),
        ordered(seller=party(address=None)),
    ),
    (
        "same-parties",
        "/consignee",
        ordered(seller=samples.ADDRESSEE),
        ordered(seller=party(address=None)),
    ),
    (
        "hs-missing",
        "/items/0/hs",
        goods(hs=None),
        declared(transaction_nature="31", items=(goods(hs=None).items[0], DECLARATION.items[1])),
    ),
    (
        "hs-description",
        "/items/0/hs",
        goods(description="cotton trousers", hs="850440"),
        goods(description="trousers and belts", hs="850440"),
    ),
    ("weight-sum", "/gross_weight", declared(gross_weight=Decimal("2.9")), declared()),
    (
        "weight-sum",
        "/items/0/gross_weight",
        goods(net_weight=Decimal("2.1")),
        goods(net_weight=Decimal("2.0")),
    ),
    ("value-sum", "/invoice_total/amount", declared(invoice_total=eur("31")), declared()),
    (
        "value-zero",
        "/items/0/invoice_amount/amount",
        goods(invoice_amount=eur("0")),
        goods(invoice_amount=None),
    ),
    (
        "locality-missing",
        "/consignee/address/city",
        declared(consignee=at(city=None)),
        declared(consignee=party(address=Address(country="FR"))),
    ),
    (
        "placeholder",
        "/importer/name",
        declared(importer=TradeParty(name="test")),
        declared(importer=TradeParty(name="Test & Fils")),
    ),
    ("same-parties", "/consignee", declared(consignor=samples.ADDRESSEE), declared(consignor=None)),
]


@pytest.mark.parametrize(
    ("code", "path", "hit", "miss"),
    HITS_AND_MISSES,
    ids=[f"{code} {path}" for code, path, _, _ in HITS_AND_MISSES],
)
def test_every_finding_has_a_hit_and_a_miss(
    code: str, path: str, hit: Message, miss: Message
) -> None:
    assert (code, path) in found(hit)
    assert code not in {other for other, _ in found(miss)}


def test_every_finding_is_tried() -> None:
    tried = {f"quality.{code}" for code, _, _, _ in HITS_AND_MISSES}
    assert set(DETAILS) == tried


def test_findings_are_warnings_that_repeat_nothing_of_what_was_sent() -> None:
    message = samples.item(addressee=party(name="N/A"), pieces=(piece(description="Gift"),))
    for fault in QUALITY.check(message):
        assert Severity.WARNING is fault.severity
        assert "N/A" not in fault.detail
        assert "Gift" not in fault.detail


@pytest.mark.parametrize("function", ["withdrawal", "cancellation"])
def test_what_declares_nothing_is_not_judged(function: str) -> None:
    assert set() == found(samples.item(function=function, pieces=(piece(description="gift"),)))


def test_thresholds_are_the_users() -> None:
    strict = DataQuality(
        QualitySettings(
            least_euro_per_kg=50,
            weight_tolerance=0,
            value_tolerance=0,
            placeholders=("Lyon",),
        )
    )
    message = samples.item(gross_weight=Decimal("0.599"), declared_value=eur("24.52"))

    assert {
        ("value-weight", "/declared_value/amount"),
        ("weight-sum", "/gross_weight"),
        ("value-sum", "/declared_value/amount"),
        ("placeholder", "/sender/address/city"),
    } == found(message, strict)
    assert set() == found(message)


def test_data_quality_can_be_left_out() -> None:
    (only,) = standard(quality=QualitySettings(enabled=False))

    assert isinstance(only, Universal)
    assert [Universal, DataQuality] == [type(regime) for regime in standard()]


def test_nothing_is_said_to_be_missing_in_a_draft() -> None:
    draft = {
        "nature": "sale",
        "pieces": [{"description": "gift"}, 7],
        "addressee": {"name": "n/a"},
    }
    assert {
        ("quality.description-vague", "/pieces/0/description"),
        ("quality.placeholder", "/addressee/name"),
    } == {(f.code, f.path) for f in QUALITY.check_draft("ItemDeclaration", draft)}
    assert () == QUALITY.check_draft(None, draft) == QUALITY.check_draft("Nothing", draft)


def test_made_up_traffic_has_no_finding() -> None:
    moment = datetime(2026, 11, 23, 8, tzinfo=UTC)
    for origin, destination in (("FR", "LU"), ("CN", "PT"), ("US", "DE")):
        made = items("quality", 100, at=moment, origin=origin, destination=destination)
        placed = orders("quality", 20, made, at=moment).placed
        sent: list[Message] = [*made, *placed]
        assert [] == [finding for message in sent for finding in found(message)]


@settings(max_examples=100, deadline=None)
@given(messages())
def test_no_message_of_any_kind_makes_the_rules_raise(message: Message) -> None:
    faults = QUALITY.check(message)

    assert {fault.severity for fault in faults} <= {Severity.WARNING}
    draft = msgspec.json.decode(msgspec.json.encode(message))
    QUALITY.check_draft(draft["type"], draft)


_PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_NAMES = st.sampled_from(["address", "amount", "currency", "lines", "hs", "name", "description"])
_INNER = _PLAIN | st.lists(_PLAIN, max_size=2) | st.dictionaries(_NAMES, _PLAIN, max_size=3)
RUBBISH = _INNER | st.lists(_INNER, max_size=3) | st.dictionaries(_NAMES, _INNER, max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["ItemDeclaration", "Order", "GoodsDeclaration"]), st.data())
def test_no_draft_makes_the_rules_raise(kind: str, data: st.DataObject) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(KINDS[kind])]
    draft = data.draw(st.dictionaries(st.sampled_from(names), RUBBISH, max_size=8))

    QUALITY.check_draft(kind, draft)
