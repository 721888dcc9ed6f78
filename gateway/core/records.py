"""What the journal keeps and gives back: immutable rows between pipeline and store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from gateway.core.identifiers import InterchangeId, MessageId, RecordNumber
from gateway.core.reports import Report
from translators.faults import Fault
from translators.translator import FormatId
from trust.identity import PartyId


class State(StrEnum):
    """Life of an interchange: staged while it is read in chunks, then settled for good."""

    STAGED = "staged"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of one message. The list of these is what the receipt's digest covers.

    The last three count values of the sender's document that were not simply carried; which ones,
    and why, is in the report of the interchange.
    """

    ordinal: int
    status: State
    kind: str | None = None
    key: str | None = None
    message_id: MessageId | None = None
    faults: tuple[Fault, ...] = ()
    not_carried: int = 0
    defaulted: int = 0
    contradicting: int = 0


class Subject(msgspec.Struct, frozen=True):
    """Something that messages are about: an item, order, MRN, LRN, indicator or receptacle.

    ``origin`` separates equal values of different issuers: the country of an S10, the platform of
    an order, the issuer of an indicator.
    """

    kind: str
    value: str
    origin: str = ""


class Escalation(StrEnum):
    """What is done about an answer that does not come in time, beside counting it."""

    NONE = "none"
    EVENT = "event"
    """It is logged."""
    NOTICE = "notice"
    """It is logged, and the sender of what was not answered is told."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is to come for a message after it was delivered.

    ``party`` must give it; ``answers`` are its kinds, globs. ``within`` is in seconds from the
    delivery.
    """

    party: PartyId
    answers: tuple[str, ...]
    within: float
    escalate: Escalation = Escalation.EVENT


class PlannedLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One destination that a message must reach."""

    destination: str
    route: str
    lane: int = 2
    """0 is the most urgent."""
    due: datetime | None = None
    """The deadline; without one, acceptance plus ``patience``."""
    patience: float | None = None
    """Seconds; without them the lane's own."""
    expects: tuple[Expected, ...] = ()


class PlannedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted message, ready to be committed.

    ``subjects`` is never empty; the first is the key by which the message is ordered. When
    ``key_of`` names an earlier message, its key is used instead, so that an answer is ordered with
    what it answers. ``legs`` go to distinct destinations, in lanes 0 to 3. ``body`` is the
    canonical JSON without provenance.
    """

    ordinal: int
    kind: str
    body: bytes
    subjects: tuple[Subject, ...]
    legs: tuple[PlannedLeg, ...]
    function: str | None = None
    regards: MessageId | None = None
    key_of: tuple[RecordNumber, int] | None = None
    deadline: datetime | None = None
    on_behalf_of: PartyId | None = None
    upstream_id: str | None = None


class MessageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What reading one message of an interchange did not simply carry."""

    ordinal: int
    report: Report


