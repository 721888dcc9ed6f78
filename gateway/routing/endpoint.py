"""Endpoints: the destinations of this gateway by name, as planning sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.lanes import PATIENCE
from translators.canonical import Header
from translators.translator import FormatId
from trust.identity import PartyId

INBOX = "inbox:"
"""Every party has an inbox, the destination ``inbox:<party>``, from which it pulls."""
INBOX_FORMAT = FormatId("luxor.json.1")
INBOX_TRANSPORT = "inbox"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages for a party go and in which format. ``answers``: also those to ``@origin``.

    ``header``: what deliveries there say about themselves beside what follows from them.
    ``patience``: seconds that a message without a deadline may wait, by lane.
    """

    id: str
    party: PartyId
    format: FormatId
    transport: str
    answers: bool = False
    header: Header = Header()
    patience: tuple[float, ...] = tuple(time.total_seconds() for time in PATIENCE)


class Endpoints(msgspec.Struct, frozen=True):
    """All configured endpoints by id, and which of them takes a party's answers."""

    by_id: Mapping[str, Endpoint]
    by_party: Mapping[PartyId, Endpoint]

    @staticmethod
    def of(endpoints: Iterable[Endpoint]) -> Endpoints:
        """The endpoint with ``answers`` takes a party's answers, otherwise its inbox does."""
        entries = tuple(endpoints)
        return Endpoints(
            {entry.id: entry for entry in entries},
            {entry.party: entry for entry in entries if entry.answers},
        )

    def get(self, identifier: str) -> Endpoint:
        """The endpoint of that id, inboxes included; raises ``KeyError``."""
        if identifier.startswith(INBOX):
            return self.inbox(PartyId(identifier.removeprefix(INBOX)))
        return self.by_id[identifier]

    def party_of(self, identifier: str) -> PartyId | None:
        """Whose endpoint that is; ``None`` when the configuration no longer has it."""
        if identifier.startswith(INBOX):
            return PartyId(identifier.removeprefix(INBOX))
        endpoint = self.by_id.get(identifier)
        return None if endpoint is None else endpoint.party

    def inbox(self, party: PartyId, *, format_id: FormatId = INBOX_FORMAT) -> Endpoint:
        """The inbox of a party."""
        return Endpoint(id=INBOX + party, party=party, format=format_id, transport=INBOX_TRANSPORT)

    def answers_to(self, party: PartyId) -> Endpoint:
        """Where answers to a party go."""
        return self.by_party.get(party) or self.inbox(party)
