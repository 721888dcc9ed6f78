from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from importlib import resources

import msgspec
import pytest

from gateway.demo.generator import item, items, stream
from gateway.demo.generator.catalogue import places
from gateway.regimes import Jurisdiction, Universal
from translators.canonical import ItemDeclaration, TradeParty
from translators.gate import convert

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_the_same_seed_gives_the_same_items() -> None:
    first, second = items("seed", 40, at=AT), items("seed", 40, at=AT)
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_another_seed_gives_other_items() -> None:
    first = {found.item_id for found in items(1, 40, at=AT)}
    second = {found.item_id for found in items(2, 40, at=AT)}
    assert first.isdisjoint(second)


def test_an_item_does_not_depend_on_how_many_are_asked_for() -> None:
    assert items(3, 10, at=AT, start=90) == items(3, 100, at=AT)[90:]
    assert item(3, 42, at=AT) == items(3, 100, at=AT)[42]


def test_a_stream_gives_the_same_items_one_by_one() -> None:
    assert list(stream(3, 25, at=AT)) == items(3, 25, at=AT)


@pytest.mark.parametrize(
    ("origin", "destination"), [("FR", "LU"), ("CN", "PT"), ("TH", "GR"), ("US", "DE")]
)
def test_no_rule_that_holds_everywhere_refuses_an_item(origin: str, destination: str) -> None:
    regime = Universal()
    made = items("rules", 200, at=AT, origin=origin, destination=destination)
    faults = [fault for found in made for fault in regime.check(found)]
    assert [fault for fault in faults if fault.refuses] == []
    # Numbers of made-up firms are nobody's: they keep the form but not the rule of a state.
    assert {fault.code for fault in faults} <= {"vat.rule"}


@pytest.mark.parametrize("seed", range(5))
def test_every_item_passes_the_gate_unchanged(seed: int) -> None:
    for found in items(seed, 60, at=AT):
        raw = msgspec.json.decode(msgspec.json.encode(found))
        assert convert(raw, "ItemDeclaration") == (found, ())


def test_no_rule_of_the_demonstrations_jurisdiction_refuses_an_item() -> None:
    source = resources.files("gateway.demo").joinpath("network", "regime-lu.toml").read_bytes()
    jurisdiction = msgspec.toml.decode(source, type=Jurisdiction)
    made = items("law", 200, at=AT)
    assert [f for found in made for f in jurisdiction.check(found) if f.refuses] == []


def test_identifiers_are_unique_and_of_the_posts_country() -> None:
    made = items(9, 500, at=AT, origin="PT")
    assert len({found.item_id for found in made}) == 500
    assert {found.item_id[-2:] for found in made} == {"PT"}


def test_a_hundred_items_hold_every_nature_class_and_several_scripts() -> None:
    made = items("variety", 100, at=AT)
    assert {found.nature for found in made} == {
        "sale",
        "gift",
        "commercial-sample",
        "documents",
        "returned-goods",
    }
    assert {found.mail_class for found in made} == {"letters", "parcels", "EMS"}
    assert len({piece.amount.currency for f in made for piece in f.pieces if piece.amount}) >= 5
    assert len(scripts(made)) >= 5


def test_every_script_of_the_table_turns_up_in_the_long_run() -> None:
    known = {place.script for place in places().values()}
    assert known == {
        "Latin", "Greek", "Cyrillic", "Chinese", "Japanese", "Korean", "Thai", "Arabic",
    }  # fmt: skip
    assert {"LATIN", "GREEK", "CYRILLIC", "CJK", "HIRAGANA", "HANGUL", "THAI", "ARABIC"} <= scripts(
        items("long", 600, at=AT)
    )


def scripts(made: list[ItemDeclaration]) -> set[str]:
    """The first words of the Unicode names of all letters in the parties' names."""
    parties = [party for found in made for party in (found.sender, found.addressee)]
    return {
        unicodedata.name(letter).split()[0]
        for party in parties
        for letter in _names(party)
        if letter.isalpha()
    }


def _names(party: TradeParty) -> str:
    parts = (party.name, party.first_name, party.last_name, party.organisation)
    return "".join(part for part in parts if part is not None)


def test_weights_and_values_of_an_item_fit_its_content() -> None:
    for found in items("sums", 200, at=AT):
        assert found.declared_value is not None
        assert found.gross_weight > sum(piece.net_weight or 0 for piece in found.pieces)
        assert found.declared_value.amount == sum(
            piece.amount.amount for piece in found.pieces if piece.amount is not None
        )
        assert {p.amount.currency for p in found.pieces if p.amount is not None} == {
            found.declared_value.currency
        }


def test_one_sale_in_a_hundred_items_fills_a_second_parcel() -> None:
    made = items("pairs", 100, at=AT)
    sales: dict[str | None, list[ItemDeclaration]] = {}
    for found in made:
        if found.nature == "sale":
            sales.setdefault(found.order_reference, []).append(found)
    pairs = [parcels for parcels in sales.values() if len(parcels) > 1]
    assert [len(parcels) for parcels in pairs] == [2]
    (first, second) = pairs[0]
    assert (first.sender, first.addressee) == (second.sender, second.addressee)
    assert first.item_id != second.item_id


def test_addresses_lie_in_the_countries_that_were_asked_for() -> None:
    made = items("where", 100, at=AT, origin="GR", destination="PT")
    assert {found.addressee.address.country for found in made if found.addressee.address} == {"PT"}
    gifts = [found for found in made if found.nature == "gift"]
    assert {gift.sender.address.country for gift in gifts if gift.sender.address} == {"GR"}


def test_mail_addresses_belong_to_nobody() -> None:
    made = items("mail", 200, at=AT)
    mails = {
        party.email
        for found in made
        for party in (found.sender, found.addressee)
        if party.email is not None
    }
    assert mails
    assert all(
        mail.endswith(("example.com", "example.net", "example.org")) for mail in mails
    )  # RFC 2606
