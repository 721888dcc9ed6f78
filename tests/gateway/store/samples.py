"""Acceptances that the tests of the stores vary. Nothing in them is real."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import (
    Acceptance,
    Delivery,
    Lease,
    PlannedLeg,
    PlannedMessage,
    Result,
    Settlement,
    State,
    Stored,
    Subject,
)
from translators.translator import FormatId
from trust.identity import PartyId

GATEWAY = 7
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
POST = PartyId("post-a")
PLATFORM = PartyId("platform-b")
RECEIPT = "eyJhbGciOiJFUzI1NiJ9.eyJyZWNvcmQiOjF9.c2lnbmF0dXJl"


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> datetime:
        """Move by a timedelta's arguments; the new time."""
        self.at += timedelta(**by)
        return self.at


def item(number: int) -> Subject:
    """The subject of an item."""
    return Subject("item", f"RR{number:09}NL", "NL")


def legs(*destinations: str, lane: int = 2, due: datetime | None = None) -> tuple[PlannedLeg, ...]:
    """One leg to each destination."""
    return tuple(
        PlannedLeg(destination=name, route=f"to-{name}", lane=lane, due=due)
        for name in destinations
    )


def message(ordinal: int = 1, *, about: Subject | None = None, **changes: Any) -> PlannedMessage:
    """A planned message about an item with one leg to ``risk``."""
    planned = PlannedMessage(
        ordinal=ordinal,
        kind="ItemDeclaration",
        body=b'{"type":"ItemDeclaration","ordinal":%d}' % ordinal,
        subjects=(about or item(ordinal),),
        legs=legs("risk"),
    )
    return msgspec.structs.replace(planned, **changes)


def digest(content: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def acceptance(
    record: RecordNumber,
    interchange_id: str = "first",
    *,
    messages: Sequence[PlannedMessage] | None = None,
    content: bytes = b"<content/>",
    **changes: Any,
) -> Acceptance:
    """An accepted interchange of the post with one message, unless said otherwise."""
    planned = (message(),) if messages is None else tuple(messages)
    whole = Acceptance(
        record=record,
        party=POST,
        interchange_id=InterchangeId(interchange_id),
        attempt=1,
        state=State.ACCEPTED,
        format=FormatId("upu.itmatt.1"),
        transport="https",
        digest=digest(content),
        size=len(content),
        received_at=START,
        accepted=len(planned),
        refused=0,
        receipt=RECEIPT,
        outcomes=b'[{"ordinal":1,"status":"accepted"}]',
        raw=(content,),
        messages=planned,
    )
    return msgspec.structs.replace(whole, **changes)


def refusal(record: RecordNumber, interchange_id: str = "first", **changes: Any) -> Acceptance:
    """A refused attempt."""
    return acceptance(
        record,
        interchange_id,
        messages=(),
        **{"state": State.REFUSED, "refused": 1, **changes},
    )


async def accept(journal: Journal, interchange_id: str = "first", **changes: Any) -> Stored:
    """Reserve a number and commit an acceptance under it."""
    return await journal.commit(acceptance(await journal.reserve(), interchange_id, **changes))


async def lease(
    journal: Journal,
    destination: str = "risk",
    *,
    limit: int = 100,
    now: datetime = START,
    seconds: float = 60,
) -> Lease:
    """A lease where there must be one."""
    taken = await journal.lease(destination, limit=limit, seconds=seconds, now=now)
    assert taken is not None
    return taken


def ids(lease: Lease | None) -> list[str]:
    """The interchanges that a lease delivers from, in order."""
    return [] if lease is None else [d.message.interchange_id for d in lease.deliveries]


def settled(delivery: Delivery, result: Result = Result.DELIVERED, **changes: Any) -> Settlement:
    """What became of one delivery."""
    return Settlement(delivery=delivery, result=result, **changes)


def all_settled(lease: Lease, result: Result = Result.DELIVERED) -> list[Settlement]:
    """The same outcome for the whole lease."""
    return [settled(delivery, result) for delivery in lease.deliveries]
