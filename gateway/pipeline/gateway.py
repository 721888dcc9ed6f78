"""The service behind every ingress: identity and permission first, then the inbound half."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, timedelta
from types import MappingProxyType

import msgspec

from gateway.core.clearance import Clearance
from gateway.core.envelope import Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.ports import Clock, Journal
from gateway.core.published import PublishedKeys
from gateway.core.quality import QualityReport, period
from gateway.core.records import Proof, ProofMethod, Stored, TraceEntry
from gateway.pipeline.clearance import ClearanceSettings
from gateway.pipeline.clearing import Clearing
from gateway.pipeline.echo import Echo
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.inbox import Inboxes
from gateway.pipeline.judge import Bench, Sender
from gateway.pipeline.notebook import Notebook
from gateway.pipeline.ping import Pinging
from gateway.pipeline.service import InboxMessage, InboxPage, InterchangeStatus, ReportPage
from gateway.pipeline.settings import Limits
from gateway.pipeline.signed import Signatures, Signed, proof_of
from gateway.pipeline.view import told_legs, visible
from gateway.pipeline.xml_signed import SignedXml, XmlSignatures
from translators.registry import Registry as Formats
from translators.translator import FormatId
from trust.authenticator import Authenticator
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.members import SignatureForm
from trust.policy import meant, permit_format, receivable
from trust.signatures.http.signature_base import Message

FORMS: Mapping[ProofMethod, SignatureForm] = MappingProxyType(
    {
        ProofMethod.JWS: "jws",
        ProofMethod.HTTP_SIGNATURE: "http",
        ProofMethod.XML_SIGNATURE: "xml",
    }
)
"""How a registration names what a proof is."""
INTERCHANGE_ID = re.compile(r"[A-Za-z0-9_:~-][A-Za-z0-9._:~-]{0,119}")


async def _nothing_more(_: bytes) -> bool:
    return False


class Gateway:
    """Implements :class:`gateway.pipeline.service.Service`."""

    def __init__(
        self,
        *,
        gateway_id: str,
        authenticator: Callable[[], Authenticator],
        bench: Callable[[], Bench],
        journal: Journal,
        inbound: Inbound,
        inboxes: Inboxes,
        limits: Callable[[], Limits],
        clock: Clock,
        signing_keys: Callable[[], PublishedKeys],
        pinging: Pinging,
        seek: Callable[[bytes], Awaitable[bool]] | None = None,
        clearance: Callable[[], ClearanceSettings] = ClearanceSettings,
        cleared: Callable[[Clearance], None] = lambda _: None,
    ) -> None:
        """``seek`` asks whoever knows whether a certificate was revoked; true if it learnt.

        ``cleared`` is told of every answer whether an item may go.
        """
        self._seek = seek or _nothing_more
        self._gateway_id = gateway_id
        self._signing_keys = signing_keys
        self._authenticator = authenticator
        self._bench = bench
        self._journal = journal
        self._inbound = inbound
        self._stages = inbound.stages
        self._inboxes = inboxes
        self._pinging = pinging
        self._limits = limits
        self._notebook = Notebook(
            per_minute=lambda: limits().party.refusals_per_minute, clock=clock
        )
        self._clock = clock
        self._signatures = Signatures(
            authenticator=authenticator,
            journal=journal,
            clock=clock,
            max_age=lambda: timedelta(seconds=limits().signature_age),
        )
        self._clearing = Clearing(
            histories=journal.histories,
            settings=clearance,
            network=lambda: self._bench().network,
            parties=lambda: self._authenticator().registry,
            clock=clock,
            observe=cleared,
        )
        self._xml = XmlSignatures(
            authenticator=authenticator,
            formats=lambda: self.formats,
            journal=journal,
            clock=clock,
        )

    @property
    def gateway_id(self) -> str:
        """The gateway's own party id."""
        return self._gateway_id

    @property
    def formats(self) -> Formats:
        """The formats that are spoken here."""
        return self._bench().network.formats

    def signing_keys(self) -> PublishedKeys:
        """The public halves of the gateway's keys, the one that signs now first."""
        return self._signing_keys()

    async def identify(self, certificate: bytes) -> Identity:
        """Who stands behind a DER certificate; raises ``Refused``."""
        try:
            return self._authenticator().identify(certificate, now=self._clock())
        except TrustError as error:
            if error.code != "revocation.unavailable" or not await self._seek(certificate):
                raise Refused(error.code, error.detail) from error
        try:
            return self._authenticator().identify(certificate, now=self._clock())
        except TrustError as error:
            raise Refused(error.code, error.detail) from error

    async def identify_signed(
        self,
        request: Message,
        *,
        content: bool,
        names: Collection[str],
        beside: Identity | None = None,
        foresee: Callable[[PartyId], None] | None = None,
    ) -> Signed:
        """Who signed a request; raises ``Refused``, and whatever ``foresee`` raises."""
        return await self._signatures.prove(
            request, content=content, names=names, beside=beside, foresee=foresee
        )

    def folder_identity(self, party: PartyId) -> Identity:
        """The identity behind a folder of the configuration; raises ``Refused``."""
        try:
            return self._authenticator().configured(party, method="folder")
        except TrustError as error:
            raise Refused(error.code, error.detail) from error

    def permit(
        self,
        identity: Identity,
        *,
        interchange_id: str,
        format_id: str,
        on_behalf_of: str | None = None,
    ) -> None:
        """Refuse bad ids, unknown formats and formats without a grant, before a body is read.

        Also claims to act for somebody without a delegation in force.
        """
        self._permitted(
            identity,
            interchange_id=interchange_id,
            format_id=format_id,
            on_behalf_of=on_behalf_of,
        )

    def _permitted(
        self, identity: Identity, *, interchange_id: str, format_id: str, on_behalf_of: str | None
    ) -> Sender:
        if not interchange_id:
            raise Refused("interchange.id-missing")
        if not INTERCHANGE_ID.fullmatch(interchange_id):
            raise Refused("interchange.id-invalid")
        if self.formats.find(FormatId(format_id)) is None:
            raise Refused("format.unknown", f"{format_id[:80]} is not configured here")
        sender = self._sender(identity, on_behalf_of)
        denial = permit_format(sender.party, format_id, principal=sender.principal)
        if denial is not None:
            raise Refused(denial.code, denial.detail)
        return sender

    def meant(self, identity: Identity, formats: Sequence[FormatId]) -> FormatId:
        """Which of several formats this party means that named none."""
        found = meant(self._sender(identity).party, formats)
        if len(found) > 1:
            raise Refused("format.ambiguous", f"it may be {', '.join(found)}")
        return FormatId(found[0])

    async def accept(self, identity: Identity, envelope: Envelope) -> Stored:
        """Judge and commit one interchange; durable on return."""
        watch = self._stages.watch()
        sender = self._permitted(
            identity,
            interchange_id=envelope.interchange_id,
            format_id=envelope.format,
            on_behalf_of=envelope.on_behalf_of,
        )
        if envelope.content.size == 0:
            raise Refused("body.empty")
        watch.lap("policy")
        # Whichever signatures there are, all must hold; that beside the content covers all of it.
        inside = await self._xml.prove(sender, envelope)
        proof = self._verify(sender, envelope, inside=inside)
        watch.lap("verify")
        if inside is not None:
            await self._xml.tie(sender, envelope, inside)
        return await self._inbound.accept(
            sender, envelope, proof=proof, signed=inside.content if inside else None
        )

    def _sender(self, identity: Identity, on_behalf_of: str | None = None) -> Sender:
        """The sender with its registration of now, and with its principal if it claims one.

        Refuses who was suspended since it was identified: content may be long in coming.
        """
        authenticator = self._authenticator()
        registry = authenticator.registry
        try:
            authenticator.still(identity)
            party = registry.party(identity.party)
            if on_behalf_of is None:
                return Sender(identity, party)
            principal = registry.principal(
                party.id, on_behalf_of, gateway=self._gateway_id, now=self._clock()
            )
        except TrustError as error:
            raise Refused(error.code, error.detail) from error
        acting = msgspec.structs.replace(identity, on_behalf_of=principal.party.id)
        return Sender(acting, party, principal=principal)

    def _verify(
        self, sender: Sender, envelope: Envelope, *, inside: SignedXml | None
    ) -> Proof | None:
        """What proves later that this party said this; ``None`` when nothing was signed."""
        found = [] if inside is None else [inside.proof]
        if not found or envelope.signature is not None or envelope.signed is not None:
            beside = self._verify_beside(sender.identity, envelope)
            if beside is not None:
                found.insert(0, beside)
        if envelope.signature is not None and envelope.signed is not None:
            keys = self._authenticator().keys(sender.identity.party)
            found.append(proof_of(envelope.signed, sender.identity, keys, now=self._clock()))
        if sender.must_sign:
            return self._counting(sender, found)
        return found[0] if found else None

    def _counting(self, sender: Sender, found: Sequence[Proof]) -> Proof:
        """Of a party that must sign the first proof that its registration takes for one."""
        forms = sender.party.signatures
        counting = [proof for proof in found if FORMS[proof.method] in forms]
        if not counting:
            raise Refused("signature.missing", f"this party must sign by {' or '.join(forms)}")
        if counting[0].method is ProofMethod.XML_SIGNATURE and sender.on_behalf_of is not None:
            raise Refused(
                "signature.principal", "a signature in XML does not say in whose name it is sent"
            )
        return counting[0]

    def _verify_beside(self, identity: Identity, envelope: Envelope) -> Proof | None:
        """The proof of a JWS, or of what the ingress has proved."""
        authenticator = self._authenticator()
        if envelope.signature is None and envelope.signed is not None:
            keys = authenticator.keys(identity.party)
            return proof_of(envelope.signed, identity, keys, now=self._clock())
        try:
            verifier = authenticator.verifier(
                identity,
                signature=envelope.signature,
                interchange_id=envelope.interchange_id,
                format=envelope.format,
                audience=self._gateway_id,
                now=self._clock(),
                max_age=timedelta(seconds=self._limits().signature_age),
            )
            if verifier is None or envelope.signature is None:
                return None
            for piece in envelope.content.slices(self._limits().raw_slice):
                verifier.update(piece)
            key = authenticator.keys(identity.party)[verifier.finish()]
        except TrustError as error:
            raise Refused(error.code, error.detail) from error
        return Proof(
            method=ProofMethod.JWS,
            kid=key.kid,
            public_key=key.pem,
            algorithm=key.algorithm.name,
            fingerprint=identity.fingerprint,
            signature=envelope.signature.encode(),
        )

    async def note_refusal(
        self,
        identity: Identity,
        refused: Exception,
        *,
        interchange_id: str,
        format_id: str,
        transport: Transport,
    ) -> bool:
        """Journal that a proven party was refused before its content was judged, within bounds."""
        if not isinstance(refused, Refused):
            return False  # what may work later is no evidence of anything
        # By now it may be suspended, which is no reason to forget what it did.
        party = self._authenticator().registry.parties.get(identity.party)
        if party is None:
            return False
        sender = Sender(identity, party)
        omitted = self._notebook.omitted(identity.party)
        if omitted is None:
            return False
        await self._inbound.note_refusal(
            sender,
            refused,
            omitted=omitted,
            interchange_id=interchange_id[:120],
            format_id=format_id[:120],
            transport=transport.value,
            at=self._clock(),
        )
        return True

    async def ping(
        self, identity: Identity, content: bytes, *, signature: str | None, proved: str | None
    ) -> Echo:
        """Who the caller is here; nothing is kept of it."""
        return await self._pinging.answer(identity, content, signature=signature, proved=proved)

    async def status(self, identity: Identity, interchange_id: InterchangeId) -> InterchangeStatus:
        """The receipt again, and where each leg stands; only for the sender."""
        stored = await self._journal.find(identity.party, interchange_id)
        if stored is None or not stored.receipt:
            raise Refused("interchange.not-found")
        legs = await self._journal.legs(stored.record)
        return InterchangeStatus(stored=stored, legs=told_legs(legs))

    async def reports(
        self, identity: Identity, interchange_id: InterchangeId, *, offset: int, limit: int
    ) -> ReportPage:
        """What reading did not simply carry of an interchange; only for the sender."""
        stored = await self._journal.find(identity.party, interchange_id)
        if stored is None or not stored.receipt:
            raise Refused("interchange.not-found")
        found = await self._journal.reports(stored.record, offset=offset, limit=limit + 1)
        return ReportPage(stored=stored, reports=found[:limit], more=len(found) > limit)

    async def quality(
        self, identity: Identity, *, since: date | None, until: date | None, daily: bool
    ) -> QualityReport:
        """What was judged and found in the messages of this party alone."""
        first, last = period(since, until, today=self._clock().astimezone(UTC).date())
        counted = await self._journal.quality(
            party=identity.party, since=first, until=last, daily=daily
        )
        return QualityReport(since=first, until=last, judged=counted.judged, found=counted.found)

    async def trace(self, identity: Identity, value: str) -> tuple[TraceEntry, ...]:
        """What this party itself sent or was sent about ``value``, without content."""
        return visible(
            await self._journal.trace(value),
            value=value,
            party=identity.party,
            network=self._bench().network,
            parties=self._authenticator().registry,
        )

    async def clearance(self, identity: Identity, items: Sequence[str]) -> tuple[Clearance, ...]:
        """Whether items may go, as far as this party may know it."""
        return await self._clearing.answer(identity.party, items)

    async def inbox(
        self, identity: Identity, *, limit: int, wait: float, format_id: FormatId | None = None
    ) -> InboxPage:
        """The next unacknowledged messages; the same page again until it is acknowledged."""
        if format_id is not None and self.formats.find(format_id) is None:
            raise Refused("format.unknown", f"{format_id[:80]} is not configured here")
        self._check_receivable(identity, format_id)
        return await self._inboxes.page(identity.party, limit=limit, wait=wait, format_id=format_id)

    def _check_receivable(self, identity: Identity, format_id: FormatId | None) -> None:
        """Refuse to serve a format that the caller may never receive."""
        party = self._sender(identity).party
        granted = self._authenticator().registry.policy.receive == "granted"
        if format_id is not None and not receivable(party, format_id, granted=granted):
            raise Refused("permission.receive", f"{party.id} may not receive {format_id}")

    async def acknowledge(
        self, identity: Identity, cursor: str, message_ids: Sequence[MessageId] | None = None
    ) -> int:
        """Settle a page (or only some of its messages) as delivered; how many."""
        party = self._sender(identity).party  # of now: the call may have been long in coming
        return await self._inboxes.acknowledge(party.id, cursor, message_ids)

    def subscribe(
        self, identity: Identity, *, format_id: FormatId | None = None, max_in_flight: int
    ) -> AsyncIterator[tuple[str, InboxMessage]]:
        """Messages as they come, each with the cursor that acknowledges it."""
        return self._inboxes.subscribe(
            identity.party, format_id=format_id, max_in_flight=max_in_flight
        )
