"""Which destinations a message takes, and by which key it is ordered."""

import msgspec
import pytest

from gateway.core.records import Subject
from gateway.routing import Endpoint, Endpoints, Route, Routes, subjects_of
from tests import samples
from translators.canonical import KINDS
from translators.translator import FormatId
from trust.identity import Identity, PartyId

POST = Identity(party=PartyId("post-a"), roles=frozenset({"post"}))
ITEM = samples.item(origin_country="FR", destination_country="LU")


def route(name: str, to: str = "risk", **conditions: object) -> Route:
    return msgspec.convert(
        {"name": name, "kinds": ["ItemDeclaration"], "to": [to], **conditions}, Route
    )


@pytest.mark.parametrize(
    ("conditions", "taken"),
    [
        ({}, True),
        ({"from_parties": ["post-a"]}, True),
        ({"from_parties": ["post-b"]}, False),
        ({"from_roles": ["post", "carrier"]}, True),
        ({"from_roles": ["platform"]}, False),
        ({"destination_countries": ["LU", "BE"]}, True),
        ({"destination_countries": ["BE"]}, False),
        ({"origin_countries": ["FR"], "destination_countries": ["BE"]}, False),
        ({"outcomes": ["hold"]}, False),
        ({"kinds": ["Order"]}, False),
        ({"kinds": ["Item*"]}, True),
    ],
)
def test_every_condition_that_is_set_must_hold(conditions: dict[str, object], taken: bool) -> None:
    assert taken is route("r", **conditions).matches(ITEM, POST)  # type: ignore[arg-type]  # the table's


def test_each_target_is_reached_once_by_the_first_route_that_names_it() -> None:
    routes = Routes((route("first"), route("second"), route("third", to="partner")))

    assert [(step.target, step.route.name) for step in routes.plan(ITEM, POST)] == [
        ("risk", "first"),
        ("partner", "third"),
    ]


def test_answers_go_to_the_endpoint_marked_for_them_otherwise_to_the_inbox() -> None:
    folder = Endpoint(
        id="post-folder",
        party=PartyId("post-a"),
        format=FormatId("upu.cusrsp.1"),
        transport="folder",
        answers=True,
    )
    endpoints = Endpoints.of([folder])

    assert folder == endpoints.answers_to(PartyId("post-a"))
    assert endpoints.answers_to(PartyId("shop")).id == "inbox:shop"
    assert PartyId("shop") == endpoints.party_of("inbox:shop")


def test_items_of_all_sources_meet_under_one_subject() -> None:
    item = Subject("item", "EE471108151FR", "FR")

    assert item == subjects_of(samples.ITEM, party="post-a")[0]
    assert item in subjects_of(samples.ORDER, party="shop")
    assert (item,) == subjects_of(samples.ASSESSMENT, party="risk")


def test_an_identifier_that_is_no_s10_belongs_to_its_party() -> None:
    message = samples.item(item_id="77-1", item_id_type="carrier")

    assert Subject("item", "77-1", "post-a") == subjects_of(message, party="post-a")[0]


def test_every_kind_of_message_can_say_what_it_is_about() -> None:
    from gateway.routing.subjects import _SUBJECTS

    assert KINDS.keys() == _SUBJECTS.keys()
