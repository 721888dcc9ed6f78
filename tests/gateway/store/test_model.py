"""Any sequence of calls has the same results on every store and on the plain model in memory."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from gateway.core.awaiting import Asked
from gateway.core.bucket import Rate
from gateway.core.deliveries import OPEN, Act, Chosen, Deed, Page
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, MessageId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import (
    Acceptance,
    Escalation,
    Expected,
    Lease,
    LegState,
    MessageReport,
    PlannedLeg,
    PlannedMessage,
    Result,
    Stored,
    Subject,
)
from gateway.core.reports import report_of
from gateway.store.memory import MemoryJournal
from gateway.store.memory.queue import Head
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import (
    GATEWAY,
    PLATFORM,
    POST,
    START,
    ManualClock,
    acceptance,
    message,
    refusal,
    settled,
)
from tests.postgres import database
from translators.faults import Note, NoteKind
from translators.translator import FormatId

T = TypeVar("T")
DESTINATIONS = ("partner", "revenue", "risk")
IDS = tuple(InterchangeId(f"id{n}") for n in range(12))
SUBJECTS = tuple(Subject("item", f"S{n}", origin) for n in range(3) for origin in ("DE", "NL"))

REPORTS = tuple(
    report_of(
        [Note(kind=NoteKind.DROPPED, path=f"/pieces/{n}/{name}") for n in range(2)],
        format_id=FormatId("upu.itmatt.1"),
        kind="ItemDeclaration",
    )
    for name in ("hs", "url")
)

EXPECTATIONS = (
    (),
    (Expected(party=PLATFORM, answers=("Item*",), within=60),),
    (
        Expected(party=PLATFORM, answers=("Order",), within=30, escalate=Escalation.NOTICE),
        Expected(party=PLATFORM, answers=("*",), within=90, escalate=Escalation.NONE),
    ),
)

parties = st.sampled_from((POST, PLATFORM))
ids = st.sampled_from(IDS)
contents = st.sampled_from((b"one", b"two"))
planned_legs = st.lists(
    st.builds(
        PlannedLeg,
        destination=st.sampled_from(DESTINATIONS),
        route=st.just("route"),
        lane=st.integers(0, 3),
        due=st.none() | st.integers(1, 5).map(lambda n: START + timedelta(minutes=n)),
        expects=st.sampled_from(EXPECTATIONS),
    ),
    max_size=3,
    unique_by=lambda leg: leg.destination,
).map(tuple)
planned = st.tuples(
    st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2).map(tuple), planned_legs
)
planned_messages = st.lists(planned, min_size=1, max_size=4)
SETTLING = [result for result in Result if result is not Result.RELEASED]
results = st.lists(st.sampled_from([*SETTLING, *[Result.DELIVERED] * 4]), min_size=1, max_size=20)
chosen = st.builds(
    Chosen,
    destination=st.none() | st.sampled_from(DESTINATIONS),
    states=st.sampled_from((OPEN, {LegState.BURIED}, OPEN - {LegState.WAITING})).map(frozenset),
    key=st.none() | st.sampled_from([subject.value for subject in SUBJECTS]),
    lane=st.none() | st.integers(0, 3),
    since=st.none() | st.integers(0, 5).map(lambda n: START + timedelta(minutes=n)),
)


def numbered(
    plans: list[tuple[Any, Any]], start: int = 1, key_of: tuple[RecordNumber, int] | None = None
) -> tuple[PlannedMessage, ...]:
    """Messages with ordinals; the first may be an answer."""
    return tuple(
        message(ordinal, subjects=subjects, legs=legs, key_of=key_of if ordinal == start else None)
        for ordinal, (subjects, legs) in enumerate(plans, start)
    )


class BothJournals(RuleBasedStateMachine):
    """Every rule does the same to both and compares what comes back."""

    records = Bundle("records")
    leases = Bundle("leases")
    chunks = Bundle("chunks")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.db"
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.latest = self.clock.at
        self.model = MemoryJournal(gateway=GATEWAY, clock=self.clock)
        self.store = self.opened()

    def opened(self) -> Journal:
        return self.runner.run(open_sqlite(self.path, gateway=GATEWAY, clock=self.clock))

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def both(self, call: Callable[[Journal], Awaitable[T]]) -> T:
        """The result on both; refusals and mistakes are results too."""

        async def outcome(journal: Journal) -> Any:
            try:
                return await call(journal)
            except Refused as error:
                return error.code
            except ValueError:
                return ValueError

        found, expected = (
            self.runner.run(outcome(journal)) for journal in (self.store, self.model)
        )
        assert expected == found
        return found  # type: ignore[no-any-return] # or the error, which rules do not use

    def commit(self, given: Acceptance) -> Any:
        stored: Any = self.both(lambda journal: journal.commit(given))
        if isinstance(stored, Stored) and not stored.repeated:
            return stored.record
        return multiple()

    @rule(
        target=records,
        party=parties,
        interchange_id=ids,
        content=contents,
        plans=planned_messages,
        reference=st.none() | st.sampled_from(("R1", "R2")),
    )
    def accept(self, plans: list[tuple[Any, Any]], **given: Any) -> Any:
        record = self.runner.run(self.store.reserve())
        given["control_reference"] = given.pop("reference")
        return self.commit(
            acceptance(record, messages=numbered(plans), received_at=self.clock.at, **given)
        )

    @rule(target=records, earlier=records, interchange_id=ids, plans=planned_messages)
    def answer(
        self, earlier: RecordNumber, interchange_id: InterchangeId, plans: list[tuple[Any, Any]]
    ) -> Any:
        record = self.runner.run(self.store.reserve())
        answers = numbered(plans, key_of=(earlier, 1))
        return self.commit(acceptance(record, interchange_id, messages=answers, party=PLATFORM))

    @rule(interchange_id=ids, attempt=st.integers(1, 3))
    def refuse(self, interchange_id: InterchangeId, attempt: int) -> None:
        record = self.runner.run(self.store.reserve())
        self.commit(refusal(record, interchange_id, attempt=attempt))

    @rule(target=chunks, plans=planned_messages)
    def stage(self, plans: list[tuple[Any, Any]]) -> RecordNumber:
        record = self.runner.run(self.store.reserve())
        self.stage_more(record, plans, 1)
        return record

    @rule(record=chunks, plans=planned_messages, start=st.sampled_from((1, 5)))
    def stage_more(self, record: RecordNumber, plans: list[tuple[Any, Any]], start: int) -> None:
        self.both(
            lambda journal: journal.stage(
                record,
                party=POST,
                interchange_id=IDS[0],
                raw=(b"piece",),
                messages=numbered(plans, start),
                reports=(MessageReport(ordinal=start, report=REPORTS[start % 2]),),
            )
        )

    @rule(target=records, record=chunks, interchange_id=ids, plans=planned_messages)
    def commit_staged(
        self, record: RecordNumber, interchange_id: InterchangeId, plans: list[tuple[Any, Any]]
    ) -> Any:
        return self.commit(
            acceptance(record, interchange_id, messages=numbered(plans, 9), staged=True)
        )

    @rule(record=chunks, interchange_id=ids)
    def refuse_staged(self, record: RecordNumber, interchange_id: InterchangeId) -> None:
        self.commit(refusal(record, interchange_id, staged=True))

    @rule(record=chunks)
    def discard(self, record: RecordNumber) -> None:
        self.both(lambda journal: journal.discard(record))

    @rule(
        target=leases,
        destination=st.sampled_from(DESTINATIONS),
        limit=st.integers(1, 6),
        seconds=st.integers(1, 90),
    )
    def lease(self, destination: str, limit: int, seconds: int) -> Any:
        found, expected = (
            self.runner.run(
                journal.lease(destination, limit=limit, seconds=seconds, now=self.clock.at)
            )
            for journal in (self.store, self.model)
        )
        if found is None or expected is None:
            assert found is expected
            return multiple()
        assert expected.deliveries == found.deliveries
        assert expected.until == found.until
        return found, expected

    @rule(
        pair=leases,
        outcomes=results,
        start=st.integers(0, 4),
        later=st.integers(0, 120),
    )
    def settle(
        self, pair: tuple[Lease, Lease], outcomes: list[Result], start: int, later: int
    ) -> None:
        not_before = self.clock.at + timedelta(seconds=later)
        for journal, lease in zip((self.store, self.model), pair, strict=True):
            some = [
                settled(delivery, result, code="c", not_before=not_before, report=report)
                for delivery, result, report in zip(
                    lease.deliveries[start:], outcomes, cycle((None, *REPORTS))
                )
            ]
            self.runner.run(journal.settle(lease, some, now=self.clock.at))

    @rule(pair=leases)
    def hold(self, pair: tuple[Lease, Lease]) -> None:
        found, expected = (
            self.runner.run(journal.held(lease.destination, lease.token))
            for journal, lease in zip((self.store, self.model), pair, strict=True)
        )
        assert (found and found.deliveries) == (expected and expected.deliveries)

    @rule(seconds=st.integers(-30, 120))
    def tick(self, seconds: int) -> None:
        now = self.clock.move(seconds=seconds)
        self.both(lambda journal: journal.tick(now=now))

    @rule(days=st.sampled_from((200, 400)))
    def wait_long(self, days: int) -> None:
        self.clock.move(days=days)

    @rule(destination=st.sampled_from(DESTINATIONS), key=st.none() | st.integers(1, 6))
    def retry(self, destination: str, key: int | None) -> None:
        self.both(lambda journal: journal.retry(destination, now=self.clock.at, key=key))

    @rule(chosen=chosen, act=st.sampled_from(Act), limit=st.integers(1, 5))
    def act(self, chosen: Chosen, act: Act, limit: int) -> None:
        deed = Deed(act=act, by="tests", reason="chance")
        acted = self.both(
            lambda journal: journal.deliveries.act(chosen, deed, now=self.clock.at, limit=limit)
        )
        for touched in acted.done:
            self.shown(touched.message_id)

    def shown(self, message: MessageId) -> None:
        """Processes have names of their own."""
        found, expected = (
            self.runner.run(journal.deliveries.show(message))
            for journal in (self.store, self.model)
        )
        assert found is not None
        assert expected is not None
        assert (expected.message, expected.legs) == (found.message, found.legs)
        assert [r.attempt for r in expected.attempts] == [r.attempt for r in found.attempts]

    @rule(limit=st.integers(1, 3), seconds=st.integers(1, 90), tell=st.booleans())
    def escalate(self, limit: int, seconds: int, tell: bool) -> None:
        now = self.clock.at
        claimed = self.both(
            lambda journal: journal.awaiting.claim(now=now, seconds=seconds, limit=limit)
        )
        if tell:
            self.both(lambda journal: journal.awaiting.escalated(claimed, now=now))

    @rule(back=st.integers(0, 300), limit=st.integers(1, 3))
    def give_up(self, back: int, limit: int) -> None:
        before = self.clock.at - timedelta(seconds=back)
        self.both(lambda journal: journal.awaiting.give_up(due_before=before, limit=limit))

    @rule(chosen=chosen, limit=st.integers(1, 5))
    def page(self, chosen: Chosen, limit: int) -> None:
        after: str | None = None
        for _ in range(3):
            asked = partial(_page, chosen=chosen, after=after, limit=limit)
            after = self.both(asked).next
            if after is None:
                break

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.close())
        self.store = self.opened()
        # What a process leaves half-done goes with it.
        for record in list(self.model._staged):
            self.runner.run(self.model.discard(RecordNumber(record)))
        for queue in self.model._outbox.queues.values():
            if queue.state is Head.LEASED:
                queue.become(Head.READY)

    @rule(value=st.sampled_from([s.value for s in SUBJECTS] + list(IDS)), limit=st.integers(1, 9))
    def trace(self, value: str, limit: int) -> None:
        self.both(lambda journal: journal.trace(value, limit=limit))

    @rule(interchange_id=ids, party=parties)
    def find(self, interchange_id: InterchangeId, party: Any) -> None:
        self.both(lambda journal: journal.find(party, interchange_id))
        self.both(lambda journal: journal.refusals(interchange_id))

    @rule(record=records)
    def look(self, record: RecordNumber) -> None:
        self.both(lambda journal: journal.legs(record))
        self.both(lambda journal: journal.message(record, 1))
        self.both(lambda journal: journal.raw(record, 0))
        self.both(lambda journal: journal.reports(record))

    @rule(
        scope=st.sampled_from(("a", "b")),
        value=st.sampled_from(("one", "two")),
        seconds=st.integers(-5, 90),
        late=st.integers(0, 50),
    )
    def remember(self, scope: str, value: str, seconds: int, late: int) -> None:
        # A clock that is set back by more than the grace of what is over is no promise's matter.
        self.latest = max(self.latest, self.clock.at)
        until = self.latest + timedelta(seconds=seconds)
        now = self.latest - timedelta(seconds=late)
        self.both(lambda journal: journal.remember(scope, value, until=until, now=now))

    @rule(scope=st.sampled_from(("a", "b")), want=st.integers(1, 5))
    def draw(self, scope: str, want: int) -> None:
        rate = Rate(0.1, 4)
        self.both(lambda journal: journal.draw(scope, want=want, rate=rate, now=self.clock.at))

    @rule(back=st.none() | st.integers(0, 500))
    def count_losses(self, back: int | None) -> None:
        since = None if back is None else self.clock.at - timedelta(days=back)
        self.both(lambda journal: journal.losses(since=since))

    @invariant()
    def the_same_waits(self) -> None:
        self.both(lambda journal: journal.backlog())
        self.both(lambda journal: journal.buried())
        now = self.clock.at
        self.both(lambda journal: journal.awaiting.counts(now=now))
        self.both(lambda journal: journal.awaiting.page(Asked(overdue=False), now=now, limit=3))

    def broken(self) -> list[tuple[Any, ...]]:
        """See :data:`BROKEN`."""
        return broken(self.path)

    @invariant()
    def heads_and_legs_agree(self) -> None:
        assert self.broken() == []


async def _page(journal: Journal, *, chosen: Chosen, after: str | None, limit: int) -> Page:
    return await journal.deliveries.page(chosen, after=after, limit=limit)


BROKEN = """
WITH queue AS (
 SELECT destination, key, min(seq) AS first FROM leg GROUP BY destination, key
)
SELECT 'no head', q.destination, q.key FROM queue AS q LEFT JOIN head AS h
 ON h.destination = q.destination AND h.key = q.key WHERE h.key IS NULL
