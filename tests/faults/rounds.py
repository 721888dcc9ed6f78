"""Rounds of faults under load, and their judgement."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.faults.ledger import Verdict, judge
from tests.faults.load import Load
from tests.faults.receiver import PATHS, Book
from tests.faults.sites import Site, StoreName, running

CALM = (0.3, 1.0)
"""Seconds under load before a fault."""
DOWN = (0.0, 0.4)
"""Seconds that what was killed stays away."""
DRAIN_SECONDS = 60.0
SETTLED_SECONDS = 1.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run."""

    verdict: Verdict
    rounds: int
    faults: dict[str, int]
    resent: int
    repeated: int
    seconds: float
    drain_seconds: float
    """From the last fault until the last delivery."""
    damage: str


async def run(
    folder: Path,
    certs: Path,
    *,
    store: StoreName,
    rounds: int,
    seed: int,
    told: Callable[[str], None],
) -> Outcome:
    """So many rounds on one store; ``told`` hears of the progress."""
    chosen = random.Random(seed)
    began = time.monotonic()
    counts: Counter[str] = Counter()
    with running(folder, certs, store=store, seed=seed) as site:
        load = Load(ports=lambda: site.ports, tls=_tls(certs), seed=seed)
        sending = asyncio.create_task(load.run())
        try:
            for number, fault in zip(range(1, rounds + 1), _turns(site, chosen), strict=False):
                await _round(site, fault, chosen, sending)
                counts[fault] += 1
                if number % 10 == 0 or number == rounds:
                    told(f"{store}: round {number} of {rounds}, {len(load.receipted)} messages")
            ended = time.monotonic()
            load.stop()
            await asyncio.wait_for(sending, DRAIN_SECONDS)
        finally:
            sending.cancel()
        book = Book(site.book)
        await _drained(book, load)
        drained = time.monotonic() - ended
        for node in site.nodes:
            await asyncio.to_thread(node.stop)
        return Outcome(
            verdict=judge(load.receipted, book.events, destinations=PATHS),
            rounds=rounds,
            faults=dict(counts),
            resent=load.resent,
            repeated=load.repeated,
            seconds=time.monotonic() - began,
            drain_seconds=drained,
            damage=await asyncio.to_thread(site.damage),
        )


def _turns(site: Site, chosen: random.Random) -> Iterator[str]:
    """Every kind of fault in turn, in an order that is drawn anew each time."""
    while True:
        faults = list(site.faults())
        chosen.shuffle(faults)
        yield from faults


async def _round(
    site: Site, fault: str, chosen: random.Random, sending: asyncio.Task[None]
) -> None:
    await asyncio.sleep(chosen.uniform(*CALM))
    if sending.done():
        sending.result()  # raises what ended it
    repair = site.harm(fault, chosen)
    await asyncio.sleep(chosen.uniform(*DOWN))
    await asyncio.to_thread(repair)


async def _drained(book: Book, load: Load) -> None:
    """Wait until every destination has what was receipted, or for so long; the judge sees."""
    missing = {(path, *sent) for path in PATHS for sent in load.receipted}
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        new = await asyncio.to_thread(book.read)
        missing -= {(e.destination, e.interchange_id, e.item) for e in new if e.what == "taken"}
        if not missing:
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(SETTLED_SECONDS)  # what comes twice comes soon
    await asyncio.to_thread(book.read)


def _tls(certs: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certs / "luxor/root.pem"))
    party = certs / "luxor/parties/post-a"
    context.load_cert_chain(party / "tls.pem", party / "tls.key")
    return context
