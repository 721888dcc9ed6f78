"""May this party send this, or receive it? Pure judgements over the grants of a registry.

Sending is denied unless granted: one grant covers all of a message. In somebody's name it takes
three things: a grant of the sender that names the principal, a delegation of the principal, and
a grant with which the principal could have sent the very same message itself; each of the three
covers all of it. Receiving is a matter of the agreements, as long as a party has no grant to
receive; with one, or where the registry says so for everybody, it is denied unless granted too.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trust.delegation import Principal, matches
from trust.members import Direction, Grant, Party


class Denial(msgspec.Struct, frozen=True):
    """Why not: ``code`` is a ``permission.*`` of ``trust.errors.CODES``."""

    code: str
    detail: str


def permit_format(
    party: Party,
    format: str,  # noqa: A002 - the word that the whole project uses
    *,
    principal: Principal | None = None,
) -> Denial | None:
    """``None`` if it may send messages in the format; judged before anything is decoded."""
    grants = [grant for grant in _grants(party, "send") if matches(grant.formats, format)]
    if not grants:
        return Denial("permission.format", f"{party.id} may not send {format}")
    if principal is None:
        return None
    if not any(matches(grant.on_behalf_of, principal.party.id) for grant in grants):
        return _not_for(party, principal)
    if not any(matches(delegation.formats, format) for delegation in principal.delegations):
        return _not_delegated(principal, format)
    if not any(matches(grant.formats, format) for grant in _grants(principal.party, "send")):
        return _beyond(principal, format)
    return None


def meant(party: Party, formats: Sequence[str]) -> Sequence[str]:
    """Of formats that are written alike, those that the party can mean; never none of them.

    Those that it may send, and of several of those the ones that it speaks.
    """
    sent = [name for name in formats if permit_format(party, name) is None]
    spoken = [name for name in sent if name in party.speaks]
    return spoken or sent or formats[:1]  # what it may not send is refused as such


def permit_message(
    party: Party,
    *,
    format: str,  # noqa: A002 - the word that the whole project uses
    kind: str,
    country: str | None,
    principal: Principal | None = None,
) -> Denial | None:
    """``None`` if the party may send the message, in the principal's name if there is one.

    ``country`` is ``None`` for a message that is about no country. The denial names the first
    of format, kind, country and principal that no remaining grant of the party covers.
    """
    grants = [grant for grant in _grants(party, "send") if matches(grant.formats, format)]
    if not grants:
        return Denial("permission.format", f"{party.id} may not send {format}")
    grants = [grant for grant in grants if matches(grant.kinds, kind)]
    if not grants:
        return Denial("permission.kind", f"{party.id} may not send {kind} as {format}")
    grants = [grant for grant in grants if country is None or matches(grant.countries, country)]
    if not grants:
        return Denial("permission.country", f"{party.id} may not send {kind} for {country}")
    if principal is None:
        return None
    if not any(matches(grant.on_behalf_of, principal.party.id) for grant in grants):
        return _not_for(party, principal)
    about = f"{kind} as {format}" if country is None else f"{kind} for {country} as {format}"
    if not any(
        delegation.covers(format=format, kind=kind, country=country)
        for delegation in principal.delegations
    ):
        return _not_delegated(principal, about)
    itself = permit_message(principal.party, format=format, kind=kind, country=country)
    return None if itself is None else _beyond(principal, about)


def permit_receipt(
    party: Party,
    *,
    format: str | None,  # noqa: A002 - the word that the whole project uses
    kind: str,
    country: str | None,
    granted: bool,
) -> Denial | None:
    """``None`` if a message may go to the party, as far as grants decide that.

    ``format`` is ``None`` while it is open in which format the party will fetch it. ``granted``:
    nobody of this network receives without a grant. Agreements decide beside this, not instead.
    """
    grants = _grants(party, "receive")
    if not grants and not granted:
        return None
    grants = [grant for grant in grants if matches(grant.kinds, kind)]
    if not grants:
        return Denial("permission.receive", f"{party.id} may not receive {kind}")
    grants = [grant for grant in grants if country is None or matches(grant.countries, country)]
    if not grants:
        return Denial("permission.receive", f"{party.id} may not receive {kind} for {country}")
    if format is None or any(matches(grant.formats, format) for grant in grants):
        return None
    return Denial("permission.receive", f"{party.id} may not receive {kind} as {format}")


def receivable(party: Party, format: str, *, granted: bool) -> bool:  # noqa: A002 - our word
    """Whether the party may receive anything in that format."""
    grants = _grants(party, "receive")
    if not grants:
        return not granted
    return any(matches(grant.formats, format) for grant in grants)


def _grants(party: Party, direction: Direction) -> list[Grant]:
    return [grant for grant in party.grants if grant.direction == direction]


def _not_for(party: Party, principal: Principal) -> Denial:
    return Denial("permission.on-behalf-of", f"{party.id} may not act for {principal.party.id}")


def _not_delegated(principal: Principal, what: str) -> Denial:
    return Denial("permission.on-behalf-of", f"{principal.party.id} has not delegated {what}")


def _beyond(principal: Principal, what: str) -> Denial:
    detail = f"{principal.party.id} itself may not send {what}"
    return Denial("permission.on-behalf-of", detail)
