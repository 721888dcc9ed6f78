from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from gateway.cli.story import Said, Scene, in_order, nested

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def said(identifier: str, minute: int | None, **more: str) -> Said:
    at = None if minute is None else START + timedelta(minutes=minute)
    return msgspec.convert({"at": at, "status": "accepted", "message_id": identifier, **more}, Said)


def shape(scenes: Iterable[Scene]) -> list[object]:
    """Message ids, each followed by those below it."""
    return [[scene.said.message_id, *shape(scene.answers)] for scene in scenes]


def test_messages_come_in_the_order_of_time() -> None:
    told = [said("c", 3), said("a", 1), said("none", None), said("b", 2)]
    assert [one.message_id for one in in_order(told)] == ["a", "b", "c", "none"]


def test_answers_stand_below_what_they_regard() -> None:
    told = [
        said("item", 1),
        said("answer", 2, regards="item"),
        said("decision", 3, regards="item"),
        said("other", 4),
    ]
    assert shape(nested(told)) == [["item", ["answer"], ["decision"]], ["other"]]


def test_answers_to_answers_stand_below_them() -> None:
    told = [said("a", 1), said("b", 2, regards="a"), said("c", 3, regards="b")]
    assert shape(nested(told)) == [["a", ["b", ["c"]]]]


def test_what_a_gateway_passed_on_stands_below_what_it_got() -> None:
    told = [
        said("here", 1),
        said("there", 2, upstream_id="here"),
        said("back", 3, regards="there"),
    ]
    assert shape(nested(told)) == [["here", ["there", ["back"]]]]


def test_what_regards_something_that_is_not_told_stands_by_itself() -> None:
    assert shape(nested([said("a", 1, regards="unknown")])) == [["a"]]


def test_messages_that_regard_each_other_are_told_once() -> None:
    told = [said("root", 0), said("a", 1, regards="b"), said("b", 2, regards="a")]
    assert shape(nested(told)) == [["root"], ["b", ["a"]]]


def test_answers_under_way_before_their_question_by_another_clock_stand_below_it() -> None:
    told = [said("answer", 1, regards="question"), said("question", 2)]
    assert shape(nested(told)) == [["question", ["answer"]]]


def test_what_regards_itself_is_told_once() -> None:
    assert shape(nested([said("a", 1, regards="a")])) == [["a"]]
