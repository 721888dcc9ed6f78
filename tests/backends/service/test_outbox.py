"""The outbox: order per key, nothing lost, nothing sent that was taken back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.service import outbox
from backends.service.schema import TABLES
from tests.backends.service.test_inbox import Diary
from tests.backends.workbench import Workbench
from tests.samples import ITEM, NOW

NOTHING: frozenset[int] = frozenset()


def bench_with(*keys: str) -> Workbench:
    bench = Workbench(Diary())
    assert TABLES
    for number, key in enumerate(keys, 1):
        bench.books().answer(ITEM, interchange_id=f"a-{number}", key=key, regards=None)
    return bench


def numbers(bench: Workbench, limit: int = 10, held: frozenset[int] = NOTHING) -> list[int]:
    return [w.number for w in outbox.take(bench.connection, limit=limit, in_flight=held)]


def test_one_answer_of_each_key_goes_out_at_a_time() -> None:
    bench = bench_with("k", "k", "other")
    assert numbers(bench) == [1, 3]
    assert numbers(bench, held=frozenset({1, 3})) == []


def test_the_next_of_a_key_follows_when_the_first_is_acknowledged() -> None:
    bench = bench_with("k", "k")
    outbox.acknowledge(bench.connection, [(1, "receipt")], NOW)
    assert numbers(bench) == [2]


def test_a_refused_answer_does_not_hold_back_its_key() -> None:
    bench = bench_with("k", "k")
    outbox.refuse(bench.connection, 1, "value.missing", NOW)
    assert numbers(bench) == [2]


def test_what_was_taken_and_not_settled_comes_again() -> None:
    bench = bench_with("k")
    assert numbers(bench) == numbers(bench) == [1]


def test_only_untried_answers_are_superseded() -> None:
    bench = bench_with("k", "k", "k")
    numbers(bench, limit=1)
    assert bench.books().supersede("k") == 2
    assert numbers(bench) == [1]


def test_refused_answers_can_be_had_sent_again() -> None:
    bench = bench_with("k")
    outbox.refuse(bench.connection, 1, "value.missing", NOW)
    assert outbox.retry_refused(bench.connection) == 1
    assert numbers(bench) == [1]


def test_the_summary_counts_every_state() -> None:
    bench = bench_with("a", "b", "c", "d")
    numbers(bench, limit=2)
    outbox.acknowledge(bench.connection, [(1, "receipt")], NOW)
    outbox.refuse(bench.connection, 2, "x", NOW)
    bench.books().supersede("d")
    answers = bench.summary()["answers"]
    assert {k: v for k, v in answers.items() if k != "kinds"} == {
        "created": 4,
        "sent": 2,
        "waiting": 1,
        "acknowledged": 1,
        "refused": 1,
        "superseded": 1,
    }
    assert answers["kinds"]["ItemDeclaration"]["created"] == 4


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(1, 4))
def test_every_key_is_sent_in_order_whatever_the_window(keys: list[str], window: int) -> None:
    bench = bench_with(*keys)
    sent: list[int] = []
    while batch := numbers(bench, limit=window):
        assert len({keys[n - 1] for n in batch}) == len(batch)
        sent += batch
        outbox.acknowledge(bench.connection, [(n, "receipt") for n in batch], NOW)
    assert sorted(sent) == list(range(1, len(keys) + 1))
    for key in set(keys):
        of_key = [n for n in sent if keys[n - 1] == key]
        assert of_key == sorted(of_key)
