"""Ports: what the pipeline needs from the world, owned here and implemented at the rim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from gateway.core.awaiting import Awaiting
from gateway.core.bucket import Drawn, Rate
from gateway.core.deliveries import Deliveries
from gateway.core.destinations import Destinations
from gateway.core.histories import Histories
from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.lanes import LANES, WEIGHTS
from gateway.core.quality import Quality
from gateway.core.records import (
    Acceptance,
    Backlog,
    Lease,
    Leg,
    MessageReport,
    Outgoing,
    PlannedMessage,
    Proof,
    Settlement,
    Stored,
    StoredMessage,
    TraceEntry,
)
from gateway.core.reports import Loss
from gateway.core.retention import Holds, Retention
from trust.identity import PartyId


class Clock(Protocol):
    """The time, as an argument."""

    def __call__(self) -> datetime:
        """Now, in UTC."""


class Journal(Protocol):
    """The record and the outbox in one store. All methods may be called concurrently."""

    @property
    def destinations(self) -> Destinations:
        """How destinations stand: switch and breaker."""

    @property
    def histories(self) -> Histories:
        """What was said about items, receptacles and declarations."""

    @property
    def retention(self) -> Retention:
        """What is forgotten when its time is over, and how large the store is."""

    @property
    def holds(self) -> Holds:
        """What must not be forgotten."""

    @property
    def awaiting(self) -> Awaiting:
        """Answers to what was delivered that have not come."""

    @property
    def deliveries(self) -> Deliveries:
        """What is not settled, and what is done about it by hand."""

    @property
    def groups(self) -> tuple[int, int]:
        """Durable transactions of acceptances since it was opened, and acceptances in them."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """What it has spent on acceptances since, without waiting: ``find``, ``pack``, ``commit``.

        In the caller's thread or in threads of its own, whose CPU counts.
        """

    async def reserve(self) -> RecordNumber:
        """A new record number; never given twice, also not after a crash."""

    async def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """The accepted interchange under that id, otherwise the latest refused attempt."""

    async def stage(
        self,
        record: RecordNumber,
        *,
        party: PartyId,
        interchange_id: InterchangeId,
        raw: Sequence[bytes] = (),
        messages: Sequence[PlannedMessage] = (),
        reports: Sequence[MessageReport] = (),
    ) -> None:
        """Write a chunk of a large interchange; invisible until :meth:`commit` names it."""

    async def discard(self, record: RecordNumber) -> None:
        """Remove what was staged under ``record``; nothing happens when there is nothing."""

    async def commit(self, acceptance: Acceptance) -> Stored:
        """Make the interchange durable (fsync) with its legs, then return it.

        When an accepted one with the same party and id is there already: with the same digest it
        is returned with ``repeated`` set and nothing is written; with another digest
        ``Refused("interchange.conflict")`` is raised. A control reference that another accepted
        interchange of the party has used, for the same principal if there is one, raises
        ``Refused("interchange.control-reference")``. Versions count per key and author: who
        sent it, or in whose name.
        A breach of the contract of :class:`PlannedMessage` raises ``ValueError``. After ``Refused``
        what was staged stays until :meth:`discard`, or until it is committed as refused.
        """

    async def message(self, record: RecordNumber, ordinal: int) -> StoredMessage | None:
        """One accepted message, without its body."""

    async def raw(self, record: RecordNumber, at: int) -> bytes | None:
        """Slice ``at`` (from 0) of the received bytes, unchanged; ``None`` past the last."""

    async def proof(self, record: RecordNumber) -> Proof | None:
        """The signature under which an interchange was accepted or refused, if one was proved."""

    async def reports(
        self, record: RecordNumber, *, offset: int = 0, limit: int = 1000
    ) -> tuple[MessageReport, ...]:
        """Reports of the reading of an interchange, in the order of its messages.

        Only of messages of which there is something to tell; ``offset`` counts these.
        """

    async def losses(self, *, since: datetime | None = None) -> tuple[Loss, ...]:
        """How often which line was told: of what was received since then, by sender, and of what
        was delivered of it, by destination. Reads all attempts of that time."""

    async def lease(
        self,
        destination: str,
        *,
        limit: int,
        seconds: float,
        now: datetime,
        legs: int | None = None,
        lasting: bool = False,
        weights: Sequence[int] = WEIGHTS,
        lanes: Sequence[int] = range(LANES),
    ) -> Lease | None:
        """Claim up to ``limit`` ready keys of a destination with the first legs of each, in order.

        ``legs`` bounds their deliveries together. No key is under two leases at once. ``None``
        when nothing is ready now. The lease ends with this process, unless it is ``lasting``: held
        by somebody outside, such as an inbox page. ``weights`` are the shares of the lanes, of 1
        at least; only keys whose head stands in one of ``lanes`` are claimed.
        """

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: datetime
    ) -> None:
        """Record attempts and advance their keys; a lease that was taken over changes no leg.

        May be called several times for one lease, each with some of its deliveries, in order per
        key. Deliveries of the lease that are never settled come back when it expires.
        """

    async def held(self, destination: str, token: str) -> Lease | None:
        """The unsettled rest of an earlier lease (inbox pages); ``None`` when it is over."""

    async def tick(self, *, now: datetime) -> frozenset[str]:
        """Return expired leases and retries whose time has come.

        Gives all destinations that have something ready then, whatever made it ready.
        """

    async def retry(self, destination: str, *, now: datetime, key: int | None = None) -> int:
        """Put buried (and waiting) keys of a destination back to ready; how many."""

    async def wake(self, *, seconds: float) -> frozenset[str]:
        """Destinations that got work in this process since the last call, when there are any.

        Empty after ``seconds``. For one caller at a time. Work that other processes have
        committed, and what was there at the start, is told by :meth:`tick`.
        """

    async def legs(self, record: RecordNumber) -> tuple[Leg, ...]:
        """Where each leg of an interchange stands."""

    async def buried(self, destination: str | None = None, *, limit: int = 100) -> tuple[Leg, ...]:
        """Legs that are held back as buried, oldest first."""

    async def trace(self, value: str, *, limit: int = 1000) -> tuple[TraceEntry, ...]:
        """Every message about a subject value, or of an interchange id, in order of acceptance."""

    async def refusals(self, value: str, *, limit: int = 100) -> tuple[Stored, ...]:
        """Refused attempts under an interchange id."""

    async def backlog(self) -> tuple[Backlog, ...]:
        """Unsettled work per destination."""

    async def quality(
        self, *, party: PartyId | None, since: date, until: date, daily: bool = False
    ) -> Quality:
        """Counts of what was judged and found, of one party or all; both days (UTC) included.

        ``daily`` gives each day apart, otherwise the period is summed.
        """

    async def remember(
        self, scope: str, value: str, *, until: datetime, now: datetime, holder: str = ""
    ) -> bool:
        """True when ``value`` is new in its scope: it is remembered from now, until ``until``.

        False when it was remembered already and its time is not over, unless it was by the same
        ``holder``, who may come again (empty: nobody may). Durable on return, and one
        answer for all processes on the store: of any number that ask at once, one is told True.
        """

    async def draw(self, scope: str, *, want: int, rate: Rate, now: datetime) -> Drawn:
        """Take up to ``want`` tokens from a bucket that all processes on the store share.

        Not durable past a power cut: a bucket that is lost is full again.
        """

    async def registry(self) -> tuple[int, bytes] | None:
        """The party registry's version and document, when one was stored."""

    async def store_registry(self, document: bytes, *, expected: int) -> int:
        """Replace the registry if its version still is ``expected`` (0: none); the new version.

        Raises ``Unavailable`` when somebody else was quicker.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of the store. May be called twice."""


class Destination(Protocol):
    """One place that messages are delivered to. Safe to call twice for the same delivery.

    ``deliver`` returns the evidence (the receiver's verified receipt, or ``None`` where the
    transport knows none); it raises ``Refused`` when this content will never be taken and
    ``Unavailable`` when it may be taken later.
    """

    @property
    def id(self) -> str:
        """Its name in routes."""

    async def deliver(self, outgoing: Outgoing) -> str | None:
        """Bring one encoded message there."""

    async def close(self) -> None:
        """Let go of connections. May be called twice."""
