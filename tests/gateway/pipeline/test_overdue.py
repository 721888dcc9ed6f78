"""Answers that do not come: told once, counted, given up in the end; and those that do come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from gateway.core.awaiting import Asked
from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Escalation, Result, Settlement, State
from gateway.pipeline.overdue import AnswerSettings, Overdue
from gateway.routing import Expectation, Expectations
from gateway.telemetry import Metrics, Telemetry
from tests import samples
from tests.gateway.pipeline.conftest import Middle
from tests.gateway.pipeline.test_notices import Office
from translators.canonical import RiskAssessment

MINUTE = 60.0


class Log:
    """Events as they are written."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def bind(self, **_: Any) -> Log:
        return self

    def error(self, event: str, **fields: Any) -> None:
        self.events.append(("error", event, fields))

    def warning(self, event: str, **fields: Any) -> None:
        self.events.append(("warning", event, fields))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for _, name, fields in self.events if name == event]


class Watch:
    """What is overdue on a middle, looked after."""

    def __init__(self, middle: Middle, *, escalate: Escalation = Escalation.NOTICE) -> None:
        self.middle = middle
        self.office = Office(middle)
        self.log = Log()
        self.metrics = Metrics(CollectorRegistry())
        expectation = Expectation(
            kinds=("ItemDeclaration",),
            answers=("RiskAssessment",),
            within=MINUTE,
            destination="risk",
            escalate=escalate,
        )
        middle.network = msgspec.structs.replace(
            middle.network, expectations=Expectations((expectation,))
        )
        self.overdue = self.another()

    def another(self) -> Overdue:
        """Another process that looks after the same."""
        telemetry = Telemetry(metrics=self.metrics, log=self.log)  # type: ignore[arg-type] # a fake of what is used of it
        return Overdue(
            journal=self.middle.journal,
            notices=self.office.notices,
            settings=lambda: AnswerSettings(forget_days=1),
            telemetry=telemetry,
            clock=self.middle.clock,
        )

    async def deliver(self, identifier: str = "first") -> str:
        """An item goes to risk; its message id."""
        stored = await self.middle.send("post-a", samples.ITEM, identifier=identifier)
        assert stored.state is State.ACCEPTED
        now = self.middle.now
        lease = await self.middle.journal.lease("risk", limit=9, seconds=60, now=now)
        assert lease is not None
        done = [Settlement(delivery=d, result=Result.DELIVERED) for d in lease.deliveries]
        await self.middle.journal.settle(lease, done, now=now)
        return lease.deliveries[0].message.message_id

    def pass_time(self, **by: float) -> None:
        self.middle.now += timedelta(**by)

    def gauge(self, name: str) -> float | None:
        labels = {"destination": "risk", "kind": "ItemDeclaration"}
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def watch(middle: Middle) -> Watch:
    return Watch(middle)


async def awaited(watch: Watch) -> int:
    page = await watch.middle.journal.awaiting.page(Asked(overdue=False), now=watch.middle.now)
    return len(page.answers)


async def test_in_time_nothing_is_told_and_it_is_counted(watch: Watch) -> None:
    await watch.deliver()

    await watch.overdue.look()

    assert watch.log.events == []
    assert watch.gauge("luxor_answers_awaited") == 1
    assert watch.gauge("luxor_answers_overdue") == 0


async def test_what_is_overdue_is_told_once_by_one_of_all(watch: Watch) -> None:
    identifier = await watch.deliver()
    watch.pass_time(seconds=MINUTE)

    for process in (watch.overdue, watch.another(), watch.overdue):
        await process.look()

    (told,) = watch.log.named("answer.overdue")
    assert told["message_id"] == identifier
    assert (told["destination"], told["expected"]) == ("risk", ["RiskAssessment"])
    assert watch.gauge("luxor_answers_overdue") == 1


async def test_nothing_personal_is_told(watch: Watch) -> None:
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()

    (told,) = watch.log.named("answer.overdue")
    assert told.keys() == {
        *("destination", "party", "message_id", "kind", "expected", "delivered_at", "due")
    }


