"""Laws of layouts of JSON: both readers agree, values add up, schema and reader agree."""

from __future__ import annotations

import copy
import io
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.translators.layout.json_layouts import (
    ITEM,
    ORDERS,
    by_reference,
    document,
    dumped,
    readings,
)
from tests.translators.layout.layouts import compiled
from translators import json
from translators.faults import NoteKind, TranslationError
from translators.layout import LayoutTranslator, leaves, without
from translators.layout.findings import Findings
from translators.layout.json_fast import GIVES_UP, JsonFast
from translators.layout.json_nodes import JsonNode, scalars
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.translator import Entry, decode, encode

CHOICE = 'step = "function ! : choice"\nsub = "incoterm : text 3"\n'
PLAIN = ORDERS.replace(CHOICE, "").replace(
    ORDERS[ORDERS.index("[choice.") : ORDERS.index("[party]")], ""
)
"""Without the choice, which only the reference reader knows."""
LAYOUTS = {
    "all": compiled(ORDERS),
    "plain": compiled(PLAIN),
    "report": compiled(PLAIN.replace("[document]", 'unknown = "report"\n[document]', 1)),
}
each_layout = pytest.mark.parametrize("name", LAYOUTS)
some = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
VALUES: list[Any] = [
    None, True, False, 0, 7, -1, 10**50, Decimal("1.50"), Decimal("0.0000001"), 1e3, "", " ", "x",
    " padded ", "EUR", "N", "ioss", "null", "1e3", "007", "x" * 600, "\u00e9\U0001f4e6", [], {},
    ["x"], [None], [[1]], {"a": 1}, {"": "x"}, "2026-11-20T10:00:00", "S", "= x",
]  # fmt: skip


def item(name: str) -> dict[str, Any]:
    """The good order of a layout."""
    found = copy.deepcopy(ITEM)
    if name != "all":
        del found["step"], found["sub"]
    return found


@st.composite
def mutated(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A good order with some things changed."""
    order = item(name)
    for _ in range(draw(st.integers(1, 3))):
        holders = list(_holders(order))
        holder = draw(st.sampled_from(holders))
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            continue
        key: Any = draw(st.sampled_from(keys))
        match draw(st.sampled_from(["remove", "set", "more", "wrap", "rename"])):
            case "remove":
                del holder[key]
            case "set":
                holder[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
            case "more" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case "more":
                holder["more"] = copy.deepcopy(holder[key])
            case "wrap":
                holder[key] = [holder[key]]
            case _ if isinstance(holder, dict):
                holder[f"{key}x"] = holder.pop(key)
            case _:
                holder.insert(0, None)
    return order


def _holders(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for below in value.values() if isinstance(value, dict) else value:
            yield from _holders(below)


def written(order: dict[str, Any]) -> bytes:
    return dumped({"head": {"from": "me"}, "data": {"orders": [order]}})


@each_layout
@some
@given(data=st.data())
def test_both_readers_agree(name: str, data: st.DataObject) -> None:
    content = written(data.draw(mutated(name)))
    assert by_reference(LAYOUTS[name], content) == readings(LAYOUTS[name], content)


@each_layout
@some
@given(data=st.data())
def test_every_value_is_carried_reported_or_faulty(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    order = json.parse(dumped(data.draw(mutated(name)))).value
    findings = Findings(layout.plan)
    node: Any = JsonNode("orders", order, "/data/orders/0", None)
    reader = ReferenceReader(layout.plan, Record({}, "/header"), findings)
    reader.message(layout.plan.messages.rows[0].content, node, Record({}), "")
    assert len(list(scalars(order, ""))) == findings.values


@pytest.mark.parametrize("name", ["all", "plain"])
@some
@given(data=st.data())
def test_what_the_schema_refuses_is_refused(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    content = written(data.draw(mutated(name)))
    if list(validator(layout).iter_errors(msgspec.json.decode(content))):
        with pytest.raises(TranslationError):
            decode(layout, content)


@each_layout
@some
@given(data=st.data())
def test_what_is_read_is_written_within_the_schema_and_reads_back_but_for_what_was_told(
    name: str, data: st.DataObject
) -> None:
    layout = LAYOUTS[name]
    try:
        interchange = decode(layout, written(data.draw(mutated(name))))
    except TranslationError:
        return
    notes: list[Any] = []
    try:
        content = encode(layout, interchange, notes.append)
    except TranslationError:
        # An open code that is spelled like one of ours, or a number that was a text.
        return
    assert [] == list(validator(layout).iter_errors(msgspec.json.decode(content)))
    lost = [note.path for note in notes if note.kind is NoteKind.DROPPED]
    (before,) = interchange.messages
    (after,) = decode(layout, content).messages
    assert dict(leaves(without(before, lost))) == dict(leaves(after))


@some
@given(data=st.data())
def test_garbage_gives_only_faults(data: st.DataObject) -> None:
    content = bytearray(document(ITEM, head={"from": "me"}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for reading in LAYOUTS["all"].read(io.BytesIO(bytes(content))):
        if isinstance(reading, Entry) and reading.message is None:
            assert [fault for fault in reading.faults if fault.refuses]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_good_order_satisfies_the_schema(name: str) -> None:
    content = msgspec.json.decode(written(item(name)))
    assert [] == list(validator(LAYOUTS[name]).iter_errors(content))


def test_a_good_order_is_taken_by_the_quick_reader() -> None:
    layout = LAYOUTS["plain"]
    order = json.parse(dumped(item("plain"))).value
    try:
        found = JsonFast(layout.plan).readers["order"](order)
    except GIVES_UP:
        found = {}
    assert "R-1" == found.get("order_id")


@each_layout
@pytest.mark.parametrize("full", [True, False])
def test_the_sample_satisfies_the_schema_and_reads_back_equal(name: str, full: bool) -> None:
    layout = LAYOUTS[name]
    sample = layout.sample(full=full)
    content = encode(layout, sample)
    assert [] == list(validator(layout).iter_errors(msgspec.json.decode(content)))
    assert sample == decode(layout, content)


def validator(layout: LayoutTranslator) -> Any:
    (schema,) = layout.schema().values()
    return jsonschema.Draft202012Validator(msgspec.json.decode(schema))
