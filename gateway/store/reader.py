"""A journal as an operator reads it, beside whoever writes it: no row changes, nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Protocol

from gateway.core.identifiers import InterchangeId
from gateway.core.quality import Quality
from gateway.core.records import Proof, Stored, StoredMessage, TraceEntry
from gateway.core.reports import Loss, Report
from gateway.core.retention import Removal
from trust.identity import PartyId


class Reader(Protocol):
    """Plain calls that block, for commands. They may raise ``Unavailable``."""

    def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """The accepted interchange under that id, otherwise the latest refused attempt."""

    def refusals(self, interchange_id: str, *, limit: int) -> tuple[Stored, ...]:
        """Refused attempts under an id, of any party, in order of their records."""

    def report(self, record: int, ordinal: int) -> Report | None:
        """What reading that message did not simply carry; ``None`` for nothing to tell."""

    def losses(self, *, since: datetime | None) -> tuple[Loss, ...]:
        """As in the port."""

    def raw(self, record: int, at: int) -> bytes | None:
        """Slice ``at`` of the received bytes; ``None`` past the last."""

    def registry(self) -> bytes | None:
        """The registry in force, as the gateway stored it."""

    def registries(self) -> Iterator[tuple[int, bytes]]:
        """Every version of the registry that was in force, the newest first."""

    def proof(self, record: int) -> Proof | None:
        """As in the port."""

    def message(self, record: int, ordinal: int) -> StoredMessage | None:
        """One accepted message, without its body."""

    def quality(self, *, party: PartyId | None, since: date, until: date, daily: bool) -> Quality:
        """As in the port."""

    def removal(self, record: int, rule: str) -> Removal | None:
        """As in ``Retention``."""

    def trace(self, value: str, *, limit: int) -> tuple[TraceEntry, ...]:
        """As in the port, but with the bodies that are still kept."""
