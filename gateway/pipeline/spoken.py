"""In which formats an inbox is served to a party that asked for none. Pure."""

from __future__ import annotations

from gateway.routing.endpoint import INBOX_FORMAT
from translators.registry import Registry as Formats
from translators.translator import FormatId
from trust.identity import PartyId
from trust.party import Registry as Parties
from trust.policy import receivable


def spoken(parties: Parties, party: PartyId, *, formats: Formats) -> tuple[FormatId, ...]:
    """The formats that the party likes, the best first.

    Behind what it speaks come, for a party with grants to receive, the usual one and the others
    that it may receive: nothing is buried for its format that could be served in another.
    """
    found = parties.parties.get(party)
    if found is None:
        return ()
    speaks = tuple(FormatId(name) for name in found.speaks)
    if not any(grant.direction == "receive" for grant in found.grants):
        return speaks
    others = (each.id for each in formats if receivable(found, each.id, granted=True))
    return tuple(dict.fromkeys((*speaks, INBOX_FORMAT, *others)))
