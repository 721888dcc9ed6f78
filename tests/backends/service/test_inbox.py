"""Taking in: repeats, conflicts, refusals, versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from backends.service.books import Books
from backends.service.desk import Disposition, Received, assessment_id
from backends.service.inbox import Conflict, Parcel, accept
from backends.service.outcome import Outcome, Status
from tests.backends.workbench import KEY_LIFE, Workbench, provenance
from tests.samples import ITEM, NOW, item
from translators.faults import Fault, Severity
from translators.translator import Entry


class Diary:
    """A desk that notes what it gets and applies all of it."""

    name = "diary"
    tables = ""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def receive(self, books: Books, received: Received) -> Disposition:
        self.seen.append(received.message_id)
        return Disposition.APPLIED

    def work(self, books: Books) -> bool:
        return False


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def bench(diary: Diary) -> Workbench:
    return Workbench(diary)


def parcel(*entries: Entry, name: str = "x-1", faults: tuple[Fault, ...] = ()) -> Parcel:
    return Parcel(
        party="gateway-lx",
        interchange_id=name,
        format="luxor.json.1",
        digest="0" * 64,
        size=1,
        received_at=NOW,
        entries=entries,
        faults=faults,
    )


def entry(ordinal: int, message_id: str | None, *faults: Fault, **changes: Any) -> Entry:
    origin = None if message_id is None else provenance(message_id)
    message = item(provenance=origin, **changes)
    return Entry(ordinal=ordinal, message=message, faults=faults, key=message.item_id)


def take(bench: Workbench, submitted: Parcel) -> Any:
    return accept(bench.books(), bench.desk, submitted, lambda *_: "receipt", key_life=KEY_LIFE)


def outcomes(stored: Any) -> list[tuple[str, list[str]]]:
    found = msgspec.json.decode(stored.outcomes, type=tuple[Outcome, ...])
    return [(o.status, [fault.path for fault in o.faults]) for o in found]


def test_a_repeat_gets_the_same_receipt_and_is_applied_once(bench: Workbench, diary: Diary) -> None:
    first, second = (bench.deliver(ITEM, "m-1") for _ in range(2))
    assert (first.repeated, second.repeated) == (False, True)
    assert (second.receipt, second.number) == (first.receipt, first.number)
    assert diary.seen == ["m-1"]
    assert bench.summary()["repeats"] == 1


def test_other_bytes_under_an_accepted_id_are_a_conflict(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    with pytest.raises(Conflict):
        bench.deliver(item(remark="changed"), "m-1")


def test_a_message_in_two_interchanges_is_applied_once(bench: Workbench, diary: Diary) -> None:
    take(bench, parcel(entry(1, "m-1"), name="x-1"))
    take(bench, parcel(entry(1, "m-1"), entry(2, "m-2", item_id="B"), name="x-2"))
    assert diary.seen == ["m-1", "m-2"]


def test_a_faulty_message_leaves_its_neighbours_alone(bench: Workbench, diary: Diary) -> None:
    fault = Fault(code="value.too-long", path="/remark")
    bad = Entry(ordinal=1, message=None, faults=(fault,), key="A")
    stored = take(bench, parcel(bad, entry(2, "m-2")))
    assert (stored.status, stored.accepted, stored.refused) == (Status.ACCEPTED, 1, 1)
    assert outcomes(stored) == [("refused", ["/remark"]), ("accepted", [])]
    assert diary.seen == ["m-2"]


def test_a_message_without_provenance_is_refused_by_name(bench: Workbench) -> None:
    stored = take(bench, parcel(entry(1, None)))
    assert stored.status is Status.REFUSED
    assert outcomes(stored) == [("refused", ["/provenance"])]


def test_a_refused_id_stays_free_and_attempts_are_counted(bench: Workbench) -> None:
    take(bench, parcel(entry(1, None)))
    again = take(bench, parcel(entry(1, "m-1")))
    assert (again.status, again.attempt) == (Status.ACCEPTED, 2)
    assert bench.summary()["refused"] == 1


def test_a_fault_of_the_whole_refuses_all(bench: Workbench, diary: Diary) -> None:
    broken = Fault(code="json.malformed", detail="at the end")
    stored = take(bench, parcel(entry(1, "m-1"), faults=(broken,)))
    assert (stored.status, diary.seen) == (Status.REFUSED, [])


def test_an_interchange_without_messages_is_refused(bench: Workbench) -> None:
    assert take(bench, parcel()).status is Status.REFUSED


def test_a_warning_refuses_nothing(bench: Workbench) -> None:
    warning = Fault(code="code.unknown", path="/nature", severity=Severity.WARNING)
    assert take(bench, parcel(entry(1, "m-1", warning))).status is Status.ACCEPTED


def test_a_lower_version_is_kept_and_not_applied(bench: Workbench, diary: Diary) -> None:
    bench.deliver(ITEM, "m-3", version=3)
    bench.deliver(ITEM, "m-2", version=2)
    assert diary.seen == ["m-3"]
    assert bench.disposition("m-2") == "stale"
    assert bench.summary()["stale"] == 1


def test_versions_count_for_each_sender_apart(bench: Workbench, diary: Diary) -> None:
    bench.deliver(ITEM, "m-1", version=3, party="post-a")
    bench.deliver(ITEM, "m-2", version=1, party="post-b")
    assert diary.seen == ["m-1", "m-2"]


def test_an_item_id_used_again_after_its_time_is_another_item(
    bench: Workbench, diary: Diary
) -> None:
    bench.deliver(ITEM, "m-1", version=3)
    bench.deliver(ITEM, "m-2", version=1, at=NOW + timedelta(days=400))
    assert diary.seen == ["m-1", "m-2"]


def test_a_desk_that_fails_leaves_no_trace(bench: Workbench) -> None:
    class Broken(Diary):
        def receive(self, books: Books, received: Received) -> Disposition:
            raise RuntimeError("a bug")

    connection = bench.connection
    connection.execute("BEGIN")
    with pytest.raises(RuntimeError):
        accept(bench.books(), Broken(), parcel(entry(1, "m-1")), lambda *_: "r", key_life=KEY_LIFE)
    connection.execute("ROLLBACK")
    assert bench.summary()["interchanges"] == 0


def test_ids_of_answers_are_stable_and_fit() -> None:
    long = "urn:something:" + "x" * 56
    assert assessment_id("risk", "0193-8aa", 2) == "risk.0193-8aa.2"
    assert assessment_id("risk", long, 1) == assessment_id("risk", long, 1)
    assert len(assessment_id("clearance", long, 10**6)) <= 70
    assert assessment_id("risk", "a/b", 1) != assessment_id("risk", "a b", 1)


def test_an_answer_id_is_used_once(bench: Workbench) -> None:
    books = bench.books()
    given = [books.answer(ITEM, interchange_id="risk.1.1", key="k", regards=None) for _ in range(2)]
    assert given == [True, False]
    assert books.answers == 1
