"""Conditions of rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from backends.risk.conditions import Found, Scope, compile_condition
from backends.risk.features import features_of
from tests.samples import ITEM, item
from translators.canonical import ContentPiece, ItemDeclaration, Money, TaxReference
from translators.model import SHAPES


def ask(raw: dict[str, Any], message: ItemDeclaration = ITEM) -> Found:
    mistakes: list[str] = []
    condition = compile_condition(
        raw, (SHAPES["ItemDeclaration"],), "when", lambda path, detail: mistakes.append(path)
    )
    assert mistakes == []
    assert condition is not None
    features = features_of(message)
    assert features is not None
    return condition(Scope(message, "", features))


def mistakes_of(raw: object) -> list[str]:
    mistakes: list[str] = []
    compile_condition(
        raw, (SHAPES["ItemDeclaration"],), "when", lambda path, detail: mistakes.append(path)
    )
    return mistakes


def pieces(*descriptions: str) -> ItemDeclaration:
    return item(
        pieces=tuple(
            ContentPiece(number=at, pieces=1, description=text)
            for at, text in enumerate(descriptions, 1)
        )
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"path": "/nature", "equals": "sale"}, ("/nature",)),
        ({"path": "/nature", "equals": "gift"}, None),
        ({"path": "/nature", "in": ["gift", "sale"]}, ("/nature",)),
        ({"path": "/pieces/*/hs", "prefix": ["61", "62"]}, ("/pieces/0/hs",)),
        ({"path": "/pieces/*/description", "contains": "WOOLL"}, ("/pieces/0/description",)),
        ({"path": "/pieces/*/description", "keywords": "wool"}, None),
        (
            {"path": "/pieces/*/description", "keywords": ["cap", "Socks"]},
            ("/pieces/0/description",),
        ),
        ({"path": "/pieces/*/description", "regex": "wool{1,3}en"}, ("/pieces/0/description",)),
        ({"path": "/gross_weight", "greater": 0.5}, ("/gross_weight",)),
        ({"path": "/gross_weight", "greater": "0.750"}, None),
        ({"path": "/gross_weight", "greater": 0.5, "less": 0.75}, None),
        ({"path": "/pieces/0/pieces", "equals": 2.0}, ("/pieces/0/pieces",)),
        ({"missing": "/declared_value"}, ("/declared_value",)),
        ({"missing": "/sender/address/country"}, None),
        ({"missing": "/sender/address/state"}, ("/sender/address/state",)),
        ({"missing": "/tax_references"}, ("/tax_references",)),
        ({"routes": [["FR", "LU"]]}, ()),
        ({"routes": [["*", "LU"]]}, ()),
        ({"routes": [["FR", "DE"], ["DE", "*"]]}, None),
        ({"not": {"path": "/nature", "equals": "gift"}}, ()),
    ],
)
def test_operators(raw: dict[str, Any], expected: Found) -> None:
    assert ask(raw) == expected


def test_all_gathers_every_place() -> None:
    raw = {
        "all": [
            {"path": "/nature", "equals": "sale"},
            {"path": "/gross_weight", "less": 1},
        ]
    }
    assert ask(raw) == ("/nature", "/gross_weight")


def test_any_needs_one() -> None:
    raw = {"any": [{"path": "/nature", "equals": "gift"}, {"path": "/gross_weight", "less": 1}]}
    assert ask(raw) == ("/gross_weight",)


def test_missing_names_the_entry_that_lacks_it() -> None:
    assert ask({"missing": "/pieces/*/hs"}, pieces("cap", "hat")) == (
        "/pieces/0/hs",
        "/pieces/1/hs",
    )


def test_some_asks_for_one_entry_that_has_it_all() -> None:
    cheap = Money(amount=Decimal(1), currency="EUR")
    dear = Money(amount=Decimal(900), currency="EUR")
    message = item(
        pieces=(
            ContentPiece(number=1, pieces=1, description="watch", amount=dear),
            ContentPiece(number=2, pieces=1, description="strap", amount=cheap),
        )
    )

    def raw(word: str) -> dict[str, Any]:
        return {
            "some": "/pieces",
            "where": {
                "all": [
                    {"path": "/description", "keywords": word},
                    {"path": "/amount/amount", "less": 5},
                ]
            },
        }

    assert ask(raw("watch"), message) is None
    assert ask(raw("strap"), message) == ("/pieces/1/description", "/pieces/1/amount/amount")


def test_a_free_extension_can_be_asked_for() -> None:
    message = msgspec.structs.replace(ITEM, extra={"lane": "green"})
    assert ask({"path": "/extra/lane", "equals": "green"}, message) == ("/extra/lane",)


def test_lists_of_tables_are_walked() -> None:
    message = item(tax_references=(TaxReference(scheme="IOSS", number="IM0400000123"),))
    raw = {"path": "/tax_references/*/scheme", "equals": "IOSS"}
    assert ask(raw, message) == ("/tax_references/0/scheme",)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ("gift", ["when"]),
        ({}, ["when"]),
        ({"path": "/nature"}, ["when"]),
        ({"path": "/natrue", "equals": "x"}, ["when.path"]),
        ({"path": "nature", "equals": "x"}, ["when.path"]),
        ({"path": "/sender", "equals": "x"}, ["when.path"]),
        ({"path": "/nature", "like": "x"}, ["when.like"]),
        ({"path": "/nature", "regex": "a+"}, ["when.regex"]),
        ({"path": "/nature", "greater": "many"}, ["when.greater"]),
        ({"path": "/nature", "greater": "NaN"}, ["when.greater"]),
        ({"path": "/nature", "keywords": "!"}, ["when.keywords"]),
        ({"path": "/nature", "in": []}, ["when.in"]),
        ({"all": []}, ["when.all"]),
        (
            {"all": [{"path": "/nature", "equals": "x"}, {"path": "/x", "equals": 1}]},
            ["when.all[1].path"],
        ),
        ({"all": [{"missing": "/hs"}], "path": "/nature"}, ["when.path", "when.all[0].missing"]),
        ({"some": "/nature", "where": {"missing": "/x"}}, ["when.some"]),
        ({"some": "/pieces", "where": {"path": "/nature", "equals": 1}}, ["when.where.path"]),
        ({"routes": [["FR"]]}, ["when.routes"]),
        ({"not": {"missing": "/x"}}, ["when.not.missing"]),
    ],
)
def test_mistakes_are_told_with_their_place(raw: object, places: list[str]) -> None:
    assert mistakes_of(raw) == places
