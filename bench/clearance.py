"""What it costs to ask whether an item may go: milliseconds of one, microseconds each of many.

``python -m bench.clearance [MESSAGES]``. On a journal of so many messages: items of a post in bags
of a hundred, each declared, assessed and mostly decided, some with a referral, some in a bag that
must not be loaded. Items are asked about one after the other, then 1,000 at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.core.identifiers import InterchangeId
from gateway.core.records import Acceptance, PlannedLeg, PlannedMessage, State
from gateway.pipeline.clearance import ClearanceSettings
from gateway.pipeline.weighing import weigh
from gateway.routing import subjects_of
from gateway.store.sqlite import SqliteJournal, open_sqlite
from tests.samples import ITEM, s10
from translators.canonical import (
    CustomsResponse,
    Despatch,
    Message,
    Office,
    Receptacle,
    Referral,
    RiskAssessment,
    kind_of,
)
from translators.translator import FormatId
from trust.identity import PartyId

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
USUAL = 60_000
"""Messages."""
PER_BAG = 100
ASKED = 2_000


def bag(number: int) -> str:
    """A receptacle identifier."""
    return f"FRCDGALULUXAAUN6{number:04d}001100005"


def said(count: int) -> Iterator[tuple[str, list[Message]]]:
    """What is sent about ``count`` items, by party, a bag at a time."""
    for at in range(0, count, PER_BAG):
        items = [s10(number) for number in range(at, min(at + PER_BAG, count))]
        packed = Receptacle(receptacle_id=bag(at // PER_BAG), item_ids=tuple(items))
        yield "post-a", [msgspec.structs.replace(ITEM, item_id=item) for item in items]
        yield (
            "post-a",
            [
                Despatch(
                    despatch_id=f"D-{at}",
                    origin_office="FRCDGA",
                    destination_office="LULUXA",
                    receptacles=(packed,),
                )
            ],
        )
        yield "risk", [RiskAssessment(outcome="clear", assessed_at=AT, item_id=i) for i in items]
        yield (
            "customs",
            [CustomsResponse(decision="released", decided_at=AT, item_id=i) for i in items[10:]],
        )
        asked = [_referral(f"R-{item}", "RFI", item_ids=(item,)) for item in items[::20]]
        if not at % (50 * PER_BAG):
            asked.append(_referral(f"N-{at}", "DNL", receptacle_ids=(packed.receptacle_id,)))
        yield "customs", list(asked)


def _referral(reference: str, kind: str, **named: tuple[str, ...]) -> Referral:
    return Referral(
        reference=reference,
        kind=kind,
        issued_at=AT,
        authority=Office(code="LU"),
        item_ids=named.get("item_ids", ()),
        receptacle_ids=named.get("receptacle_ids", ()),
    )


async def fill(journal: SqliteJournal, count: int) -> int:
    """Commit what is said about so many items; how many messages that are."""
    total = 0
    for number, (party, messages) in enumerate(said(count)):
        record = await journal.reserve()
        planned = tuple(
            PlannedMessage(
                ordinal=ordinal,
                kind=kind_of(message),
                body=msgspec.json.encode(message),
                subjects=subjects_of(message, party=party),
                legs=(PlannedLeg(destination="archive", route="all"),),
            )
            for ordinal, message in enumerate(messages, 1)
        )
        await journal.commit(
            Acceptance(
                record=record,
                party=PartyId(party),
                interchange_id=InterchangeId(f"i-{number}"),
                attempt=1,
                state=State.ACCEPTED,
                format=FormatId("luxor.json.1"),
                transport="https",
                digest=hashlib.sha256(str(number).encode()).hexdigest(),
                size=1,
                received_at=AT,
                accepted=len(planned),
                refused=0,
                receipt="eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
                outcomes=b"[]",
                raw=(b"x",),
                messages=planned,
            )
        )
        total += len(planned)
    return total


async def ask(journal: SqliteJournal, items: Sequence[str]) -> tuple[float, dict[str, int]]:
    """Seconds that one question takes, and how often each answer came."""
    began = time.perf_counter()
    answers = await weigh(journal.histories, items, now=AT, settings=ClearanceSettings())
    took = time.perf_counter() - began
    counts: dict[str, int] = {}
    for one in answers:
        verdict = one.concluded.basis.verdict.value
        counts[verdict] = counts.get(verdict, 0) + 1
    return took, counts


async def run(messages: int) -> None:
    """Print the figures."""
    count = messages // 3
    choice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        journal = await open_sqlite(Path(folder) / "journal.db", gateway=1, clock=lambda: AT)
        total = await fill(journal, count)
        asked = [s10(choice.randrange(count)) for _ in range(ASKED)]
        single = sorted([(await ask(journal, [item]))[0] for item in asked])
        took, counts = await ask(journal, asked[:1_000])
        cpu = time.process_time()
        await ask(journal, asked[1_000:])
        cpu = time.process_time() - cpu
        await journal.close()
    half, late = single[len(single) // 2], single[int(len(single) * 0.99)]
    print(f"a journal of {total} messages about {count} items")
    print(f"one item:     p50 {half * 1e3:.2f} ms, p99 {late * 1e3:.2f} ms")
    print(f"1,000 at once: {took * 1e3:.0f} µs each, {cpu * 1e3:.0f} µs of CPU each; {counts}")


def show() -> None:
    """Print the figures of the usual size."""
    asyncio.run(run(USUAL))


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL))
