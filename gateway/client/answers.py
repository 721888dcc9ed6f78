"""What a party is told: values, the same over every transport.

A later gateway may say more than is known here; that is passed over.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.records import Leg, Outcome, Result, State, Subject
from gateway.core.reports import Line
from translators.translator import FormatId
from trust.identity import PartyId
from trust.receipt import ReceiptClaims


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of an interchange and what became of its messages.

    ``claims`` is what the receipt says; ``proved`` that the gateway's registered key signed it
    for this party, this interchange and these bytes. ``outcomes`` are the first ones; ``more``
    says that there are others. ``repeated``: it had been accepted before.
    """

    claims: ReceiptClaims
    receipt: str
    proved: bool
    outcomes: tuple[Outcome, ...]
    more: bool = False
    repeated: bool = False

    @property
    def interchange_id(self) -> InterchangeId:
        """The id under which it was sent."""
        return InterchangeId(self.claims.interchange_id)

    @property
    def status(self) -> State:
        """Accepted: at least one message was."""
        return State(self.claims.status)

    @property
    def accepted(self) -> int:
        """How many messages were accepted."""
        return self.claims.accepted

    @property
    def refused(self) -> int:
        """How many messages were refused."""
        return self.claims.refused


class ReportedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of one's own and every value of it that was not simply carried."""

    ordinal: int
    kind: str
    notes: tuple[Line, ...]
    more: int = 0


class InterchangeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The answer again, and where each message stands with each destination."""

    answer: Answer
    legs: tuple[Leg, ...]


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message for the party, in ``format``. Apply a message id once: it may come again."""

    message_id: MessageId
    kind: str
    format: FormatId
    content: bytes
    accepted_at: datetime
    signature: str


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the party; the cursor acknowledges it. No cursor: nothing waits."""

    cursor: str | None
    messages: tuple[InboxMessage, ...]


class TracedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of delivery."""

    destination: str
    n: int
    at: datetime
    result: Result
    code: str = ""


class TracedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a history, without its content.

    ``sent_by`` and ``on_behalf_of`` are there when somebody sent it in another party's name.
    """

    message_id: MessageId
    interchange_id: InterchangeId
    kind: str
    function: str
    version: int
    format: FormatId
    transport: str
    accepted_at: datetime
    subjects: tuple[Subject, ...] = ()
    regards: MessageId | None = None
    sent_by: PartyId | None = None
    on_behalf_of: PartyId | None = None
    attempts: tuple[TracedAttempt, ...] = ()
    legs: tuple[Leg, ...] = ()


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The history of an item, order or indicator as far as it is the party's own."""

    value: str
    messages: tuple[TracedMessage, ...]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a subscription. Apply a message id once: it may come again."""

    delivery_id: str
    message_id: MessageId
    kind: str
    format: FormatId
    content: bytes
    signature: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an interchange or message."""

    at: str
    name: str
    interchange_id: str = ""
    message_id: str = ""
    destination: str = ""
    detail: str = ""


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an interchange (with its answer) or of everything about one key."""

    answer: Answer | None
    outcomes: tuple[Outcome, ...]
    legs: tuple[Leg, ...]
    events: tuple[Event, ...]
