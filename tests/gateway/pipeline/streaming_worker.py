"""A gateway's middle that takes one large interchange and delivers all of it, measuring itself.

``python -m tests.gateway.pipeline.streaming_worker FOLDER ITEMS`` prints one JSON object: the peak
of its resident memory in bytes before and after each step, and what was done.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.core.envelope import Envelope, Transport
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Outgoing, Stored
from gateway.ingress.spool import Intake, SpoolSettings
from gateway.pipeline.bell import Bell
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.judge import Bench, Sender
from gateway.pipeline.outbound import Dispatcher
from gateway.pipeline.prepare import Preparer
from gateway.pipeline.settings import DispatchSettings, Limits
from gateway.pipeline.signing import SigningDesk
from gateway.pipeline.switchboard import Switchboard
from gateway.regimes import Universal
from gateway.store.sqlite import Limits as StoreLimits
from gateway.store.sqlite import SqliteJournal, open_sqlite
from tests import samples
from tests.gateway.pipeline.conftest import network, party
from translators.canonical import Header, ItemDeclaration
from translators.registry import standard
from translators.translator import FormatId
from trust.authority import generate_key
from trust.identity import Identity, PartyId
from trust.keys import KeySigner
from trust.party import Registry

ITMATT = FormatId("upu.itmatt.1")
PARTIES = Registry(
    parties=[party("post-a", "post"), party("risk", "backend"), party("clearance", "backend")]
)
HEADER = Header(sender="FRA", recipient="LUA", control_reference="large-1", prepared_at=samples.NOW)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Counter:
    """A destination that takes everything and keeps nothing."""

    id = "risk"

    def __init__(self) -> None:
        self.taken = 0

    async def deliver(self, outgoing: Outgoing) -> str | None:
        self.taken += 1
        return None

    async def close(self) -> None:
        """Nothing to close."""


def items(count: int) -> Iterator[ItemDeclaration]:
    """So many items, one after the other."""
    return (samples.item(item_id=samples.s10(number)) for number in range(count))


async def accept(inbound: Inbound, folder: Path, count: int) -> Stored:
    """Write the document to a file as a body comes, and judge it from there."""
    intake = Intake(SpoolSettings(memory_bytes=65_536, directory=str(folder)))
    for piece in standard().get(ITMATT).write(HEADER, items(count)):
        await intake.feed(piece)
    sender = PARTIES.party(PartyId("post-a"))
    envelope = Envelope(
        interchange_id=InterchangeId("large"),
        format=ITMATT,
        content=await intake.finish(),
        transport=Transport.HTTPS,
        received_at=now(),
    )
    try:
        return await inbound.accept(
            Sender(Identity(party=sender.id, roles=sender.roles), sender), envelope
        )
    finally:
        intake.close()


async def dispatch(journal: SqliteJournal, count: int) -> int:
    """Deliver everything that waits for one destination."""
    destination, bell = Counter(), Bell()
    known = network()

    async def buried(*_: object) -> None:
        raise AssertionError("nothing is refused here")

    dispatcher = Dispatcher(
        journal=journal,
        destination=destination,
        endpoint=known.endpoints.get("risk"),
        preparer=Preparer(
            gateway_id="gateway-lx",
            journal=journal,
            network=lambda: known,
            parties=lambda: PARTIES,
        ),
        settings=DispatchSettings(idle=0.01),
        board=Switchboard(journal.destinations, node="worker", told=lambda _: None),
        bell=bell,
        clock=now,
        random=lambda: 0.0,
        buried=buried,
        observe=lambda _: None,
        failed=lambda _, error: sys.exit(repr(error)),
    )
    work = asyncio.create_task(dispatcher.run())
    while destination.taken < count:  # noqa: ASYNC110 - the dispatcher has no event for this
        await asyncio.sleep(0.01)
    dispatcher.stop()
    await work
    return destination.taken


async def main(folder: Path, count: int) -> dict[str, int]:
    """One large interchange in, all its messages out."""
    # Cached pages of the file have a bound of their own; here they would hide what grows.
    journal = await open_sqlite(
        folder / "journal.db", gateway=1, clock=now, limits=StoreLimits(cache_bytes=2 << 20)
    )
    known = network()
    bench = Bench(gateway_number=1, network=known, regimes=(Universal(),), severities={})
    inbound = Inbound(
        gateway_id="gateway-lx",
        journal=journal,
        bench=lambda: bench,
        parties=lambda: PARTIES,
        desk=SigningDesk(KeySigner(generate_key("P-256"))),
        limits=lambda: Limits(staged_from=65_536),
        bell=Bell(),
        clock=now,
        observe=lambda *_: None,
    )
    begun = peak()
    stored = await accept(inbound, folder, count)
    accepted = peak()
    delivered = await dispatch(journal, count)
    await journal.close()
    return {
        "accepted": stored.accepted,
        "delivered": delivered,
        "outcomes": len(stored.outcomes),
        "begun": begun,
        "after_accepting": accepted,
        "after_delivering": peak(),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as made:
        print(json.dumps(asyncio.run(main(Path(made), int(sys.argv[2])))))
