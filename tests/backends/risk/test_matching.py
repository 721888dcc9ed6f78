"""Subjects of indicators against messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.risk.features import features_of
from backends.risk.matching import anchors_of, lookups_of, match_subject, terms_of
from tests.samples import ITEM, ORDER, SENDER, item
from translators.canonical import (
    Address,
    ContentPiece,
    Document,
    GoodsDeclaration,
    GoodsItem,
    Reference,
    RiskSubject,
    RouteSubject,
    TradeParty,
)

NONE: frozenset[str] = frozenset()


def match(subject: RiskSubject, message: Any = ITEM, ignored: frozenset[str] = NONE) -> Any:
    features = features_of(message)
    assert features is not None
    found = match_subject(subject, features, ignored)
    if found:  # the index must find from either side whatever matches
        terms = terms_of(features, ignored)
        assert not anchors_of(subject, ignored).isdisjoint(lookups_of(terms))
    return found


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (RiskSubject(names=("exemple ATELIER",)), ("/sender",)),
        (RiskSubject(names=("Nobody", "Atelier Éxemple")), ("/sender",)),
        (RiskSubject(names=("Atelier Exemple",), role="sender"), ("/sender",)),
        (RiskSubject(names=("Atelier Exemple",), role="addressee"), ()),
        (RiskSubject(names=("Atelier",)), ()),
        (RiskSubject(hs_prefixes=("6115",)), ("/pieces/0",)),
        (RiskSubject(hs_prefixes=("6114",)), ()),
        (RiskSubject(keywords=("knitted",)), ("/pieces/0",)),
        (RiskSubject(keywords=("knit",)), ()),
        (RiskSubject(keywords=("knitted",), hs_prefixes=("0101",)), ()),
        (RiskSubject(item_ids=("ee 471108151 fr",)), ("",)),
        (RiskSubject(routes=(RouteSubject(origin="FR", destination="LU"),)), ("",)),
        (RiskSubject(routes=(RouteSubject(origin="FR", destination="DE"),)), ()),
        (RiskSubject(routes=(RouteSubject(),)), ()),
        (RiskSubject(addresses=(Address(postcode="69 001", country="FR"),)), ("/sender",)),
        (RiskSubject(addresses=(Address(lines=("12, RUE des essais",)),)), ("/sender",)),
        (RiskSubject(addresses=(Address(),)), ()),
        (RiskSubject(names=("Atelier Exemple",), addresses=(Address(country="LU"),)), ()),
        (RiskSubject(), ()),
    ],
)
def test_every_field_that_is_set_must_match(
    subject: RiskSubject, expected: tuple[str, ...]
) -> None:
    assert match(subject) == expected


def test_the_order_of_first_and_last_name_does_not_count() -> None:
    message = item(sender=TradeParty(first_name="Ada", last_name="Exemple"))
    assert match(RiskSubject(names=("EXEMPLE, Ada",)), message) == ("/sender",)


def test_references_match_by_type_and_value() -> None:
    party = TradeParty(name="X", references=(Reference(type="EORI", value="FR 123-456"),))
    message = item(sender=party)
    assert match(RiskSubject(references=(Reference(type="eori", value="FR123456"),)), message)
    assert not match(RiskSubject(references=(Reference(type="VAT", value="FR123456"),)), message)


def test_names_and_references_must_belong_to_one_party() -> None:
    message = item(addressee=TradeParty(references=(Reference(type="EORI", value="LU1"),)))
    subject = RiskSubject(
        names=(SENDER.name or "",), references=(Reference(type="EORI", value="LU1"),)
    )
    assert not match(subject, message)


def test_keyword_and_prefix_must_belong_to_one_piece() -> None:
    message = item(
        pieces=(
            ContentPiece(number=1, pieces=1, description="watch", hs="910211"),
            ContentPiece(number=2, pieces=1, description="strap", hs="911390"),
        )
    )
    assert not match(RiskSubject(keywords=("watch",), hs_prefixes=("9113",)), message)
    assert match(RiskSubject(keywords=("strap",), hs_prefixes=("9113",)), message) == ("/pieces/1",)


def test_the_seller_of_an_order_is_a_sender() -> None:
    assert match(RiskSubject(names=("Atelier Exemple",), role="sender"), ORDER) == ("/seller",)


def test_an_order_is_found_by_its_parcel() -> None:
    assert match(RiskSubject(item_ids=("EE471108151FR",)), ORDER) == ("",)


def test_goods_items_of_a_declaration_are_matched() -> None:
    declaration = GoodsDeclaration(
        function="original",
        type_code="IMA",
        lrn="L1",
        items=(GoodsItem(number=1, hs="930200", consignor=TradeParty(name="Arms Example")),),
    )
    assert match(RiskSubject(hs_prefixes=("9302",)), declaration) == ("/items/0",)
    assert match(RiskSubject(names=("example arms",), role="sender"), declaration) == (
        "/items/0/consignor",
    )


def test_documents_match_by_type_and_number() -> None:
    message = item(documents=(Document(type="licence", number="L-77"),))
    assert match(RiskSubject(documents=(Document(type="licence", number="L77"),)), message) == ("",)


def test_legal_forms_may_be_ignored() -> None:
    subject = RiskSubject(names=("Atelier Exemple SARL",))
    assert match(subject, ignored=frozenset({"sarl"})) == ("/sender",)


names = st.text(alphabet="abcdé ÖøŁ-.", min_size=1, max_size=12)


@given(names, st.permutations([0, 1, 2]))
def test_whatever_matches_is_found_by_the_index(name: str, order: list[int]) -> None:
    parts = [name, "Beta", "Gamma"]
    message = item(sender=TradeParty(name=" ".join(parts)))
    subject = RiskSubject(names=(" ".join(parts[at] for at in order),))
    assert match(subject, message) == ("/sender",)
