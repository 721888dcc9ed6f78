"""What one party may see of a trace: its own messages and those that went to it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.core.records import TraceEntry
from gateway.routing import Endpoints
from trust.identity import PartyId


def visible(
    entries: Iterable[TraceEntry], *, party: PartyId, endpoints: Endpoints
) -> tuple[TraceEntry, ...]:
    """Entries that the party sent (with all their legs) or received (with its own legs only).

    Content is never in it; who else received somebody else's message is not told either.
    """
    seen = []
    for entry in entries:
        entry = msgspec.structs.replace(
            entry, message=msgspec.structs.replace(entry.message, body=None)
        )
        if entry.message.party == party:
            seen.append(entry)
            continue
        own = frozenset(
            destination
            for destination in entry.message.destinations
            if endpoints.party_of(destination) == party
        )
        if own:
            seen.append(
                msgspec.structs.replace(
                    entry,
                    message=msgspec.structs.replace(entry.message, destinations=tuple(own)),
                    attempts=tuple(a for a in entry.attempts if a.destination in own),
                    legs=tuple(leg for leg in entry.legs if leg.destination in own),
                    subjects=(),
                )
            )
    return tuple(seen)
