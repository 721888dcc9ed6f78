"""Fakes: small stand-ins that behave, for tests of what talks to them."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from cryptography import x509
from prometheus_client import CollectorRegistry

from gateway.core.clearance import Clearance, Verdict
from gateway.core.envelope import Envelope, SignedBy, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, MessageId, RecordNumber
from gateway.core.published import PublishedKeys
from gateway.core.quality import JudgedCount, QualityReport, period
from gateway.core.records import MessageReport, Outcome, ProofMethod, State, Stored, TraceEntry
from gateway.pipeline.echo import Echo
from gateway.pipeline.gateway import INTERCHANGE_ID
from gateway.pipeline.service import InboxMessage, InboxPage, InterchangeStatus, ReportPage
from gateway.pipeline.signed import Signed
from gateway.telemetry import Metrics, Telemetry, event_log
from translators.faults import Fault
from translators.registry import Registry
from translators.translator import FormatId
from trust import receipt
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.keys import PublicKey, Signer
from trust.signatures.http.offer import prove_offer, read_offer
from trust.signatures.http.signature_base import Message

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAULT = Fault(code="value.too-long", path="/item_id", detail="at most 35 characters", line=3)


def clock() -> datetime:
    """The time at which every test happens."""
    return NOW


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens elsewhere; 10 seconds are a hang."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for, that is the point
            await asyncio.sleep(0.01)


class Seen:
    """A telemetry whose counters and events can be asked for."""

    def __init__(self) -> None:
        self._lines = io.StringIO()
        self.registry = CollectorRegistry()
        self.telemetry = Telemetry(
            metrics=Metrics(self.registry), log=event_log(stream=self._lines, level="debug")
        )

    def count(self, name: str, **labels: str) -> float:
        """The value of a counter; 0 when it never counted."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def events(self, name: str) -> list[dict[str, object]]:
        """Every event of that name."""
        lines = (msgspec.json.decode(line) for line in self._lines.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]

    @property
    def text(self) -> str:
        """Everything that was logged."""
        return self._lines.getvalue()


