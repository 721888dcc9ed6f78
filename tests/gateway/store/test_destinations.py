"""How destinations stand: one switch and one breaker for all nodes, kept past a restart."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.destinations import (
    Breaker,
    LaneBacklog,
    Standing,
    Step,
    closed,
    may_probe,
    opened,
    probing,
    replayed,
    replaying,
    switched,
    yielded,
)
from gateway.core.ports import Journal
from gateway.core.records import Result
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import (
    GATEWAY,
    START,
    ManualClock,
    accept,
    item,
    lease,
    legs,
    message,
    settled,
)

LATER = START + timedelta(minutes=5)
SOON = START + timedelta(seconds=1)


def down(node: str = "a", *, failures: int = 3) -> Step:
    """A node finds the destination unreachable."""
    return opened(node=node, failures=failures, until=SOON, reason="refused", now=START)


async def made(journal: Journal, *steps: Step) -> Standing:
    """How risk stands after some steps."""
    for step in steps:
        change = await journal.destinations.change("risk", step)
    return change.after


async def test_of_what_was_never_changed_nothing_is_kept(journal: Journal) -> None:
    change = await journal.destinations.change("risk", closed(node="a", replay=True, now=START))
    assert change.before == change.after == Standing(id="risk")
    assert await journal.destinations.all() == {}


async def test_switching_says_who_when_and_why(journal: Journal) -> None:
    await made(journal, switched(on=False, by="ops", reason="they move", now=START))
    standings = await journal.destinations.all()
    assert standings == {
        "risk": Standing(
            id="risk", on=False, switched_at=START, switched_by="ops", switch_reason="they move"
        )
    }
    assert not standings["risk"].delivers


@pytest.mark.parametrize("reason", ["", "x" * 201, "two\nlines", "\x1b[31m"])
def test_a_reason_is_one_printable_line(reason: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        switched(on=False, by="ops", reason=reason, now=START)


async def test_one_node_opens_and_others_change_nothing(journal: Journal) -> None:
    first = await made(journal, down("a"))
    assert (first.breaker, first.failures, first.open_until, first.since) == (
        Breaker.OPEN,
        3,
        SOON,
        START,
    )
    second = await made(
        journal, opened(node="b", failures=9, until=LATER, reason="other", now=LATER)
    )
    assert second == first


async def test_nobody_probes_before_the_time(journal: Journal) -> None:
    await made(journal, down())
    assert not may_probe(await made(journal, probing(node="a", until=LATER, now=START)), "a")


async def test_of_many_nodes_one_probes(journal: Journal) -> None:
    await made(journal, down())
    changes = await asyncio.gather(
        *(
            journal.destinations.change("risk", probing(node=node, until=LATER, now=SOON))
            for node in "abcdef"
        )
    )
    given = [change.after.prober for change in changes if change.before != change.after]
    assert 1 == len(given)
    assert 1 == len({change.after.prober for change in changes})


async def test_a_right_that_was_not_used_passes_on(journal: Journal) -> None:
    await made(journal, down(), probing(node="a", until=LATER, now=SOON))
    before = LATER - timedelta(seconds=1)
    assert may_probe(await made(journal, probing(node="b", until=before, now=before)), "a")
    assert may_probe(await made(journal, probing(node="b", until=LATER, now=LATER)), "b")


async def test_only_who_probes_closes_or_opens_again(journal: Journal) -> None:
    half = await made(journal, down(), probing(node="a", until=LATER, now=SOON))
    assert half == await made(journal, closed(node="b", replay=True, now=SOON))
    assert half == await made(journal, down("b"))
    again = await made(journal, down("a"))
    assert (again.breaker, again.failures, again.since) == (Breaker.OPEN, 4, START)
    back = await made(
        journal, probing(node="a", until=LATER, now=SOON), closed(node="a", replay=True, now=LATER)
    )
    assert back == Standing(id="risk", since=LATER, replay_before=LATER)
    assert back.delivers


async def test_what_is_to_be_replayed_stays_noted_until_it_was(journal: Journal) -> None:
    probe = probing(node="a", until=LATER, now=SOON)
    await made(journal, down(), probe, closed(node="a", replay=True, now=LATER))
    assert LATER == (await made(journal, replayed(node="a", before=LATER))).replay_before
    begun = replaying(node="a", until=LATER, now=SOON)
    assert LATER == (await made(journal, begun, replayed(node="a", before=START))).replay_before
    over = await made(journal, begun, replayed(node="a", before=LATER))
    assert (over.replay_before, over.replayer) == (None, "")
    without = await made(journal, down(), probe, closed(node="a", replay=False, now=LATER))
    assert without.replay_before is None


async def test_of_many_nodes_one_replays_until_its_time_is_over(journal: Journal) -> None:
    probe = probing(node="a", until=LATER, now=SOON)
    await made(journal, down(), probe, closed(node="a", replay=True, now=LATER))
    first = await made(journal, replaying(node="a", until=LATER, now=SOON))
    assert first == await made(journal, replaying(node="b", until=LATER, now=SOON))
    assert first == await made(journal, replayed(node="b", before=LATER))
    assert "b" == (await made(journal, replaying(node="b", until=LATER, now=LATER))).replayer


async def test_a_node_that_stops_lets_the_next_one_probe_at_once(journal: Journal) -> None:
    await made(journal, down(), probing(node="a", until=LATER, now=SOON))
    assert may_probe(await made(journal, yielded(node="b", now=SOON)), "a")
    given = await made(
        journal, yielded(node="a", now=SOON), probing(node="b", until=LATER, now=SOON)
    )
    assert may_probe(given, "b")


async def test_switching_on_makes_an_open_breaker_try_at_once(journal: Journal) -> None:
    steps = (down(), switched(on=True, by="ops", reason="it is back", now=START))
    assert START == (await made(journal, *steps)).open_until


async def test_a_step_that_fails_changes_nothing(journal: Journal) -> None:
    def broken(_: Standing) -> Standing:
        raise ValueError("no")

    before = await made(journal, down())
    with pytest.raises(ValueError, match="no"):
        await journal.destinations.change("risk", broken)
    assert {"risk": before} == await journal.destinations.all()


async def test_a_restart_keeps_how_destinations_stand(tmp_path: Path, clock: ManualClock) -> None:
    first = await open_sqlite(tmp_path / "journal.db", gateway=GATEWAY, clock=clock)
    standing = await made(first, down(), switched(on=False, by="ops", reason="r", now=START))
    await first.close()
    second = await open_sqlite(tmp_path / "journal.db", gateway=GATEWAY, clock=clock)
    assert {"risk": standing} == await second.destinations.all()
    await second.close()


async def test_the_backlog_is_counted_by_lane(journal: Journal) -> None:
    for number, lane in enumerate((0, 2, 2, 2), 1):
        planned = message(about=item(number), legs=legs("risk", lane=lane))
        await accept(journal, f"i-{number}", messages=[planned], content=b"%d" % number)
    taken = await lease(journal, limit=2)
    await journal.settle(
        taken, [settled(taken.deliveries[1], Result.RETRY, not_before=LATER)], now=START
    )
    assert await journal.destinations.lanes() == (
        LaneBacklog(destination="risk", lane=0, leased=1, oldest=START),
        LaneBacklog(destination="risk", lane=2, ready=2, waiting=1, oldest=START, next_try=LATER),
    )
