"""What the ingresses call: one service, whatever the transport.

Every method raises ``Refused`` (a code of ``gateway/core/problems.toml``) or ``Unavailable``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from gateway.core.clearance import Clearance
from gateway.core.envelope import Envelope, Transport
from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.published import PublishedKeys
from gateway.core.quality import QualityReport
from gateway.core.records import Leg, MessageReport, Stored, TraceEntry
from gateway.pipeline.echo import Echo
from gateway.pipeline.signed import Signed
from translators.registry import Registry
from translators.translator import FormatId
from trust.identity import Identity, PartyId
from trust.signatures.http.signature_base import Message


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message in a party's inbox, encoded in the format that the party asked for."""

    message_id: MessageId
    kind: str
    format: FormatId
    content: bytes
    accepted_at: datetime
    signature: str
    """Detached JWS of the gateway over ``content``; its ``jti`` is the message id."""


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a party. The cursor is the acknowledgement of the page that carried it."""

    cursor: str | None
    messages: tuple[InboxMessage, ...]


class InterchangeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The stored answer and where each leg stands."""

    stored: Stored
    legs: tuple[Leg, ...]


class ReportPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some reports of the reading of an interchange; ``more``: others follow."""

    stored: Stored
    reports: tuple[MessageReport, ...]
    more: bool


class Service(Protocol):
    """The gateway as its ingresses see it."""

    @property
    def gateway_id(self) -> str:
        """The gateway's own party id: the audience of signatures."""

    @property
    def formats(self) -> Registry:
        """The formats that are spoken here."""

    def signing_keys(self) -> PublishedKeys:
        """The public halves of the gateway's keys, the one that signs now first."""

    async def identify(self, certificate: bytes) -> Identity:
        """Who stands behind a DER certificate. Cheap mostly; judged anew at each call."""

    async def identify_signed(
        self,
        request: Message,
        *,
        content: bool,
        names: Collection[str],
        beside: Identity | None = None,
        foresee: Callable[[PartyId], None] | None = None,
    ) -> Signed:
        """Who signed a request (RFC 9421), never told twice for one signature.

        ``content``: whether it has some. ``names``: those of the listener. ``beside``: who the
        connection has proved already; the signature must be of the same party. ``foresee`` is
        told who it is before the signature is used up, and may raise: then it is not.
        """

    def folder_identity(self, party: PartyId) -> Identity:
        """The identity behind a folder that the configuration gives to a party."""

    def permit(
        self,
        identity: Identity,
        *,
        interchange_id: str,
        format_id: str,
        on_behalf_of: str | None = None,
    ) -> None:
        """Refuse what can be refused before a body is read: ids, formats, grants, delegations.

        ``on_behalf_of`` is the party for which the sender claims to act.
        """

    def meant(self, identity: Identity, formats: Sequence[FormatId]) -> FormatId:
        """Which of several formats this party means that named none: the one that it may send,
        otherwise of those the one that it speaks. Raises ``Refused("format.ambiguous")``."""

    async def accept(self, identity: Identity, envelope: Envelope) -> Stored:
        """Judge and commit one interchange; its outcome is durable on return.

        A repeat of an accepted interchange returns the first answer. An interchange none of whose
        messages is accepted is returned with state ``refused``: it is journaled, with a receipt.
        """

    async def note_refusal(
        self,
        identity: Identity,
        refused: Exception,
        *,
        interchange_id: str,
        format_id: str,
        transport: Transport,
    ) -> bool:
        """Journal that an authenticated party was refused before its content was judged.

        False when the party was refused so often that this one is not kept.
        """

    async def ping(
        self, identity: Identity, content: bytes, *, signature: str | None, proved: str | None
    ) -> Echo:
        """Who the caller is here, in answer to its question; nothing is kept of it.

        ``signature`` is the caller's detached JWS over the question, if it sent one; ``proved``
        the key that has signed the request, if one has.
        """

    async def status(self, identity: Identity, interchange_id: InterchangeId) -> InterchangeStatus:
        """The receipt again, and where each leg stands; only for the sender."""

    async def reports(
        self, identity: Identity, interchange_id: InterchangeId, *, offset: int, limit: int
    ) -> ReportPage:
        """What reading did not simply carry of an interchange; only for the sender.

        ``offset`` and ``limit`` count messages of which there is something to tell.
        """

    async def quality(
        self, identity: Identity, *, since: date | None, until: date | None, daily: bool
    ) -> QualityReport:
        """What was judged and found in the messages of this party, by kind and fault code.

        Without days the last 30. Raises ``Refused("request.invalid")`` for an impossible period.
        """

    async def trace(self, identity: Identity, value: str) -> tuple[TraceEntry, ...]:
        """The history of an item, order or indicator as far as it is this party's own."""

    async def clearance(self, identity: Identity, items: Sequence[str]) -> tuple[Clearance, ...]:
        """Whether items may go: one answer for each, in order, as far as this party may know it.

        Raises ``Refused("request.invalid")`` for too many, none, or what is no identifier.
        """

    async def inbox(
        self, identity: Identity, *, limit: int, wait: float, format_id: FormatId | None = None
    ) -> InboxPage:
        """The next unacknowledged messages; the same page again until it is acknowledged."""

    async def acknowledge(
        self, identity: Identity, cursor: str, message_ids: Sequence[MessageId] | None = None
    ) -> int:
        """Settle a page (or only some of its messages) as delivered; how many."""

    def subscribe(
        self, identity: Identity, *, format_id: FormatId | None = None, max_in_flight: int
    ) -> AsyncIterator[tuple[str, InboxMessage]]:
        """Messages as they come, each with the cursor that acknowledges it; ends when closed."""