class FakeService:
    """A service that accepts what it gets, except content that begins with a word it knows.

    ``refuse``: judged and refused; ``explode``: a bug, with the content in its text; an exception
    in ``raises`` is raised by :meth:`accept`. Receipts are signed. ``gate`` holds :meth:`accept`
    until it is set; ``held`` counts who waits there.
    """

    def __init__(self, *, formats: Registry, signer: Signer, gateway_id: str = "gateway") -> None:
        self.gateway_id = gateway_id
        self.formats = formats
        self.raises: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.held = 0
        self.keeps_refusals = True
        self.envelopes: list[Envelope] = []
        self.contents: list[bytes] = []
        self.taken: list[tuple[Envelope, bytes]] = []
        self.noted: list[str] = []
        self.suspended: set[str] = set()
        self.identified = 0
        self.keys: dict[PartyId, dict[str, PublicKey]] = {}
        self.nonces: set[tuple[PartyId, str]] = set()
        self.subscribed = False
        self._posted = asyncio.Event()
        self.waiting: list[InboxMessage] = []
        self.acknowledged: list[MessageId] = []
        self.signer = signer
        self.stored: dict[tuple[PartyId, str], Stored] = {}
        self.reported: list[MessageReport] = []
        self.published = PublishedKeys(gateway=gateway_id, keys=())
        self.asked: list[str] = []

    async def identify(self, certificate: bytes) -> Identity:
        self.identified += 1
        parsed = x509.load_der_x509_certificate(certificate)
        if parsed.not_valid_after_utc < datetime.now(UTC):
            raise Refused("certificate.expired")
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for uri in names.get_values_for_type(x509.UniformResourceIdentifier):
            party = PartyId(uri.removeprefix("urn:luxor:party:"))
            if party in self.suspended:
                raise Refused("party.suspended")
            return Identity(party=party)
        raise Refused("party.unknown")

    async def identify_signed(
        self,
        request: Message,
        *,
        content: bool,
        names: Collection[str],
        beside: Identity | None = None,
        foresee: Callable[[PartyId], None] | None = None,
    ) -> Signed:
        try:
            offer = read_offer(request, content=content, names=names, now=NOW)
            key = prove_offer(offer, self.keys.get(offer.party, {}))
        except TrustError as error:
            raise Refused(error.code, error.detail) from error
        if foresee is not None:
            foresee(offer.party)
        if (offer.party, offer.nonce) in self.nonces:
            raise Refused("signature.replayed")
        self.nonces.add((offer.party, offer.nonce))
        if beside is not None and beside.party != offer.party:
            raise Refused("party.ambiguous")
        by = SignedBy(
            kid=offer.kid,
            public_key=key.pem,
            method=ProofMethod.HTTP_SIGNATURE,
            evidence=offer.evidence,
        )
        identity = beside or Identity(party=offer.party, method="http-signature")
        return Signed(identity=identity, by=by, digests=offer.digests)

    def signing_keys(self) -> PublishedKeys:
        return self.published

    def folder_identity(self, party: PartyId) -> Identity:
        return Identity(party=party, method="folder")

    def meant(self, identity: Identity, formats: Sequence[FormatId]) -> FormatId:
        return formats[0]

    def permit(
        self,
        identity: Identity,
        *,
        interchange_id: str,
        format_id: str,
        on_behalf_of: str | None = None,
    ) -> None:
        if not interchange_id:
            raise Refused("interchange.id-missing")
        if not INTERCHANGE_ID.fullmatch(interchange_id):
            raise Refused("interchange.id-invalid")
        if self.formats.find(FormatId(format_id)) is None:
            raise Refused("format.unknown")
        if on_behalf_of == "unheard-of":
            raise Refused("permission.on-behalf-of")

    async def accept(self, identity: Identity, envelope: Envelope) -> Stored:
        self.held += 1
        await self.gate.wait()
        self.held -= 1
        with envelope.content.open() as source:
            content = source.read()
        self.envelopes.append(envelope)
        self.contents.append(content)
        if self.raises is not None:
            raise self.raises
        if content.startswith(b"explode"):
            raise ValueError(content.decode())
        key = (identity.party, envelope.interchange_id)
        earlier = self.stored.get(key)
        if earlier is not None and earlier.state is State.ACCEPTED:
            if earlier.digest != envelope.digest:
                raise Refused("interchange.conflict")
            return msgspec.structs.replace(earlier, repeated=True)
        state = State.REFUSED if content.startswith(b"refuse") else State.ACCEPTED
        self.stored[key] = self._judged(identity, envelope, state)
        self.taken.append((envelope, content))
        return self.stored[key]

    def _judged(self, identity: Identity, envelope: Envelope, state: State) -> Stored:
        accepted = int(state is State.ACCEPTED)
        faults = () if accepted else (FAULT,)
        outcomes = msgspec.json.encode([Outcome(ordinal=1, status=state, faults=faults)])
        claims = receipt.ReceiptClaims(
            gateway=self.gateway_id,
            party=identity.party,
            record=len(self.stored) + 1,
            interchange_id=envelope.interchange_id,
            attempt=1,
            format=envelope.format,
            digest=envelope.digest,
            size=envelope.content.size,
            received_at=envelope.received_at,
            status="accepted" if accepted else "refused",
            accepted=accepted,
            refused=1 - accepted,
            outcomes=hashlib.sha256(outcomes).hexdigest(),
        )
        return Stored(
            record=RecordNumber(claims.record),
            party=identity.party,
            interchange_id=envelope.interchange_id,
            attempt=1,
            state=state,
            format=envelope.format,
            transport=envelope.transport,
            digest=envelope.digest,
            size=envelope.content.size,
            received_at=envelope.received_at,
            accepted=accepted,
            refused=1 - accepted,
            receipt=receipt.sign(claims, self.signer),
            outcomes=outcomes,
        )

    async def ping(
        self, identity: Identity, content: bytes, *, signature: str | None, proved: str | None
    ) -> Echo:
        if content.startswith(b"explode"):
            raise ValueError(content.decode())
        told = f'{{"party":"{identity.party}","proved":"{proved}"}}'
        return Echo(content=told.encode(), signature=f"over {signature}")

    async def note_refusal(
        self,
        identity: Identity,
        refused: Exception,
        *,
        interchange_id: str,
        format_id: str,
        transport: Transport,
    ) -> bool:
        self.noted.append(str(refused).partition(":")[0])
        return self.keeps_refusals

    async def clearance(self, identity: Identity, items: Sequence[str]) -> tuple[Clearance, ...]:
        if not 0 < len(items) <= 1_000:
            raise Refused("request.invalid", "too many or none")
        self.asked.extend(items)
        return tuple(
            Clearance(
                item=item,
                answer=Verdict.WAIT,
                reason="decision.missing",
                as_of=NOW,
                until=NOW + timedelta(hours=1),
                then=Verdict.NO,
                messages=(MessageId(f"m-{item}"),),
            )
            for item in items
        )

    async def status(self, identity: Identity, interchange_id: InterchangeId) -> InterchangeStatus:
        stored = self.stored.get((identity.party, interchange_id))
        if stored is None:
            raise Refused("interchange.not-found")
        return InterchangeStatus(stored=stored, legs=())

    async def reports(
        self, identity: Identity, interchange_id: InterchangeId, *, offset: int, limit: int
    ) -> ReportPage:
        stored = (await self.status(identity, interchange_id)).stored
        told = self.reported[offset : offset + limit]
        more = len(self.reported) > offset + limit
        return ReportPage(stored=stored, reports=tuple(told), more=more)

    async def quality(
        self, identity: Identity, *, since: date | None, until: date | None, daily: bool
    ) -> QualityReport:
        first, last = period(since, until, today=NOW.date())
        day = first if daily else None
        judged = JudgedCount(
            party=identity.party, kind="ItemDeclaration", messages=2, refused=0, day=day
        )
        return QualityReport(since=first, until=last, judged=(judged,), found=())

    async def trace(self, identity: Identity, value: str) -> tuple[TraceEntry, ...]:
        return ()

    async def inbox(
        self, identity: Identity, *, limit: int, wait: float, format_id: FormatId | None = None
    ) -> InboxPage:
        if not self.waiting and wait:
            await asyncio.sleep(min(wait, 0.05))
        page = tuple(self.waiting[:limit])
        return InboxPage(cursor=page[-1].message_id if page else None, messages=page)

    async def acknowledge(
        self, identity: Identity, cursor: str, message_ids: Sequence[MessageId] | None = None
    ) -> int:
        ids = [message.message_id for message in self.waiting]
        if cursor not in ids:
            raise Refused("inbox.cursor")
        done = ids[: ids.index(MessageId(cursor)) + 1] if message_ids is None else message_ids
        self.acknowledged.extend(done)
        self.waiting = [m for m in self.waiting if m.message_id not in done]
        return len(done)

    async def subscribe(
        self, identity: Identity, *, format_id: FormatId | None = None, max_in_flight: int
    ) -> AsyncIterator[tuple[str, InboxMessage]]:
        self.subscribed = True
        sent: set[MessageId] = set()
        while True:
            for message in tuple(self.waiting[:max_in_flight]):
                if message.message_id not in sent:
                    sent.add(message.message_id)
                    yield message.message_id, message
            self._posted.clear()
            await self._posted.wait()

    def post(self, message: InboxMessage) -> None:
        """Put a message into the inbox of everybody."""
        self.waiting.append(message)
        self._posted.set()
