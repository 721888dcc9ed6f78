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


class Heading:
    """The headers under which messages go to an endpoint from one sender.

    What the endpoint's own header says takes the place of what follows from the delivery: a
    declarant for filings, the names by which the receiver knows both sides.
    """

    __slots__ = ("_same",)

    def __init__(self, endpoint: Endpoint, *, sender: str, recipient: str) -> None:
        self._same = {"sender": sender[:35], "recipient": recipient[:35], **_own(endpoint)}

    def of(self, message: Message, *, message_id: MessageId, prepared_at: datetime) -> Header:
        """The header of one message."""
        values: dict[str, Any] = {
            "control_reference": short_reference(message_id),
            "prepared_at": prepared_at,
            "addressed_country": _addressed(message),
        }
        return Header(**(values | self._same))


def probe(endpoint: Endpoint, message: Message) -> Header:
    """A header as a delivery will have one: only the message is on trial."""
    changes = {"addressed_country": _addressed(message)} | _own(endpoint)
    return msgspec.structs.replace(_PROBE, **changes)


def _addressed(message: Message) -> str | None:
    country: str | None = getattr(message, "destination_country", None)
    return country


def _own(endpoint: Endpoint) -> dict[str, Any]:
    own = msgspec.structs.asdict(endpoint.header)
    return {name: value for name, value in own.items() if value}