UNION ALL
SELECT 'no legs', h.destination, h.key FROM head AS h LEFT JOIN queue AS q
 ON h.destination = q.destination AND h.key = q.key WHERE q.key IS NULL
UNION ALL
SELECT 'skips', h.destination, h.key FROM head AS h JOIN queue AS q
 ON h.destination = q.destination AND h.key = q.key WHERE h.next > q.first
"""
"""Keys whose head and legs contradict each other."""


def broken(path: Path) -> list[tuple[Any, ...]]:
    """Those of a SQLite file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(BROKEN).fetchall()
    finally:
        connection.close()


class BothWithPostgres(BothJournals):
    """The same on PostgreSQL."""

    def __init__(self) -> None:
        self.given = ExitStack()
        self.url = self.given.enter_context(database())
        super().__init__()
        self.onlooker = self.runner.run(asyncpg.connect(self.url))

    def opened(self) -> Journal:
        return self.runner.run(open_postgres(self.url, gateway=GATEWAY, clock=self.clock))

    def teardown(self) -> None:
        self.runner.run(self.onlooker.close())
        super().teardown()
        self.given.close()

    def broken(self) -> list[tuple[Any, ...]]:
        """See :data:`BROKEN`."""
        return [tuple(row) for row in self.runner.run(self.onlooker.fetch(BROKEN))]


TestBothJournals = BothJournals.TestCase
TestBothJournals.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)

TestBothWithPostgres = BothWithPostgres.TestCase
TestBothWithPostgres.settings = settings(max_examples=8, stateful_step_count=30, deadline=None)
