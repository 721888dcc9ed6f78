"""The model described: paths, shapes and the counts made from them."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from tests.translators.strategies_model import messages
from translators import keys, model
from translators.canonical import KINDS, ItemDeclaration, Message, kind_of
from translators.exchange.sample import full_interchange
from translators.exchange.tally import are_plain, tally
from translators.json import members
from translators.layout.leaves import leaves
from translators.lexical import decimal_ismatch_plain
from translators.model import Form
from translators.pointer import MAX_TOKEN, child

SAMPLES = {kind_of(message): message for message in full_interchange().messages}


def test_paths_are_those_of_values() -> None:
    paths = model.paths("ItemDeclaration")
    assert {"/item_id", "/pieces/*/amount/currency", "/sender/address/lines/*"} <= paths
    assert "/extra/*" in paths
    assert "/pieces" not in paths
    assert "/type" not in paths


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_path_has_its_type(kind: str) -> None:
    for path in model.paths(kind):
        assert model.field_type(kind, path).form not in (Form.OBJECT, Form.LIST, Form.MAP)
        assert model.field_type(kind, path.replace("*", "7")) == model.field_type(kind, path)


def test_a_type_tells_its_limits() -> None:
    assert model.field_type("ItemDeclaration", "/item_id").max_length == 35
    assert model.field_type("ItemDeclaration", "/pieces").min_length == 1
    assert model.field_type("ItemDeclaration", "/pieces/0/pieces").maximum == 999_999_999
    assert model.field_type("ItemDeclaration", "/origin_country").pattern == "[A-Z]{2}"
    assert model.field_type("ItemDeclaration", "/pieces/*/hs").pattern == "[0-9]{4,10}"
    assert model.field_type("Referral", "/answers/*/amendment").struct is ItemDeclaration


@pytest.mark.parametrize("path", ["/colour", "/item_id/0", "/sender/colour", "/pieces/0/colour/x"])
def test_a_path_that_is_not_there_is_told(path: str) -> None:
    with pytest.raises(KeyError, match="ItemDeclaration has no /"):
        model.field_type("ItemDeclaration", path)


@pytest.mark.parametrize("annotation", [float, int | str, set[str], object])
def test_what_the_model_never_uses_has_no_shape(annotation: object) -> None:
    with pytest.raises(TypeError):
        model.describe(annotation)


def test_pointers_escape_and_bound_names() -> None:
    assert child("/a", "b/c~d") == "/a/b~1c~0d"
    assert child("", 3) == "/3"
    assert child("", "x" * 1000) == "/" + "x" * MAX_TOKEN + "…"


@given(messages())
def test_members_are_told_from_a_message_as_it_is_written(message: Message) -> None:
    count, decimals = tally(model.SHAPES[kind_of(message)]), list[Decimal]()
    assert count(message, decimals.append) == members(msgspec.json.encode(message))
    held = [value for _, value in leaves(message) if isinstance(value, Decimal)]
    assert sorted(decimals) == sorted(held)
    assert are_plain(decimals)


@pytest.mark.parametrize("value", ["1E+3", "NaN", "Infinity", "-0", "0.0000001", "1" * 17])
def test_decimals_are_judged_together_as_one_by_one(value: str) -> None:
    decimals = [Decimal("1.5"), Decimal(value), Decimal(-2)]
    assert are_plain([Decimal(value)]) is decimal_ismatch_plain(Decimal(value))
    assert are_plain(decimals) is decimal_ismatch_plain(Decimal(value))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_key_is_the_same_before_and_after_the_gate(kind: str) -> None:
    raw = json.loads(msgspec.json.encode(SAMPLES[kind]))
    assert keys.key_of(raw, kind) == keys.key_of_message(SAMPLES[kind]) is not None


def test_a_key_is_told_of_a_message_that_is_wrong() -> None:
    assert keys.key_of({"order_id": " A-1 ", "lines": 5}, "Order") == "A-1"
    assert keys.key_of({"order_id": 5}, "Order") is None
    assert keys.key_of({"item_id": "", "mrn": "M"}, "CustomsResponse") == "M"


def test_decimals_are_samples_too() -> None:
    assert isinstance(SAMPLES["ItemDeclaration"], ItemDeclaration)
    assert SAMPLES["ItemDeclaration"].gross_weight == Decimal("1.250")
