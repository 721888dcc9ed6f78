"""What every ingress does with a submission, whatever the transport."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from prometheus_client import Counter

from gateway.core.envelope import Content, Envelope, SignedBy, Transport
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Clock
from gateway.core.records import State, Stored
from gateway.pipeline.service import Service
from gateway.telemetry import Telemetry
from translators.translator import FormatId
from trust.identity import Identity, PartyId


def printable(text: str) -> str:
    """What came from outside, maybe with bytes of no encoding, as text that any reader takes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender says about a submission; nothing of it is proved yet."""

    interchange_id: str
    format_id: str
    signature: str | None = None
    on_behalf_of: str | None = None
    signed: SignedBy | None = None
    """What the ingress has proved itself, over these very bytes."""


class Reception:
    """Hands submissions of one transport to the service and counts what became of them."""

    def __init__(
        self, *, service: Service, telemetry: Telemetry, clock: Clock, transport: Transport
    ) -> None:
        self._service = service
        self._clock = clock
        self._transport = transport
        self._metrics = telemetry.metrics
        self.stages = telemetry.metrics.stages
        self._counters: dict[tuple[PartyId, str], Counter] = {}
        self._seconds = telemetry.metrics.accept_seconds.labels(transport=transport)
        self._log = telemetry.of(f"ingress.{transport}")

    def permit(self, identity: Identity, claim: Claim) -> None:
        """Refuse what needs no content to be refused."""
        self._service.permit(
            identity,
            interchange_id=claim.interchange_id,
            format_id=claim.format_id,
            on_behalf_of=claim.on_behalf_of,
        )

    def meant(self, identity: Identity, formats: Sequence[FormatId]) -> FormatId:
        """Which of the formats a submission is in that names none."""
        return self._service.meant(identity, formats)

    async def accept(self, identity: Identity, claim: Claim, content: Content) -> Stored:
        """Have a permitted submission judged and committed."""
        envelope = Envelope(
            interchange_id=InterchangeId(claim.interchange_id),
            format=FormatId(claim.format_id),
            content=content,
            transport=self._transport,
            received_at=self._clock(),
            signature=claim.signature,
            on_behalf_of=claim.on_behalf_of,
            signed=claim.signed,
        )
        begun = time.perf_counter()
        stored = await self._service.accept(identity, envelope)
        self._seconds.observe(time.perf_counter() - begun)
        status = "repeated" if stored.repeated else stored.state.value
        self._counter(identity.party, status).inc()
        # One line per accepted interchange would be most of the log: they are counted instead.
        write = self._log.info if stored.state is State.REFUSED else self._log.debug
        write(
            f"interchange.{status}",
            party=identity.party,
            interchange_id=stored.interchange_id,
            record=stored.record,
            format=stored.format,
            accepted=stored.accepted,
            refused=stored.refused,
        )
        return stored

    def _counter(self, party: PartyId, status: str) -> Counter:
        """The counter of interchanges; looking it up by its labels takes longer than counting."""
        found = self._counters.get((party, status))
        if found is None:
            found = self._metrics.interchanges.labels(
                party=party, transport=self._transport, status=status
            )
            self._counters[party, status] = found
        return found

    async def note(self, identity: Identity, claim: Claim, refused: Refused) -> None:
        """Keep evidence of a refusal as a whole.

        The answer is that refusal, also when the journal is down, and when it keeps nothing more
        under an id that was accepted before.
        """
        try:
            kept = await self._service.note_refusal(
                identity,
                refused,
                interchange_id=claim.interchange_id,
                format_id=claim.format_id,
                transport=self._transport,
            )
            if not kept:
                self._metrics.refusals_not_kept.labels(party=identity.party).inc()
        except Unavailable as error:
            self._log.warning("refusal.not-noted", code=refused.code, reason=error.reason)
        except Refused as error:
            self._log.info("refusal.not-noted", code=refused.code, reason=error.code)
