"""Bounds of the pipeline, each with a name in the configuration (``[limits]``, ``[dispatch]``)."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one interchange may be. Sizes in bytes, times in seconds."""

    messages: int = 20_000
    """Messages in one interchange."""
    chunk: int = 500
    """Messages committed together while a large interchange is read."""
    raw_slice: int = 262_144
    """Size of a stored piece of the received bytes."""
    staged_from: int = 1_048_576
    """Interchanges above this size are committed in chunks."""
    slice_seconds: float = 0.005
    """How long reading may hold the event loop."""
    signature_age: float = 300.0
    """How far the time in a signature may be from now, either way."""
    faults: int = 1_000
    """Faults that are reported for one interchange."""


class DispatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How deliveries to one destination are made. Times in seconds."""

    batch: int = 64
    """Keys claimed at once."""
    in_flight: int = 32
    """Deliveries under way at once."""
    lease: float = 60.0
    timeout: float = 15.0
    """For one delivery; also what must be left of a lease before a delivery begins."""
    attempts: int = 12
    """Attempts that the destination answered before a message is buried."""
    first_pause: float = 0.2
    longest_pause: float = 60.0
    idle: float = 1.0
    """How long to wait for a ring before looking again."""
    tick: float = 0.2
    """How often expired leases and due retries are returned."""
    inbox_lease: float = 60.0
    """How long a page of an inbox belongs to who fetched it."""
