"""Evidence of refusals: kept, but no way to fill the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from gateway.core.envelope import Transport
from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Outcome, State, Stored
from gateway.pipeline.notebook import Notebook
from tests.gateway.pipeline.conftest import Middle
from tests.gateway.pipeline.test_proofs import POST, gateway
from trust.identity import PartyId

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
SHOP = PartyId("shop")


def test_so_many_a_minute_are_written_and_the_next_tells_what_is_missing() -> None:
    now = [START]
    notebook = Notebook(per_minute=lambda: 3, clock=lambda: now[0])
    party = POST.party
    assert [notebook.omitted(party) for _ in range(6)] == [0, 0, 0, None, None, None]
    assert notebook.omitted(SHOP) == 0
    now[0] += timedelta(seconds=20)
    assert [notebook.omitted(party) for _ in range(2)] == [3, None]
    now[0] += timedelta(minutes=5)
    assert [notebook.omitted(party) for _ in range(4)] == [1, 0, 0, None]


async def test_thousands_of_refused_attempts_leave_few_rows_that_say_so() -> None:
    middle = Middle()
    service = gateway(middle)

    async def refused() -> bool:
        return await service.note_refusal(
            POST,
            Refused("signature.invalid", "example"),
            interchange_id="x",
            format_id="luxor.json.1",
            transport=Transport.HTTPS,
        )

    kept = sum([await refused() for _ in range(5_000)])
    assert kept == 60
    assert len(await middle.journal.refusals("x", limit=9_999)) == 60
    middle.now += timedelta(seconds=1)
    assert await refused()
    last = (await middle.journal.refusals("x", limit=9_999))[-1]
    assert told(last) == "example; 4940 refusals before it were not kept"


async def test_what_may_work_later_is_no_evidence() -> None:
    middle = Middle()
    assert not await gateway(middle).note_refusal(
        POST,
        Unavailable("overload"),
        interchange_id="x",
        format_id="luxor.json.1",
        transport=Transport.HTTPS,
    )
    assert await middle.journal.refusals("x") == ()


def told(stored: Stored) -> str:
    """What the journal says of a refusal as a whole."""
    (outcome,) = msgspec.json.decode(stored.outcomes, type=list[Outcome])
    assert outcome.status is State.REFUSED
    return outcome.faults[0].detail
