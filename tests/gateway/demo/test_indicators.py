from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.demo.generator import Indicators, indicators, items, orders
from gateway.regimes import Universal
from translators.canonical import ItemDeclaration, RiskSubject, TradeParty
from translators.gate import convert

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def matches(subject: RiskSubject, item: ItemDeclaration) -> bool:
    """Whether an item fits every field of a subject that is set, as a risk back end reads it."""
    return all(
        (
            not subject.names or not _names(item, subject.role).isdisjoint(subject.names),
            not subject.references
            or any(
                (wanted.type, wanted.value) == (found.type, found.value)
                for party in (item.sender, item.addressee)
                for found in party.references
                for wanted in subject.references
            ),
            not subject.hs_prefixes
            or any((piece.hs or "").startswith(subject.hs_prefixes) for piece in item.pieces),
            not subject.routes
            or any(
                route.origin in (None, _country(item.sender))
                and route.destination in (None, _country(item.addressee))
                for route in subject.routes
            ),
            not subject.keywords
            or any(
                word in piece.description.lower()
                for piece in item.pieces
                for word in subject.keywords
            ),
            not subject.documents
            or any(
                wanted.number == found.number
                for wanted in subject.documents
                for found in item.documents
            ),
        )
    )


def _names(item: ItemDeclaration, role: str | None) -> set[str | None]:
    parties = [item.sender, item.addressee] if role is None else [getattr(item, role)]
    return {name for party in parties for name in (party.name, party.organisation)}


def _country(party: TradeParty) -> str | None:
    return None if party.address is None else party.address.country


@pytest.mark.parametrize("seed", range(12))
def test_two_indicators_match_one_item_each_and_the_others_none(seed: int) -> None:
    sent = items(seed, 100, at=AT)
    made = indicators(seed, 10, sent, at=AT)
    found = {
        indicator.indicator_id: [
            item.item_id
            for item in sent
            if any(matches(subject, item) for subject in indicator.subjects)
        ]
        for indicator in made.messages
    }
    assert {key: [item_id] for key, item_id in made.matches.items()} == {
        key: hits for key, hits in found.items() if hits
    }
    assert len(set(made.matches.values())) == 2


@pytest.mark.parametrize("seed", range(12))
def test_items_of_orders_can_be_avoided(seed: int) -> None:
    sent = items(seed, 100, at=AT)
    placed = orders(seed, 40, sent, at=AT)
    bound = {p.tracking_number for o in (*placed.placed, *placed.shipped) for p in o.parcels}
    assert bound.isdisjoint(indicators(seed, 10, sent, at=AT, avoid=bound).matches.values())


@pytest.fixture(scope="module")
def made() -> Indicators:
    return indicators("shared", 10, items("shared", 100, at=AT), at=AT)


def test_the_same_seed_gives_the_same_indicators(made: Indicators) -> None:
    again = indicators("shared", 10, items("shared", 100, at=AT), at=AT)
    assert msgspec.json.encode(made.messages) == msgspec.json.encode(again.messages)


def test_every_indicator_is_valid_now_and_has_its_own_id(made: Indicators) -> None:
    regime = Universal()
    assert len({indicator.indicator_id for indicator in made.messages}) == 10
    for indicator in made.messages:
        raw = msgspec.json.decode(msgspec.json.encode(indicator))
        assert convert(raw, "RiskIndicator") == (indicator, ())
        assert regime.check(indicator) == ()
        assert indicator.valid_from is not None
        assert indicator.valid_to is not None
        assert indicator.valid_from < AT < indicator.valid_to - timedelta(days=30)


def test_one_match_is_by_an_alias_in_another_script(made: Indicators) -> None:
    (indicator,) = [
        i for i in made.messages if i.indicator_id in made.matches and i.kind == "entity"
    ]
    names = indicator.subjects[0].names
    assert any(name.isascii() for name in names)
    assert any(not name.isascii() for name in names)


def test_one_match_is_by_goods_on_a_route(made: Indicators) -> None:
    (indicator,) = [
        i for i in made.messages if i.indicator_id in made.matches and i.kind == "commodity"
    ]
    (subject,) = indicator.subjects
    assert len(subject.hs_prefixes[0]) == 6
    assert (subject.routes[0].origin, subject.routes[0].destination) == ("FR", "LU")


def test_more_indicators_than_the_table_has_still_have_ids_of_their_own() -> None:
    many = indicators("many", 50, items("many", 100, at=AT), at=AT).messages
    assert len({indicator.indicator_id for indicator in many}) == 50


def test_fewer_than_two_are_not_possible() -> None:
    with pytest.raises(ValueError, match="at least two"):
        indicators("few", 1, items("few", 100, at=AT), at=AT)