class ProofMethod(StrEnum):
    """In what form a signature came."""

    JWS = "jws"
    HTTP_SIGNATURE = "http-signature"
    XML_SIGNATURE = "xml-signature"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The sender's signature over the received bytes, with all that proves it again later.

    A registry forgets keys; this holds the very key that proved it. ``signature`` is what came
    with the content, byte by byte: a detached JWS as text; for an HTTP message signature its
    signature base, a line feed and the signature in base64 (RFC 9421, 2.5 and 3.1); nothing for
    an XML signature, which stands in the content itself.
    """

    method: ProofMethod
    kid: str
    public_key: str
    """PEM (SubjectPublicKeyInfo)."""
    algorithm: str = ""
    """The JWS name of the key's algorithm (RFC 7518), where the signature does not say it."""
    fingerprint: str = ""
    """SHA-256 of the client certificate in lower-case hexadecimal, where there was one."""
    signature: bytes = b""


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """One judged interchange, to be committed whole or not at all.

    A refused one has no messages and consumes no id. ``on_behalf_of`` is in whose name all of it
    was sent. ``outcomes`` is the JSON list of :class:`Outcome` whose SHA-256 stands in the
    receipt. ``reports`` are those of accepted and of refused messages, as far as there is
    something to tell. ``staged`` says that raw slices,
    messages and reports were written before by :meth:`Journal.stage`.
    """

    record: RecordNumber
    party: PartyId
    interchange_id: InterchangeId
    attempt: int
    state: State
    format: FormatId
    transport: str
    digest: str
    size: int
    received_at: datetime
    accepted: int
    refused: int
    receipt: str
    outcomes: bytes
    control_reference: str | None = None
    raw: tuple[bytes, ...] = ()
    messages: tuple[PlannedMessage, ...] = ()
    reports: tuple[MessageReport, ...] = ()
    staged: bool = False
    proof: Proof | None = None
    on_behalf_of: PartyId | None = None

    @property
    def referring(self) -> str:
        """Whose control references these are: each of a party's principals has its own.

        What one sends for another collides neither with its own references nor with those that
        the other used itself. ``>`` is in no party's id.
        """
        if self.on_behalf_of is None:
            return self.party
        return f"{self.party}>{self.on_behalf_of}"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An interchange as the journal has it. ``repeated``: this very call found it there already."""

    record: RecordNumber
    party: PartyId
    interchange_id: InterchangeId
    attempt: int
    state: State
    format: FormatId
    transport: str
    digest: str
    size: int
    received_at: datetime
    accepted: int
    refused: int
    receipt: str
    outcomes: bytes
    repeated: bool = False

    @staticmethod
    def of(acceptance: Acceptance, *, repeated: bool = False) -> Stored:
        """What a store gives back for an acceptance that it has."""
        return Stored(
            record=acceptance.record,
            party=acceptance.party,
            interchange_id=acceptance.interchange_id,
            attempt=acceptance.attempt,
            state=acceptance.state,
            format=acceptance.format,
            transport=acceptance.transport,
            digest=acceptance.digest,
            size=acceptance.size,
            received_at=acceptance.received_at,
            accepted=acceptance.accepted,
            refused=acceptance.refused,
            receipt=acceptance.receipt,
            outcomes=acceptance.outcomes,
            repeated=repeated,
        )


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted message with what is needed to pass it on or to judge an answer to it."""

    message_id: MessageId
    record: RecordNumber
    ordinal: int
    kind: str
    party: PartyId
    interchange_id: InterchangeId
    accepted_at: datetime
    version: int
    function: str
    key: Subject
    destinations: tuple[str, ...]
    body: bytes | None = None
    regards: MessageId | None = None
    on_behalf_of: PartyId | None = None
    upstream_id: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One leg under lease: the message and where it goes. ``seq`` orders the legs of one key."""

    destination: str
    seq: int
    key: int
    tries: int
    lane: int
    route: str
    message: StoredMessage


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries claimed together; nothing may be sent after ``until``."""

    token: str
    destination: str
    until: datetime
    deliveries: tuple[Delivery, ...]


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message minimised and encoded for its destination; the id is the same in each attempt."""

    message_id: MessageId
    kind: str
    format: FormatId
    content: bytes


class Result(StrEnum):
    """How one attempt ended."""

    DELIVERED = "delivered"
    RETRY = "retry"
    BURIED = "buried"
    SKIPPED = "skipped"
    RETURNED = "returned"
    """The destination was not reachable or the worker stopped: the lease is given back unused."""
    RELEASED = "released"
    """What was buried or waited for its next try was made ready by an act, not by a delivery."""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What to record for one delivery.

    ``report`` says what of the message did not reach the receiver as it stands, by agreement or by
    format; ``None`` when nothing was encoded.
    """

    delivery: Delivery
    result: Result
    code: str = ""
    detail: str = ""
    not_before: datetime | None = None
    report: Report | None = None
    evidence: str | None = None
    """The receiver's signed receipt."""


class LegState(StrEnum):
    """Where a leg stands, for people."""

    WAITING = "waiting"
    LEASED = "leased"
    RETRYING = "retrying"
    BURIED = "buried"
    DELIVERED = "delivered"
    SKIPPED = "skipped"


class Leg(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where one message stands with one destination."""

    message_id: MessageId
    destination: str
    state: LegState
    tries: int = 0
    at: datetime | None = None
    code: str = ""
    detail: str = ""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One recorded attempt of delivery."""

    destination: str
    n: int
    at: datetime
    result: Result
    code: str = ""
    detail: str = ""
    report: Report | None = None
    evidence: str | None = None


class TraceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message in a trace, with its attempts and what is still open."""

    message: StoredMessage
    format: FormatId
    transport: str
    attempts: tuple[Attempt, ...]
    legs: tuple[Leg, ...]
    subjects: tuple[Subject, ...]


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Unsettled keys of one destination, by what they wait for."""

    destination: str
    ready: int
    leased: int
    waiting: int
    held: int
