"""What one party may see of a trace: its own messages and those that went to it.

Its own are those that it sent and those that were sent in its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gateway.agreements import Source
from gateway.core.deliveries import CODES
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Leg, Result, TraceEntry
from gateway.pipeline.plan import Network
from gateway.routing import Endpoint
from trust.identity import PartyId
from trust.party import Registry as Parties

_BY_HAND = frozenset(CODES.values())


def visible(
    entries: Iterable[TraceEntry],
    *,
    value: str,
    party: PartyId,
    network: Network,
    parties: Parties,
) -> tuple[TraceEntry, ...]:
    """Entries of the party (with all their legs), and received ones (with its own legs only).

    ``value`` is what was asked for. Content is never in it; who else received somebody else's
    message is not told either, and a source that an agreement hides stays hidden.
    """
    return tuple(_seen(entries, value, party, network, parties))


def _seen(
    entries: Iterable[TraceEntry], value: str, party: PartyId, network: Network, parties: Parties
) -> Iterator[TraceEntry]:
    for entry in entries:
        if party in (entry.message.party, entry.message.on_behalf_of):
            yield _told(_with_message(entry, body=None))
            continue
        own = tuple(
            destination
            for destination in entry.message.destinations
            if network.endpoints.party_of(destination) == party
        )
        if not own:
            continue
        received = _received(entry, own)
        endpoint = network.endpoints.get(own[0])
        agreement = network.agreement(parties, endpoint, entry.message.kind)
        if agreement is not None and agreement.source is Source.NAMED:
            yield received
        elif any(subject.value == value for subject in entry.subjects):
            yield _anonymous(received, endpoint)  # asked for by its source's id, it is not told


def _told(entry: TraceEntry) -> TraceEntry:
    """Without what an operator wrote: names and reasons of acts are the gateway's own business."""
    return msgspec.structs.replace(
        entry,
        attempts=tuple(
            msgspec.structs.replace(attempt, detail="") if attempt.code in _BY_HAND else attempt
            for attempt in entry.attempts
            if attempt.result is not Result.RELEASED
        ),
        legs=told_legs(entry.legs),
    )


def told_legs(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """Where legs stand, as parties are told it: without what an operator wrote."""
    return tuple(
        msgspec.structs.replace(leg, detail="") if leg.code in _BY_HAND else leg for leg in legs
    )


def _received(entry: TraceEntry, own: tuple[str, ...]) -> TraceEntry:
    return msgspec.structs.replace(
        _with_message(entry, body=None, destinations=own),
        attempts=tuple(a for a in _told(entry).attempts if a.destination in own),
        legs=tuple(leg for leg in told_legs(entry.legs) if leg.destination in own),
        subjects=(),
    )


def _anonymous(entry: TraceEntry, endpoint: Endpoint) -> TraceEntry:
    """As the delivery itself names it: nothing of whose it is and how it came to us."""
    hidden = _with_message(
        entry,
        party=endpoint.party,
        interchange_id=InterchangeId(entry.message.message_id),
        on_behalf_of=None,
        upstream_id=None,
    )
    return msgspec.structs.replace(hidden, format=endpoint.format, transport=endpoint.transport)


def _with_message(entry: TraceEntry, **changes: Any) -> TraceEntry:
    message = msgspec.structs.replace(entry.message, **changes)
    return msgspec.structs.replace(entry, message=message)
