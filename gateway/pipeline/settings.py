"""Bounds of the pipeline, each with a name in the configuration (``[limits]``, ``[dispatch]``)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.core.bounds import Count, Pause, Seconds
from gateway.core.lanes import PATIENCE, WEIGHTS
from trust.members import PartyLimits, PerSecond


class PartySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one party may ask for, unless the registry says otherwise (``[limits.party]``)."""

    requests_per_second: PerSecond = 1_000.0
    """On average, over all processes on the store; submissions in streams count each."""
    burst: Count = 2_000
    """How many may come at once."""
    connections: Count = 256
    """That a party uses at once, in each process."""
    concurrent: Count = 128
    """Requests and streams under way at once, in each process."""
    refusals_per_minute: Count = 60
    """Refusals from before content is judged that are journaled; the others are counted."""

    def of(self, registered: PartyLimits) -> PartySettings:
        """These, with what the registry says of one party."""
        if registered == _NOTHING_OF_ITS_OWN:
            return self
        own = {name: value for name, value in msgspec.structs.asdict(registered).items() if value}
        return msgspec.structs.replace(self, **own)


_NOTHING_OF_ITS_OWN = PartyLimits()


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one interchange may be. Sizes in bytes, times in seconds."""

    messages: Count = 20_000
    """Messages in one interchange."""
    chunk: Count = 500
    """Messages committed together while a large interchange is read."""
    raw_slice: Count = 262_144
    """Size of a stored piece of the received bytes."""
    staged_from: Count = 1_048_576
    """Interchanges above this size are committed in chunks."""
    slice_seconds: Seconds = 0.005
    """How long reading may hold the event loop."""
    signature_age: Seconds = 300.0
    """How far the time in a signature may be from now, either way."""
    faults: Count = 1_000
    """Faults that are reported for one interchange."""
    in_flight_bytes: Count = 64 * 1024 * 1024
    """Content of submissions that a process holds in memory at once; the next is answered 503."""
    longest_wait: Seconds = 5.0
    """How long a write to the journal may wait; while one waits longer, submissions get 503."""
    party: PartySettings = PartySettings()


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a destination is left alone, and for how long (``[dispatch.breaker]``). In seconds."""

    failures: Count = 3
    """Times in a row that it could not be reached, before it is left alone by all nodes."""
    first_pause: Pause = 0.2
    longest_pause: Pause = 1.5
    """Between two probes, unless the destination says when; so it is known soon that it is back."""
    replay: bool = True
    """Whether what was buried for want of the destination is tried again when it is back."""


Four = tuple[Count, Count, Count, Count]
FourTimes = tuple[Seconds, Seconds, Seconds, Seconds]


class DispatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How deliveries to one destination are made. Times in seconds."""

    batch: Count = 64
    """Keys claimed at once."""
    in_flight: Count = 32
    """Deliveries under way at once."""
    reserved: Annotated[int, Meta(ge=0)] = 4
    """Of these, for lane 0 alone; one at least is for all lanes."""
    weights: Four = WEIGHTS
    """Shares of the lanes in one claim."""
    patience: FourTimes = (
        PATIENCE[0].total_seconds(),
        PATIENCE[1].total_seconds(),
        PATIENCE[2].total_seconds(),
        PATIENCE[3].total_seconds(),
    )
    """By lane, what a message without a deadline may wait: in a lane the nearest time is first."""
    rate: Pause = 0.0
    """Deliveries a second, over all nodes together; 0: as many as there are."""
    lease: Seconds = 60.0
    timeout: Seconds = 15.0
    """For one delivery; also what must be left of a lease before a delivery begins."""
    attempts: Count = 12
    """Attempts that the destination answered before a message is buried."""
    give_up_after: Pause = 0.0
    """Since acceptance: then a message that can not be delivered is buried; 0: never."""
    first_pause: Pause = 0.2
    longest_pause: Pause = 60.0
    idle: Seconds = 1.0
    """How long to wait for a ring before looking again."""
    tick: Seconds = 0.2
    """How often expired leases and due retries are returned."""
    inbox_lease: Seconds = 60.0
    """How long a page of an inbox belongs to who fetched it."""
    breaker: BreakerSettings = BreakerSettings()
