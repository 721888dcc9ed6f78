"""May this party send this? Default deny; a message needs one grant that covers all of it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from trust.identity import PartyId
from trust.members import Grant, Party


class Denial(msgspec.Struct, frozen=True):
    """Why not: ``code`` is a ``permission.*`` of ``trust.errors.CODES``."""

    code: str
    detail: str


def permit_format(party: Party, format: str) -> Denial | None:  # noqa: A002 - the project's word
    """``None`` if some grant covers the format; judged before anything is decoded."""
    if any(_covers(grant.formats, format) for grant in party.grants):
        return None
    return Denial("permission.format", f"{party.id} may not send {format}")


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
    on_behalf_of: PartyId | None = None,
) -> Denial | None:
    """``None`` if one grant covers the message: its format, kind, country and principal.

    ``country`` is ``None`` for a message that is about no country. The denial names the first
    of the four that no remaining grant covers.
    """
    grants = [grant for grant in party.grants if _covers(grant.formats, format)]
    if not grants:
        return Denial("permission.format", f"{party.id} may not send {format}")
    grants = [grant for grant in grants if _covers(grant.kinds, kind)]
    if not grants:
        return Denial("permission.kind", f"{party.id} may not send {kind} as {format}")
    grants = [grant for grant in grants if country is None or _covers(grant.countries, country)]
    if not grants:
        return Denial("permission.country", f"{party.id} may not send {kind} for {country}")
    if on_behalf_of is None or any(_acts_for(grant, on_behalf_of) for grant in grants):
        return None
    return Denial("permission.on-behalf-of", f"{party.id} may not act for {on_behalf_of}")


def _acts_for(grant: Grant, principal: PartyId) -> bool:
    return _covers(grant.on_behalf_of, principal)


def _covers(globs: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
