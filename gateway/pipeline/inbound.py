"""The inbound half: authenticate → permit → seen before? → decode → judge → commit → receipt.

The order is a security and legal invariant and no configuration changes it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from gateway.core.envelope import Bytes, Content, Envelope
from gateway.core.errors import Refused
from gateway.core.identifiers import RecordNumber, resolve
from gateway.core.ports import Clock, Journal
from gateway.core.records import (
    Acceptance,
    MessageReport,
    Outcome,
    PlannedMessage,
    Proof,
    State,
    Stored,
    StoredMessage,
)
from gateway.core.reports import Report, report_of
from gateway.pipeline.bell import Bell
from gateway.pipeline.judge import Bench, Sender, judge
from gateway.pipeline.referrals import NOT_REFERRED, Referred, answers, look_up
from gateway.pipeline.settings import Limits
from gateway.pipeline.signing import SigningDesk
from gateway.pipeline.strain import Strain
from gateway.telemetry.stages import Stages, Watch
from translators.canonical import Header, Referral, kind_of
from translators.faults import Fault
from translators.translator import Entry, FormatId
from trust import receipt
from trust.party import Registry as Parties

_OUTCOMES = msgspec.json.Encoder()

Observe = Callable[[Stored, "list[Outcome]", float], None]
"""Told of every judged interchange: what was stored, its outcomes, seconds that it took."""


class Known(msgspec.Struct, frozen=True):
    """What the journal knows of what a message names, and the message that it answers."""

    referred: Referred = NOT_REFERRED
    regards: StoredMessage | None = None


UNASKED = Known()


def asks_journal(entry: Entry, bench: Bench) -> bool:
    """Whether a message names something of which only the journal knows; nearly none does."""
    message = entry.message
    return message is not None and (
        getattr(message, "regards", None) is not None
        or isinstance(message, Referral)
        or bench.network.routes.asks_declarants(kind_of(message))
    )


class Sitting:
    """The judging of one interchange, from its first entry to its outcome list."""

    def __init__(self, record: RecordNumber, sender: Sender, watch: Watch) -> None:
        self.watch = watch
        self.record = record
        self.sender = sender
        self.header = Header()
        self.outcomes: list[Outcome] = []
        self.pending: list[PlannedMessage] = []
        self.reports: list[MessageReport] = []
        self.broken: list[Fault] = []
        self.destinations: set[str] = set()
        self.accepted = 0
        self.staged = False

    @property
    def refused(self) -> int:
        """How many messages were refused."""
        return sum(1 for outcome in self.outcomes if outcome.ordinal > 0) - self.accepted

    @property
    def held(self) -> int:
        """How many messages, or reports of messages, are in memory."""
        return max(len(self.pending), len(self.reports))

    def hear(
        self, entry: Entry, format_id: FormatId, known: Known, parties: Parties, bench: Bench
    ) -> None:
        """Judge one message and keep what became of it."""
        judged = judge(
            entry,
            self.sender,
            format_id=format_id,
            record=self.record,
            regards=known.regards,
            parties=parties,
            bench=bench,
            referred=known.referred,
            lap=self.watch.lap,
        )
        outcome, planned = judged.outcome, judged.planned
        if entry.notes:
            report = report_of(entry.notes, format_id=format_id, kind=outcome.kind or "")
            self.reports.append(MessageReport(ordinal=entry.ordinal, report=report))
            outcome = _counted(outcome, report)
        self.outcomes.append(outcome)
        if planned is not None:
            self.accepted += 1
            self.pending.append(planned)
            for leg in planned.legs:
                self.destinations.add(leg.destination)

    def refuse_all(self, fault: Fault) -> None:
        """Turn every acceptance into a refusal with ``fault``."""
        self.outcomes = [
            outcome
            if outcome.status is State.REFUSED
            else msgspec.structs.replace(
                outcome,
                status=State.REFUSED,
                message_id=None,
                faults=(*outcome.faults, fault),
            )
            for outcome in self.outcomes
        ]
        self.accepted = 0
        self.pending = []
        self.destinations = set()


class Inbound:
    """Judges interchanges of proven parties and commits them."""

    def __init__(
        self,
        *,
        gateway_id: str,
        journal: Journal,
        bench: Callable[[], Bench],
        parties: Callable[[], Parties],
        desk: SigningDesk,
        limits: Callable[[], Limits],
        bell: Bell,
        clock: Clock,
        observe: Observe,
        forgotten: Callable[[], datetime | None] = lambda: None,
        strain: Strain | None = None,
        stages: Stages | None = None,
    ) -> None:
        """``forgotten``: before when ids of accepted interchanges are not known any more.

        ``strain`` is told how long the journal takes, ``stages`` where the time goes.
        """
        self.stages = stages or Stages()
        self._strain = strain or Strain(time.monotonic)
        self._gateway_id = gateway_id
        self._journal = journal
        self._bench = bench
        self._parties = parties
        self._desk = desk
        self._limits = limits
        self._bell = bell
        self._clock = clock
        self._observe = observe
        self._forgotten = forgotten

    async def accept(
        self,
        sender: Sender,
        envelope: Envelope,
        *,
        proof: Proof | None = None,
        signed: bytes | None = None,
    ) -> Stored:
        """Judge and commit one interchange whose sender and signature are proven.

        ``proof`` is kept with it, also when it is refused. ``signed`` is what a signature inside
        of the content covers: that alone is read. Durable on return. Raises ``Refused``
        when the id was accepted with other bytes, when its control reference was used, or when it
        breaks a bound as a whole.
        """
        began = time.perf_counter()
        party = sender.identity.party
        watch = self.stages.watch()
        earlier = await self._journal.find(party, envelope.interchange_id)
        if earlier is not None and earlier.state is State.ACCEPTED:
            return self._repeat(earlier, envelope, sender)
        record = await self._strain.during(self._journal.reserve())
        watch.restart()
        sitting = Sitting(record, sender, watch)
        try:
            read = envelope.content if signed is None else Bytes(signed)
            await self._hear(sitting, envelope, read)
            self._judge_age(sitting)
            self._conclude(sitting)
            acceptance = await self._acceptance(
                sitting,
                envelope,
                attempt=1 if earlier is None else earlier.attempt + 1,
                proof=proof,
            )
            stored = await self._strain.during(self._journal.commit(acceptance))
        except BaseException:
            if sitting.staged:
                await asyncio.shield(self._journal.discard(record))
            raise
        if stored.repeated and sitting.staged:
            await self._journal.discard(record)
        if stored.repeated:
            return self._repeat(stored, envelope, sender)
        watch.restart()
        self._bell.ring(sitting.destinations)
        self._observe(stored, sitting.outcomes, time.perf_counter() - began)
        watch.lap("answer")
        return stored

    def _judge_age(self, sitting: Sitting) -> None:
        """Of a document from before what is remembered nobody knows whether it was accepted."""
        known_since = self._forgotten()
        if known_since is None:
            return
        header = sitting.header
        said = [at for at in (header.prepared_at, header.issued_at) if at is not None]
        if said and max(said) < known_since:
            raise Refused(
                "interchange.too-old",
                f"made on {max(said).date()}, ids are known since {known_since.date()}",
            )

    def _repeat(self, earlier: Stored, envelope: Envelope, sender: Sender) -> Stored:
        """The first answer again, if it is the answer to this."""
        if earlier.digest != envelope.digest:
            raise Refused(
                "interchange.conflict",
                f"accepted on {earlier.received_at.isoformat()} with SHA-256 {earlier.digest}",
            )
        if receipt.principal_of(earlier.receipt) != sender.on_behalf_of:
            raise Refused("interchange.conflict", "accepted in the name of another party")
        return msgspec.structs.replace(earlier, repeated=True)

    async def _hear(self, sitting: Sitting, envelope: Envelope, read: Content) -> None:
        """Read and judge entry by entry, giving way to the event loop every few milliseconds.

        Large interchanges are staged in chunks on the way.
        """
        bench, parties, limits = self._bench(), self._parties(), self._limits()
        translator = bench.network.formats.find(envelope.format)
        if translator is None:  # withdrawn since it was permitted
            raise Refused("format.unknown", f"{envelope.format} is not configured here any more")
        large = envelope.content.size > limits.staged_from
        watch = sitting.watch
        with read.open() as source:
            until = time.perf_counter() + limits.slice_seconds
            for reading in translator.read(source):
                watch.lap("parse")
                if isinstance(reading, Entry):
                    if len(sitting.outcomes) >= limits.messages:
                        raise Refused(
                            "interchange.too-many-messages", f"at most {limits.messages} messages"
                        )
                    known = UNASKED
                    if asks_journal(reading, bench):
                        known = await self._known(reading, sitting.sender, bench)
                        watch.restart()
                    sitting.hear(reading, envelope.format, known, parties, bench)
                    if large and sitting.held >= limits.chunk:
                        await self._stage(sitting, envelope)
                        watch.restart()
                elif isinstance(reading, Fault):
                    sitting.broken.append(reading)
                else:
                    sitting.header = reading
                if time.perf_counter() > until:
                    await asyncio.sleep(0)
                    watch.restart()
                    until = time.perf_counter() + limits.slice_seconds
        if large:
            await self._stage(sitting, envelope)

    async def _known(self, entry: Entry, sender: Sender, bench: Bench) -> Known:
        """What the journal knows of what a message names, where that decides anything."""
        message, network = entry.message, bench.network
        if message is None:
            return UNASKED
        referred = NOT_REFERRED
        declarants = network.routes.asks_declarants(kind_of(message))
        if declarants or isinstance(message, Referral):
            referred = await look_up(
                self._journal.histories,
                message,
                author=sender.author.party,
                endpoints=network.endpoints,
                declarants=declarants,
            )
        named: str | None = getattr(message, "regards", None)
        if named is None and answers(message):
            return Known(referred, referred.asked)
        address = resolve(named) if named is not None else None
        if address is None:
            return Known(referred)
        return Known(referred, await self._journal.message(address[1], address[2]))

    async def _stage(self, sitting: Sitting, envelope: Envelope) -> None:
        party = sitting.sender.identity.party
        if not sitting.staged:
            for piece in envelope.content.slices(self._limits().raw_slice):
                await self._strain.during(
                    self._journal.stage(
                        sitting.record,
                        party=party,
                        interchange_id=envelope.interchange_id,
                        raw=(piece,),
                    )
                )
            sitting.staged = True
        await self._strain.during(
            self._journal.stage(
                sitting.record,
                party=party,
                interchange_id=envelope.interchange_id,
                messages=tuple(sitting.pending),
                reports=tuple(sitting.reports),
            )
        )
        sitting.pending = []
        sitting.reports = []

    def _conclude(self, sitting: Sitting) -> None:
        """What concerns the interchange as a whole."""
        broken = tuple(sitting.broken[: self._limits().faults])
        if not sitting.outcomes and not broken:
            broken = (Fault(code="interchange.empty", detail="it holds no message"),)
        if any(fault.refuses for fault in broken):
            sitting.refuse_all(
                Fault(code="interchange.broken", detail="the interchange as a whole was refused")
            )
        elif sitting.sender.party.all_or_nothing and sitting.refused and sitting.accepted:
            sitting.refuse_all(
                Fault(
                    code="interchange.all-or-nothing",
                    detail="another message was refused, and this party wants all or nothing",
                )
            )
        if broken:
            state = State.ACCEPTED if sitting.accepted else State.REFUSED
            sitting.outcomes.insert(0, Outcome(ordinal=0, status=state, faults=broken))

    async def _acceptance(
        self, sitting: Sitting, envelope: Envelope, *, attempt: int, proof: Proof | None
    ) -> Acceptance:
        outcomes = _OUTCOMES.encode(sitting.outcomes)
        state = State.ACCEPTED if sitting.accepted else State.REFUSED
        staged, refused = sitting.staged, sitting.refused
        claims = receipt.ReceiptClaims(
            gateway=self._gateway_id,
            record=sitting.record,
            party=sitting.sender.identity.party,
            interchange_id=envelope.interchange_id,
            attempt=attempt,
            digest=envelope.digest,
            size=envelope.content.size,
            format=envelope.format,
            received_at=envelope.received_at,
            status="accepted" if state is State.ACCEPTED else "refused",
            accepted=sitting.accepted,
            refused=refused,
            outcomes=hashlib.sha256(outcomes).hexdigest(),
            on_behalf_of=sitting.sender.on_behalf_of,
        )
        sitting.watch.lap("canonical")
        signed = await self._desk.sign(partial(receipt.sign, claims))
        sitting.watch.lap("sign")
        return Acceptance(
            record=sitting.record,
            party=sitting.sender.identity.party,
            interchange_id=envelope.interchange_id,
            attempt=attempt,
            state=state,
            format=envelope.format,
            transport=envelope.transport.value,
            digest=envelope.digest,
            size=envelope.content.size,
            received_at=envelope.received_at,
            accepted=sitting.accepted,
            refused=refused,
            receipt=signed,
            outcomes=outcomes,
            on_behalf_of=sitting.sender.on_behalf_of,
            control_reference=sitting.header.control_reference,
            raw=() if staged else tuple(envelope.content.slices(self._limits().raw_slice)),
            messages=() if staged else tuple(sitting.pending),
            reports=() if staged else tuple(sitting.reports),
            staged=staged,
            proof=proof,
        )

    async def note_refusal(
        self,
        sender: Sender,
        refused: Refused,
        *,
        interchange_id: str,
        format_id: str,
        transport: str,
        at: datetime,
        omitted: int = 0,
    ) -> Stored:
        """Journal a refusal from before the content was judged; consumes no id.

        ``omitted`` refusals before it were not journaled, and it tells so.
        """
        details = (refused.detail, f"{omitted} refusals before it were not kept" if omitted else "")
        fault = Fault(code=refused.code, detail="; ".join(filter(None, details)))
        outcomes = [Outcome(ordinal=0, status=State.REFUSED, faults=(fault, *refused.faults))]
        encoded = msgspec.json.encode(outcomes)
        record = await self._journal.reserve()
        return await self._journal.commit(
            Acceptance(
                record=record,
                party=sender.identity.party,
                interchange_id=interchange_id,  # type: ignore[arg-type] # as claimed, maybe malformed
                attempt=0,
                state=State.REFUSED,
                format=format_id,  # type: ignore[arg-type] # as claimed, maybe unknown
                transport=transport,
                digest=hashlib.sha256(b"").hexdigest(),  # of the nothing that was kept
                size=0,
                received_at=at,
                accepted=0,
                refused=0,
                receipt="",
                outcomes=encoded,
            )
        )


def _counted(outcome: Outcome, report: Report) -> Outcome:
    counts = report.counts()
    return msgspec.structs.replace(
        outcome,
        not_carried=counts.not_carried,
        defaulted=counts.defaulted,
        contradicting=counts.contradicting,
    )
