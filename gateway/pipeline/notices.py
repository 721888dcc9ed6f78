"""What the gateway itself says: that a message could not be delivered as it is.

A notice takes the way of every other message: the gateway is a party, submits it, and it is
journaled and routed like anything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Clock
from gateway.core.records import Delivery, Stored
from translators.canonical import DeliveryFailed
from translators.canonical.notices import FailureReason
from translators.translator import FormatId

ABOUT_CONTENT = frozenset({"translation.failed", "interchange.refused", "delivery.refused"})
"""Codes that say that the content was the reason, so that its sender should know."""
NOTICE_FORMAT = FormatId("luxor.json.1")

Submit = Callable[[Envelope], Awaitable[Stored]]


class Notices:
    """Tells senders of messages that were buried for their content."""

    def __init__(self, *, submit: Submit, clock: Clock) -> None:
        self._submit = submit
        self._clock = clock

    async def buried(self, delivery: Delivery, refused: Refused) -> None:
        """Send ``DeliveryFailed`` to the origin, once per message and destination."""
        message = delivery.message
        about_content = refused.faults or refused.code in ABOUT_CONTENT
        if not about_content or message.kind == DeliveryFailed.__name__:
            return
        now = self._clock()
        notice = DeliveryFailed(
            regards=message.message_id,
            interchange_id=message.interchange_id[:70],
            failed_at=now,
            destination=delivery.destination[:35],
            key=message.key.value[:70],
            reasons=tuple(
                FailureReason(code=fault.code, path=fault.path, detail=fault.detail[:512] or None)
                for fault in refused.faults[:1000]
            )
            or (FailureReason(code=refused.code),),
        )
        identifier = f"failed-{message.message_id}-{delivery.destination}".replace(":", "-")
        try:
            await self._submit(
                Envelope(
                    interchange_id=InterchangeId(identifier[:120]),
                    format=NOTICE_FORMAT,
                    content=Bytes(msgspec.json.encode(notice)),
                    transport=Transport.OWN,
                    received_at=now,
                )
            )
        except Refused as already:
            # Said before: the id of a notice is made of what it is about.
            if already.code != "interchange.conflict":
                raise
