from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gateway.demo.generator import header, indicators, items, orders, spoil, stream, write
from gateway.demo.generator.spoil import WAYS, Spoiled
from gateway.regimes import Universal
from translators.canonical import Header, ItemDeclaration, Message
from translators.registry import standard
from translators.translator import Entry, FormatId, decode

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
HEAD = header("FRA-000001", sender="FRA", recipient="LUA", at=AT)
ITMATT = FormatId("upu.itmatt.1")
JSON = FormatId("luxor.json.1")


def test_items_come_back_unchanged_from_their_itmatt_document() -> None:
    sent = items("itmatt", 100, at=AT)
    found = decode(standard().get(ITMATT), b"".join(write(ITMATT, HEAD, sent)))
    assert (HEAD, sent) == (found.header, list(found.messages))


def test_items_orders_and_indicators_come_back_unchanged_from_json() -> None:
    sent = items("json", 100, at=AT)
    made = orders("json", 40, sent, at=AT)
    warned = indicators("json", 10, sent, at=AT)
    messages: list[Message] = [*sent, *made.placed, *made.shipped, *warned.messages]
    found = decode(standard().get(JSON), b"".join(write(JSON, HEAD, messages)))
    assert messages == list(found.messages)


def test_a_document_is_written_while_its_items_are_made() -> None:
    taken = []

    def counted() -> Iterator[ItemDeclaration]:
        for made in stream("load", 2_000, at=AT):
            taken.append(made.item_id)
            yield made

    pieces = write(ITMATT, HEAD, counted())
    for _ in range(10):
        next(pieces)
    assert 0 < len(taken) < 1_000


def entries(content: bytes) -> Iterator[Entry]:
    for reading in standard().get(ITMATT).read(io.BytesIO(content)):
        assert isinstance(reading, Header | Entry)
        if isinstance(reading, Entry):
            yield reading


@pytest.fixture(scope="module")
def sent() -> list[ItemDeclaration]:
    return items("spoil", 50, at=AT)


@pytest.fixture(scope="module")
def spoiled(sent: list[ItemDeclaration]) -> Spoiled:
    return spoil(sent, head=HEAD, seed="spoil")


def test_one_item_is_spoiled_in_each_way(spoiled: Spoiled) -> None:
    assert {defect.way for defect in spoiled.defects} == set(WAYS)
    assert len({defect.ordinal for defect in spoiled.defects}) == len(WAYS)


def test_every_spoiled_item_has_just_its_faults_and_all_others_are_whole(
    spoiled: Spoiled, sent: list[ItemDeclaration]
) -> None:
    regime = Universal()
    found = {}
    for entry in entries(spoiled.content):
        faults = list(entry.faults)
        if entry.message is not None:
            faults += [fault for fault in regime.check(entry.message) if fault.refuses]
        if faults:
            found[entry.ordinal] = (entry.key, sorted((f.code, f.path) for f in faults))
        else:
            assert entry.message == sent[entry.ordinal - 1]
    assert {d.ordinal: (d.written_id, sorted(d.faults)) for d in spoiled.defects} == found


def test_faults_of_spoiled_items_name_lines_of_their_own(spoiled: Spoiled) -> None:
    lines = [fault.line for entry in entries(spoiled.content) for fault in entry.faults]
    assert len(set(lines)) == len(lines) >= 3
    assert None not in lines


def test_the_repaired_items_are_the_good_ones(
    spoiled: Spoiled, sent: list[ItemDeclaration]
) -> None:
    wanted = [sent[defect.ordinal - 1] for defect in spoiled.defects]
    assert wanted == list(spoiled.repaired)
    assert [defect.item_id for defect in spoiled.defects] == [item.item_id for item in wanted]


def test_items_can_be_kept_from_being_spoiled(sent: list[ItemDeclaration]) -> None:
    keep = {item.item_id for item in sent[: len(sent) - len(WAYS)]}
    made = spoil(sent, head=HEAD, seed="spoil", avoid=keep)
    assert keep.isdisjoint(defect.item_id for defect in made.defects)


def test_too_few_items_to_spoil_are_said(sent: list[ItemDeclaration]) -> None:
    with pytest.raises(ValueError, match="items are needed"):
        spoil(sent[:3], head=HEAD, seed="spoil")


def test_the_same_seed_spoils_the_same_items(sent: list[ItemDeclaration], spoiled: Spoiled) -> None:
    assert spoil(sent, head=HEAD, seed="spoil") == spoiled