async def test_the_sender_gets_a_notice_when_it_is_asked_for(watch: Watch) -> None:
    identifier = await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()

    (notice,) = await watch.office.told()
    assert (notice.regards, notice.destination) == (identifier, "risk")
    assert [reason.code for reason in notice.reasons] == ["answer.overdue"]


@pytest.mark.parametrize(("escalate", "events"), [(Escalation.EVENT, 1), (Escalation.NONE, 0)])
async def test_otherwise_the_sender_is_not_told(
    middle: Middle, escalate: Escalation, events: int
) -> None:
    watch = Watch(middle, escalate=escalate)
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()

    assert len(watch.log.named("answer.overdue")) == events
    assert await watch.office.told() == []
    assert watch.gauge("luxor_answers_overdue") == 1


async def test_a_crash_between_notice_and_mark_tells_the_sender_once(watch: Watch) -> None:
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    awaiting = watch.middle.journal.awaiting
    claimed = await awaiting.claim(now=watch.middle.now, seconds=60)
    await watch.office.notices.unanswered(claimed[0], watch.middle.journal)

    watch.pass_time(seconds=61)  # nobody marked it, so somebody else begins again
    await watch.overdue.look()

    assert len(await watch.office.told()) == 1


async def test_the_answer_ends_it(watch: Watch) -> None:
    identifier = await watch.deliver()
    answer = msgspec.structs.replace(samples.ASSESSMENT, regards=identifier)
    assert isinstance(answer, RiskAssessment)
    stored = await watch.middle.send("risk", answer, identifier="answer")
    assert stored.state is State.ACCEPTED
    watch.pass_time(days=1)

    await watch.overdue.look()

    assert watch.log.events == []
    assert await awaited(watch) == 0


async def test_an_answer_that_is_refused_ends_nothing(watch: Watch) -> None:
    identifier = await watch.deliver()
    answer = msgspec.structs.replace(samples.ASSESSMENT, regards=identifier)
    stored = await watch.middle.send("shop", answer, identifier="answer")

    assert stored.state is State.REFUSED
    assert await awaited(watch) == 1


async def test_what_is_answered_late_is_counted_no_more(watch: Watch) -> None:
    identifier = await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()
    answer = msgspec.structs.replace(samples.ASSESSMENT, regards=identifier)
    await watch.middle.send("risk", answer, identifier="answer")

    await watch.overdue.look()

    assert watch.gauge("luxor_answers_awaited") == 0
    assert watch.gauge("luxor_answers_overdue") == 0


async def test_given_up_after_the_configured_time(watch: Watch) -> None:
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()
    watch.pass_time(days=1)
    await watch.overdue.look()
    assert await awaited(watch) == 1

    watch.pass_time(seconds=1)
    await watch.overdue.look()

    assert await awaited(watch) == 0
    assert watch.log.named("answer.given-up") == [{"answers": 1}]


async def test_a_notice_that_is_refused_is_an_event_and_holds_up_nothing(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> None:
        raise Refused("interchange.refused")

    monkeypatch.setattr(watch.office.notices, "unanswered", refuses)
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()

    assert len(watch.log.named("notice.refused")) == 1
    watch.pass_time(hours=1)
    await watch.overdue.look()
    assert len(watch.log.named("answer.overdue")) == 1


async def test_a_store_that_is_away_is_told_later(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)

    async def away(*_: object) -> None:
        raise Unavailable("the journal's disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(watch.office.notices, "unanswered", away)
        with pytest.raises(Unavailable):
            await watch.overdue.look()
    watch.pass_time(seconds=61)
    await watch.overdue.look()

    assert len(await watch.office.told()) == 1


async def test_notices_of_the_gateway_expect_nothing(middle: Middle) -> None:
    watch = Watch(middle)
    everything = Expectation(kinds=("*",), answers=("*",), within=1.0, party="post-a")
    both = Expectations((*middle.network.expectations.entries, everything))
    middle.network = msgspec.structs.replace(middle.network, expectations=both)
    await watch.deliver()
    watch.pass_time(seconds=MINUTE)
    await watch.overdue.look()
    assert len(await watch.office.told()) == 1
    assert await awaited(watch) == 1
