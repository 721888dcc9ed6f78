"""What the gateway itself says: that a message could not be delivered as it is.

A notice takes the way of every other message: the gateway is a party, submits it, and it is
journaled and routed like anything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.core.awaiting import Awaited
from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, resolve
from gateway.core.ports import Clock, Journal
from gateway.core.records import Delivery, Stored
from translators.canonical import DeliveryFailed
from translators.canonical.notices import FailureReason
from translators.faults import Fault
from translators.translator import FormatId

NOT_OF_CONTENT = frozenset(
    {"agreement.none", "permission.receive", "attempts.exhausted", "retention.expired"}
)
"""Codes of reasons that lie with us or with the link; any other is the receiver's own no."""
UNANSWERED = "answer.overdue"
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
        if refused.code in NOT_OF_CONTENT or message.kind == DeliveryFailed.__name__:
            return
        now = self._clock()
        notice = DeliveryFailed(
            regards=message.message_id,
            interchange_id=message.interchange_id,
            failed_at=now,
            destination=delivery.destination,
            key=message.key.value[:70],
            reasons=tuple(_reason(fault, refused) for fault in refused.faults[:1000])
            or (FailureReason(code=refused.code),),
        )
        await self._send(notice, f"failed-{message.message_id}-{delivery.destination}")

    async def unanswered(self, awaited: Awaited, journal: Journal) -> None:
        """Tell the sender that what was delivered was not answered in time, once."""
        address = resolve(awaited.message_id)
        message = None if address is None else await journal.message(address[1], address[2])
        if message is None or message.kind == DeliveryFailed.__name__:
            return
        notice = DeliveryFailed(
            regards=message.message_id,
            interchange_id=message.interchange_id,
            failed_at=awaited.due,
            destination=awaited.destination,
            key=message.key.value[:70],
            reasons=(FailureReason(code=UNANSWERED),),
        )
        name = f"unanswered-{awaited.n}-{message.message_id}-{awaited.destination}"
        await self._send(notice, name)

    async def _send(self, notice: DeliveryFailed, name: str) -> None:
        """Submit it as ours; nothing happens when it was said before under that name."""
        try:
            await self._submit(
                Envelope(
                    interchange_id=InterchangeId(name.replace(":", "-")[:120]),
                    format=NOTICE_FORMAT,
                    content=Bytes(msgspec.json.encode(notice)),
                    transport=Transport.OWN,
                    received_at=self._clock(),
                )
            )
        except Refused as already:
            # Said before: the id of a notice is made of what it is about.
            if already.code != "interchange.conflict":
                raise


def _reason(fault: Fault, refused: Refused) -> FailureReason:
    """A receiver's words as far as a notice may carry them: they must not keep it from going."""
    return FailureReason(
        code=fault.code[:140] or refused.code,
        path=fault.path[:512],
        detail=fault.detail[:512] or None,
    )
