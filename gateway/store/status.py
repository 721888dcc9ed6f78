"""What an operator sees of a store itself, and what bringing it up to date did."""

from __future__ import annotations

from typing import Literal

import msgspec


class StoreStatus(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A store as it is now. ``version`` 0 means that no journal is there yet."""

    store: Literal["sqlite", "postgresql"]
    place: str
    """Its file, or its database without any password."""
    server: str
    """The program that keeps it, with its version."""
    version: int
    """Steps of the schema that were applied."""
    needed: int
    """Steps that this program knows."""
    gateway: int | None = None
    """The number of the gateway that it belongs to."""
    processes: tuple[str, ...] = ()
    """Who has it open for writing."""
    oldest_transaction_seconds: float | None = None
    """How long the oldest open transaction of the database lasts (PostgreSQL)."""
    oldest_snapshot_age: int | None = None
    """How many transactions the oldest snapshot is behind: what it sees is not vacuumed."""

    @property
    def pending(self) -> int:
        """Steps that have yet to be applied; below 0 for a journal of a later program."""
        return self.needed - self.version


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """From which version to which a store was brought; both are the same for nothing to do."""

    before: int
    after: int
