"""What awaiting answers costs: CPU of accepting, delivering and answering a message, as ratios.

``python -m bench.awaiting [MESSAGES]``. SQLite; messages with one leg in groups of 128, without an
expectation, with one, and with one that is answered; runs take turns, the best of three counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.records import (
    Acceptance,
    Expected,
    PlannedLeg,
    PlannedMessage,
    Result,
    Settlement,
    State,
    Subject,
)
from gateway.store.sqlite import SqliteJournal, open_sqlite
from translators.translator import FormatId
from trust.identity import PartyId

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
USUAL = 6_000
"""Messages."""
POST, RISK = PartyId("post-a"), PartyId("customs-risk")
EXPECTED = (Expected(party=RISK, answers=("RiskAssessment",), within=600.0),)
GROUP = 128
ROUNDS = 3
Place = tuple[RecordNumber, int]


def acceptance(record: RecordNumber, party: PartyId, message: PlannedMessage) -> Acceptance:
    """One accepted interchange with one message."""
    content = message.body
    return Acceptance(
        record=record,
        party=party,
        interchange_id=InterchangeId(f"i-{record}"),
        attempt=1,
        state=State.ACCEPTED,
        format=FormatId("luxor.json.1"),
        transport="https",
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        received_at=AT,
        accepted=1,
        refused=0,
        receipt="a.b.c",
        outcomes=b"[]",
        raw=(content,),
        messages=(message,),
    )


async def accept(
    journal: SqliteJournal, count: int, expects: tuple[Expected, ...], regards: list[Place]
) -> list[Place]:
    """Commit messages, 128 at a time; with ``regards``, answers to these."""
    places: list[Place] = []
    for start in range(0, count, GROUP):
        group = []
        for number in range(start, min(start + GROUP, count)):
            record = await journal.reserve()
            answer = regards[number] if regards else None
            message = PlannedMessage(
                ordinal=1,
                kind="ItemDeclaration" if answer is None else "RiskAssessment",
                body=b'{"type":"ItemDeclaration","item_id":"EE471108151FR","pieces":[]}' * 4,
                subjects=(Subject("item", f"i-{record}"),),
                legs=(PlannedLeg(destination="risk", route="items", expects=expects),)
                if answer is None
                else (),
                key_of=answer,
            )
            group.append(acceptance(record, POST if answer is None else RISK, message))
            places.append((record, 1))
        await asyncio.gather(*(journal.commit(one) for one in group))
    return places


async def deliver(journal: SqliteJournal) -> None:
    """Claim and settle everything, 256 at a time."""
    while lease := await journal.lease("risk", limit=256, seconds=60, now=AT):
        done = [Settlement(delivery=d, result=Result.DELIVERED) for d in lease.deliveries]
        await journal.settle(lease, done, now=AT)


async def one_round(folder: Path, count: int, expects: tuple[Expected, ...]) -> list[float]:
    """Microseconds of CPU a message: accepting, delivering, accepting the answer."""
    journal = await open_sqlite(folder / "journal.db", gateway=1, clock=lambda: AT)
    figures: list[float] = []
    places: list[Place] = []
    for step in ("accept", "deliver", "answer"):
        cpu = time.process_time()
        if step == "accept":
            places = await accept(journal, count, expects, [])
        elif step == "deliver":
            await deliver(journal)
        else:
            await accept(journal, count, (), places)
        figures.append((time.process_time() - cpu) / count * 1e6)
    left = await journal.awaiting.counts(now=AT)
    assert left == (), left
    await journal.close()
    return figures


async def run(count: int) -> None:
    """Print the figures."""
    kinds: dict[str, tuple[Expected, ...]] = {"without": (), "with one": EXPECTED}
    best: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, expects in kinds.items():
            with tempfile.TemporaryDirectory() as folder:
                figures = await one_round(Path(folder), count, expects)
            earlier = best.get(name, figures)
            best[name] = [min(pair) for pair in zip(earlier, figures, strict=True)]
    print(f"CPU of a message, of {count}; best of {ROUNDS}")
    for at, step in enumerate(("accept", "claim and settle", "accept its answer")):
        without, expecting = best["without"][at], best["with one"][at]
        print(
            f"  {step:18} {without:6.0f} µs without an expectation,"
            f" {expecting:6.0f} µs with one: {expecting / without:.2f} ×"
        )


def show() -> None:
    """Print the figures of the usual size."""
    asyncio.run(run(USUAL))


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL))
