"""A history of one item, told line by line, for the rules of clearance. No journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from gateway.core.identifiers import InterchangeId, MessageId, message_id, record_number
from gateway.core.records import StoredMessage, Subject
from gateway.pipeline.bearing import Said
from gateway.pipeline.clearance import ClearanceSettings, Concluded, conclude
from tests.samples import ASSESSMENT, ITEM, NOW
from translators.canonical import (
    CustomsResponse,
    Despatch,
    Message,
    Office,
    Receptacle,
    Referral,
    ReferralAnswer,
    kind_of,
)
from trust.identity import PartyId

ID = ITEM.item_id
BAG = "FRCDGALULUXAAUN60001001100005"
SETTINGS = ClearanceSettings(wait=3600)


class Story:
    """Messages in order of acceptance, one minute apart, from :data:`NOW`."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.at = NOW

    def tell(
        self,
        party: str,
        content: Message,
        *,
        regards: Said | None = None,
        on_behalf_of: str | None = None,
    ) -> Said:
        """One accepted message."""
        record = record_number(self.at, len(self.said))
        stored = StoredMessage(
            message_id=message_id(1, record, 1),
            record=record,
            ordinal=1,
            kind=kind_of(content),
            party=PartyId(party),
            interchange_id=InterchangeId(f"i-{len(self.said)}"),
            accepted_at=self.at,
            version=1,
            function=getattr(content, "function", None) or "original",
            key=Subject("item", ID, "FR"),
            destinations=(),
            regards=None if regards is None else MessageId(regards.stored.message_id),
            on_behalf_of=None if on_behalf_of is None else PartyId(on_behalf_of),
        )
        one = Said(stored, content)
        self.said.append(one)
        self.at += timedelta(minutes=1)
        return one

    def conclude(self, at: datetime | None = None, **settings: Any) -> Concluded:
        """The conclusion right after the last message, unless said otherwise."""
        return conclude(
            ID,
            self.said,
            now=at or self.at,
            settings=msgspec.structs.replace(SETTINGS, **settings),
        )

    def answer(self, at: datetime | None = None, **settings: Any) -> str:
        """The conclusion in two words."""
        basis = self.conclude(at, **settings).basis
        return f"{basis.verdict.value} {basis.reason}"


def declared(**changes: Any) -> Message:
    """The item of the samples."""
    return msgspec.structs.replace(ITEM, **changes)


def decided(decision: str, **changes: Any) -> CustomsResponse:
    """A decision on the item."""
    fields: dict[str, Any] = {"item_id": ID, **changes}
    return CustomsResponse(decision=decision, decided_at=NOW, **fields)


def referral(kind: str, *, reference: str = "R-1", **changes: Any) -> Referral:
    """A referral about the item, unless it names something else."""
    if not changes.keys() & {"item_ids", "receptacle_ids", "mrn"}:
        changes["item_ids"] = (ID,)
    return Referral(
        reference=reference,
        kind=kind,
        issued_at=NOW,
        authority=Office(code="LU"),
        **changes,
    )


def answered(reference: str = "R-1") -> Referral:
    """An answer to a referral."""
    told = ReferralAnswer(item_id=ID, answered_at=NOW, texts=("of a clock",))
    return referral("RFI", reference=reference, answers=(told,))


def despatched(*items: str, receptacle: str = BAG, **changes: Any) -> Despatch:
    """A despatch with one receptacle."""
    return Despatch(
        despatch_id="FRCDGALULUXAAUN60001",
        origin_office="FRCDGA",
        destination_office="LULUXA",
        receptacles=(Receptacle(receptacle_id=receptacle, item_ids=items),),
        **changes,
    )


def assessed(outcome: str, **changes: Any) -> Message:
    """An assessment of the item."""
    return msgspec.structs.replace(ASSESSMENT, outcome=outcome, **changes)


def told(*lines: tuple[str, Message]) -> Story:
    """A story of these parties and messages."""
    story = Story()
    for party, content in lines:
        story.tell(party, content)
    return story


def parties(said: Iterable[Said]) -> list[str]:
    """Who said it."""
    return [one.author for one in said]
