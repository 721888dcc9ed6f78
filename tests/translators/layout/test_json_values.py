"""Single values of JSON: their kinds, read and written, and what layouts of JSON may not say."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.schemas import schema_of
from tests.translators.layout.json_layouts import ARRAY, ORDER, SMALL, dumped, faults, row, small
from tests.translators.layout.layouts import compiled, decoded
from translators.canonical import Interchange
from translators.faults import TranslationError
from translators.layout import LayoutError, LayoutTranslator
from translators.translator import encode

TEXTS = small(row='kg = "net_weight : mass kg 6.3"', header='numbers = "string"')
NUMBERS = small(row='kg = "net_weight : mass kg 6.3"')
CODES = """
[codes.gift]
true = "gift"
false = "sale"
[codes.kind]
1 = "one"
2 = "two"
"""


def written(layout: LayoutTranslator, order: dict[str, Any]) -> Any:
    """What an order comes back as."""
    interchange = Interchange(messages=(decoded(layout, dumped([order])),))
    (found,) = json.loads(encode(layout, interchange), parse_float=Decimal)
    return found


@pytest.mark.parametrize("text", ["1.50", "600", "0.001", "0"])
def test_the_digits_of_a_number_are_kept(text: str) -> None:
    plain = row(kg=Decimal(text))
    quoted = row(kg=text, price={"amount": "1", "currency": "EUR"})

    assert text == str(written(NUMBERS, plain)["rows"][0]["kg"])
    assert text == written(TEXTS, quoted)["rows"][0]["kg"]


@pytest.mark.parametrize(
    ("layout", "value", "code"),
    [
        (NUMBERS, "1.5", "value.type"),
        (NUMBERS, True, "value.type"),
        (NUMBERS, 1e3, "value.type"),
        (NUMBERS, {"a": 1}, "value.type"),
        (NUMBERS, Decimal("0.0001"), "decimal.invalid"),
        (NUMBERS, -1, "decimal.invalid"),
        (NUMBERS, 10**60, "decimal.invalid"),
        (TEXTS, "1e3", "decimal.invalid"),
        (TEXTS, " 1", "value.pattern"),
        (TEXTS, "", "value.empty"),
    ],
)
def test_what_is_no_such_number(layout: LayoutTranslator, value: object, code: str) -> None:
    amount = {"amount": "1" if layout is TEXTS else 1, "currency": "EUR"}
    content = dumped([row(kg=value, price=amount)]).replace(b"1000.0", b"1e3")
    expected = [(code, "/lines/0/net_weight", "/0/rows/0/kg")]
    assert expected == faults(layout, content)[:1]


def test_an_array_stands_only_where_the_layout_has_one() -> None:
    wanted = faults(NUMBERS, dumped([row(kg=[1])]))
    missed = faults(NUMBERS, dumped([{**ORDER, "rows": ORDER["rows"][0]}]))

    assert [("value.type", "/lines/0/net_weight", "/0/rows/0/kg/0")] == wanted
    assert [("value.type", "/lines", "/0/rows")] == missed


def test_a_line_may_say_otherwise_than_the_file() -> None:
    layout = small(
        row='kg = "net_weight : mass kg 6.3 string"\nn = "seller_id : digits 1..9"',
    )
    assert "2" == written(layout, row(kg="2"))["rows"][0]["kg"]


def test_truth_values_and_numbers_are_codes() -> None:
    layout = small(
        'gift = "status : code gift closed"\nkind = "function : code kind number"', more=CODES
    )
    order = {**ORDER, "gift": True, "kind": 2}
    message = decoded(layout, dumped([order]))

    assert ("gift", "two") == (message.status, message.function)
    assert order == {**written(layout, order), "rows": order["rows"]}
    assert [("value.type", "/status", "/0/gift")] == faults(
        layout, dumped([{**ORDER, "gift": "true"}])
    )
    assert [("value.type", "/function", "/0/kind")] == faults(
        layout, dumped([{**ORDER, "kind": "2"}])
    )


def test_a_coded_number_that_is_unknown_passes_and_a_word_does_not_come_out_as_one() -> None:
    layout = small('kind = "function : code kind number"', more=CODES.partition("[codes.kind]")[1]
                   + CODES.partition("[codes.kind]")[2])  # fmt: skip
    assert 9 == written(layout, {**ORDER, "kind": 9})["kind"]
    message = decoded(layout, dumped([ORDER]))
    with pytest.raises(TranslationError, match=r"value\.type /function"):
        encode(layout, Interchange(messages=(type(message)(**_fields(message, function="x")),)))


def _fields(message: Any, **changes: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__} | changes


def test_a_flag_is_a_truth_value_and_with_spellings_a_text() -> None:
    layout = small(
        'test = "header.test : flag Y/N"',
        document='head = "header : h"\nall = "messages * : o"',
        more='[h]\nlive = "test : flag"',
    )
    good = dumped({"head": {"live": True}, "all": [{**ORDER, "test": "Y"}]})
    bad = dumped({"head": {"live": "true"}, "all": [{**ORDER, "test": True}]})

    assert [] == faults(layout, good)
    assert {("value.type", "/header/test", "/head/live"),
            ("value.type", "/header/test", "/all/0/test")} == set(faults(layout, bad))  # fmt: skip


def test_constants_are_written_in_their_kind_and_another_value_is_told() -> None:
    layout = small('v = "= 2"\nok = "= true"\nword = "= \'2\'"\nkind = "= order"')
    found = written(layout, ORDER)

    assert (2, True, "2", "order") == (found["v"], found["ok"], found["word"], found["kind"])
    assert [("value.type", "", "/0/v")] == faults(layout, dumped([{**ORDER, "v": "2"}]))
    assert [] == faults(layout, dumped([{**ORDER, "v": 3}]))


def test_a_constant_that_must_hold_is_one_in_its_kind() -> None:
    layout = small('v = "== 2"\nunit = "== g"')

    assert [] == faults(layout, dumped([{**ORDER, "v": 2, "unit": "g"}]))
    bad = dumped([{**ORDER, "v": 3, "unit": "kg"}])
    assert [("value.pattern", "", "/0/unit"), ("value.pattern", "", "/0/v")] == sorted(
        faults(layout, bad)
    )
    assert not schema_of(layout)(bad)


def test_derived_values_are_numbers_and_texts() -> None:
    layout = small('n = "= count lines"\nsum = "= sum lines[].net_weight"', row=(
        'kg = "net_weight : mass kg 6.3"\nat = "= position"'))  # fmt: skip
    found = written(layout, row(kg=Decimal("1.5")))
    assert (1, Decimal("1.5"), 1) == (found["n"], found["sum"], found["rows"][0]["at"])


def test_free_pairs_are_an_object_of_texts() -> None:
    layout = small('tags = "extra : pairs"')
    order = {**ORDER, "tags": {"a": "b", "c/d": "e"}}

    assert {"a": "b", "c/d": "e"} == written(layout, order)["tags"]
    wrong = faults(layout, dumped([{**ORDER, "tags": {"a": 1, "c/d": "", "x": None}}]))
    assert [
        ("value.type", "/extra/a", "/0/tags/a"),
        ("value.empty", "/extra/c~1d", "/0/tags/c~1d"),
    ] == wrong


def test_a_group_may_be_one_value_and_names_may_be_quoted() -> None:
    layout = small('"\'Tax Numbers\'" = "tax_references * : tax"', more=(
        '[tax]\nscheme = "scheme !"\n"number/value" = "number !"'))  # fmt: skip
    order = {**ORDER, "Tax Numbers": [{"scheme": "GST", "number": {"value": "7"}}]}
    assert order["Tax Numbers"] == written(layout, order)["Tax Numbers"]


def test_a_character_that_no_json_carries_is_a_fault() -> None:
    layout = small()
    message = decoded(layout, dumped([ORDER]))
    with pytest.raises(TranslationError, match=r"value\.character /order_id"):
        encode(
            layout, Interchange(messages=(type(message)(**_fields(message, order_id="\ud800")),))
        )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('"@x" = "status"', "[o] @x: JSON has no attributes"),
        ('"a:b" = "status"', "[o] a:b: JSON has no namespaces"),
        ('"a[@k=v]/b" = "status"', "[o] a[@k=v]/b: JSON has no attributes"),
        ('"\'a/b\'" = "status"', "is no name of a member"),
        ('tags = "extra : pairs @name"', "'pairs' takes no arguments"),
        ('x = "status : text 5 number"', "'text' is no number"),
        ('x = "status : code gift number"', "codes of gift that are no whole numbers"),
        ('"seller/x" = "seller_id"', "lines of one element 'seller' stand together"),
        ('"." = "status"', "has members or is a value of its own, not both"),
    ],
)
def test_what_a_layout_of_json_does_not_say(lines: str, expected: str) -> None:
    more = CODES.partition("[codes.kind]")[0] if "gift" in lines else ""
    with pytest.raises(LayoutError) as caught:
        small(lines, more=more)
    assert expected in str(caught.value)
    assert all(mistake.line > 1 for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('root = "r"', "test.toml:6: [] root: JSON has no document element"),
        ('numbers = "float"', "test.toml:6: [] numbers: is one of number, string"),
        ('[namespaces]\ndefault = "u"', "test.toml:6: [] namespaces: JSON has no namespaces"),
    ],
)
def test_what_the_head_of_a_layout_of_json_does_not_say(header: str, expected: str) -> None:
    with pytest.raises(LayoutError) as caught:
        small(header=header)
    assert [expected] == [str(mistake) for mistake in caught.value.mistakes]


def test_numbers_is_for_json() -> None:
    text = SMALL.format(document=ARRAY, lines="", row="", more="").replace('"json"', '"xml"')
    with pytest.raises(LayoutError, match="numbers: is for the syntax json"):
        compiled(text.replace("[document]", 'root = "r"\nnumbers = "string"\n[document]'))


def test_beside_a_document_that_is_its_messages_nothing_stands() -> None:
    with pytest.raises(LayoutError, match="nothing stands"):
        small(document=f'{ARRAY}\nx = "header.sender"')
