"""The gate: what it lets in, and what it tells about what it refuses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translators.strategies_model import messages
from translators import gate
from translators.canonical import KINDS, Header, ItemDeclaration, Message, kind_of
from translators.defects import MAX_FAULTS, faults_of
from translators.model import SHAPES


def item(**changes: Any) -> dict[str, Any]:
    """A raw item as XML gives it, all texts."""
    return {
        "item_id": "EE471108151FR",
        "mail_class": "parcels",
        "nature": "gift",
        "gross_weight": "1.250",
        "sender": {"name": "A"},
        "addressee": {"name": "B"},
        "pieces": [{"number": "1", "pieces": "2", "description": "socks"}],
    } | changes


def codes(raw: dict[str, Any], *, strict: bool = False) -> list[tuple[str, str]]:
    message, faults = gate.convert(raw, "ItemDeclaration", strict=strict)
    assert message is None
    return [(fault.path, fault.code) for fault in faults]


def test_texts_become_typed_values() -> None:
    message = gate.convert_fast(item(posting_date="2026-11-21"), "ItemDeclaration")
    assert isinstance(message, ItemDeclaration)
    assert (message.gross_weight, message.pieces[0].pieces) == (Decimal("1.250"), 2)


def test_every_fault_is_told_with_its_path() -> None:
    raw = item(
        item_id="x" * 36,
        gross_weight="1E+400",
        sender={"name": "", "address": {"country": "France"}},
        pieces=[{"number": "0", "pieces": "two", "colour/~": "red"}],
        posting_date="21.11.2026",
        colour="red",
    )
    del raw["nature"]
    assert codes(raw) == [
        ("/item_id", "value.too-long"),
        ("/nature", "value.missing"),
        ("/gross_weight", "decimal.invalid"),
        ("/sender/name", "value.too-short"),
        ("/sender/address/country", "value.pattern"),
        ("/pieces/0/number", "value.range"),
        ("/pieces/0/pieces", "value.type"),
        ("/pieces/0/description", "value.missing"),
        ("/pieces/0/colour~1~0", "field.unknown"),
        ("/posting_date", "date.invalid"),
        ("/colour", "field.unknown"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "1E+2",
        "1e-3",
        "1.0E1",
        "12345678901234567",
        "0.0000001",
        "",
        "null",
        "1,5",
        "1.250kg",
    ],
)
def test_a_decimal_that_is_not_plain_is_refused(text: str) -> None:
    assert codes(item(gross_weight=text)) == [("/gross_weight", "decimal.invalid")]


@pytest.mark.parametrize(
    "text", ["0", "-0.5", "1234567890123456.123456", "-1234567890123456", "0.000000"]
)
def test_a_plain_decimal_is_kept_digit_by_digit(text: str) -> None:
    message = gate.convert_fast(item(gross_weight=text), "ItemDeclaration")
    assert isinstance(message, ItemDeclaration)
    assert str(message.gross_weight) == text


@pytest.mark.parametrize("value", [1, Decimal("1.10")])
def test_an_exact_number_is_a_decimal(value: object) -> None:
    message = gate.convert_fast(item(gross_weight=value), "ItemDeclaration")
    assert isinstance(message, ItemDeclaration)
    assert message.gross_weight == value


@pytest.mark.parametrize("value", [1.5, True, 10**16, Decimal("1E+2")])
def test_an_inexact_number_is_no_decimal(value: object) -> None:
    assert codes(item(gross_weight=value)) == [("/gross_weight", "decimal.invalid")]


def test_an_instant_without_offset_is_refused() -> None:
    raw = {"reference": "R1", "kind": "RFI", "authority": {"code": "FR"}}
    _, faults = gate.convert(raw | {"issued_at": "2026-11-21T10:00:00"}, "Referral")
    assert [(fault.path, fault.code) for fault in faults] == [("/issued_at", "instant.invalid")]


def test_an_instant_keeps_its_offset() -> None:
    raw = {"reference": "R1", "kind": "RFI", "authority": {"code": "FR"}}
    raw["issued_at"] = "2026-11-21T10:00:00-05:30"
    message: Any = gate.convert_fast(raw, "Referral")
    assert message.issued_at.utcoffset() == -timedelta(hours=5, minutes=30)


def test_a_bare_number_is_no_instant() -> None:
    header, faults = gate.convert_header({"prepared_at": "1700000000"})
    assert header is None
    assert [fault.code for fault in faults] == ["instant.invalid"]


def test_the_text_null_is_no_absent_value() -> None:
    assert codes(item(posting_date="null")) == [("/posting_date", "date.invalid")]


def test_a_code_with_a_line_feed_behind_it_is_refused() -> None:
    assert codes(item(origin_country="FR\n")) == [("/origin_country", "value.pattern")]


def test_a_list_that_is_too_short_or_too_long_is_refused() -> None:
    reference = {"scheme": "IOSS", "number": "1"}
    assert codes(item(pieces=[], tax_references=[reference] * 10)) == [
        ("/pieces", "list.too-short"),
        ("/tax_references", "list.too-long"),
    ]


def test_names_and_values_of_a_map_are_checked() -> None:
    assert codes(item(extra={"": "x", "a": ""})) == [
        ("/extra/", "value.too-short"),
        ("/extra/a", "value.too-short"),
    ]


def test_a_map_that_is_too_long_is_refused() -> None:
    assert codes(item(extra={str(n): "x" for n in range(100)})) == [("/extra", "list.too-long")]


def test_a_required_field_that_is_null_is_missing() -> None:
    assert codes(item(nature=None)) == [("/nature", "value.missing")]


def test_a_list_in_place_of_an_object_is_told() -> None:
    assert codes(item(sender=[], pieces={})) == [
        ("/sender", "value.type"),
        ("/pieces", "value.type"),
    ]


def test_texts_stand_for_numbers_only_when_not_strict() -> None:
    assert codes(item(), strict=True) == [
        ("/pieces/0/number", "value.type"),
        ("/pieces/0/pieces", "value.type"),
    ]


def test_an_unknown_kind_is_told() -> None:
    assert [fault.code for fault in gate.convert({}, "Rocket")[1]] == ["kind.unknown"]


def test_another_kind_in_the_tag_is_told() -> None:
    assert codes(item(type="Order")) == [("/type", "kind.unknown")]


def test_faults_say_where_the_format_found_them() -> None:
    _, faults = gate.convert(
        item(nature=""), "ItemDeclaration", locate=lambda path: (f"item{path}", 7)
    )
    assert [(fault.source_path, fault.line) for fault in faults] == [("item/nature", 7)]


def test_the_number_of_faults_is_bounded() -> None:
    wrong = [{"number": 1, "pieces": 1, "description": "", "hs": ""}] * 999
    _, faults = gate.convert(item(pieces=wrong), "ItemDeclaration")
    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1].code == "faults.truncated"


def test_a_fault_never_repeats_the_value() -> None:
    secret = "Jan Novák"
    raw = item(
        item_id=secret * 9,
        gross_weight=secret,
        posting_date=secret,
        origin_country=secret,
        sender=secret,
        pieces=[{"number": secret, "pieces": secret, "description": secret * 99}],
    )
    _, faults = gate.convert(raw, "ItemDeclaration")
    assert len(faults) == 8
    assert not [fault for fault in faults if secret in fault.detail + fault.path]


def test_a_header_passes_the_same_gate() -> None:
    raw = {"sender": "FRA", "test": "true", "prepared_at": "2026-11-21T10:00:00Z"}
    header, faults = gate.convert_header(raw)
    assert (header.test if header else None, faults) == (True, ())
    assert gate.convert_header({"sender": "", "x": 1})[0] is None
    assert gate.convert_header({}) == (Header(), ())


JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=40),
    st.sampled_from(["null", "true", "1", "1.0", "1E5", "NaN", "2026-11-21", "170", "GB", "GB\n"]),
    st.sampled_from(["2026-11-21T10:00:00Z", "2026-11-21T10:00:00", "1_0", " 1", "+1", "aGk="]),
    st.just([]),
    st.just({}),
    st.just({"amount": "1", "currency": "EUR"}),
    st.lists(st.text(max_size=3), max_size=3),
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Any]:
    """A kind and a raw message of it in which something was changed at random."""
    message = draw(messages())
    raw = msgspec.to_builtins(message, builtin_types=draw(st.sampled_from([(), (Decimal, bytes)])))
    for _ in range(draw(st.integers(min_value=0, max_value=3))):
        spot = raw
        while True:
            if isinstance(spot, dict) and spot:
                name: Any = draw(st.sampled_from(sorted(spot)))
            elif isinstance(spot, list | tuple) and spot:
                name = draw(st.integers(min_value=0, max_value=len(spot) - 1))
            else:
                break
            below = spot[name]
            if not isinstance(below, dict | list) or draw(st.booleans()):
                change(draw, spot, name)
                break
            spot = below
    return kind_of(message), raw


def change(draw: st.DrawFn, spot: Any, name: Any) -> None:
    if isinstance(spot, dict) and draw(st.booleans()):
        if draw(st.booleans()):
            del spot[name]
        else:
            spot[draw(st.text(max_size=5))] = draw(JUNK)
    elif isinstance(spot, dict | list):
        spot[name] = draw(JUNK)


@given(damaged(), st.booleans())
def test_both_passes_of_the_gate_agree(case: tuple[str, Any], strict: bool) -> None:
    kind, raw = case
    try:
        gate.convert_fast(raw, kind, strict=strict)
        accepted = True
    except ValueError:
        accepted = False
    found = faults_of(raw, SHAPES[kind], strict=strict)
    assert accepted == (not found), found


@given(messages())
def test_what_the_model_holds_passes_the_gate(message: Message) -> None:
    raw = msgspec.to_builtins(message)
    assert gate.convert(raw, kind_of(message)) == (message, ())
    assert gate.decimals_are_plain(message)


def test_the_gate_knows_every_kind() -> None:
    assert SHAPES.keys() == KINDS.keys()
