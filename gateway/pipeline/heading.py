"""The header of a delivery: who sends to whom, under which reference. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.core.identifiers import MessageId, short_reference
from gateway.routing import Endpoint
from translators.canonical import Header, Message

_PROBE = Header(
    sender="gateway",
    recipient="party",
    control_reference="0" * 22,
    prepared_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def heading(
    endpoint: Endpoint,
    message: Message,
    *,
    sender: str,
    recipient: str,
    message_id: MessageId,
    prepared_at: datetime,
) -> Header:
    """The header under which a message goes to an endpoint.

    What the endpoint's own header says takes the place of what follows from the delivery: a
    declarant for filings, the names by which the receiver knows both sides.
    """
    header = Header(
        sender=sender[:35],
        recipient=recipient[:35],
        control_reference=short_reference(message_id),
        prepared_at=prepared_at,
    )
    return _with_own(header, endpoint, message)


def probe(endpoint: Endpoint, message: Message) -> Header:
    """A header as a delivery will have one: only the message is on trial."""
    return _with_own(_PROBE, endpoint, message)


def _with_own(header: Header, endpoint: Endpoint, message: Message) -> Header:
    changes: dict[str, Any] = {"addressed_country": getattr(message, "destination_country", None)}
    for name in Header.__struct_fields__:
        own = getattr(endpoint.header, name)
        if own:
            changes[name] = own
    return msgspec.structs.replace(header, **changes)
