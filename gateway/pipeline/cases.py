"""Cases of authorities about one item: referrals and stops, opened, answered and closed. Pure.

Whoever opened a case closes it: by completing its assessment, or by its own later decision. A
case that was answered is closed by whichever authority decides after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.core.identifiers import MessageId
from gateway.pipeline.bearing import Said, in_order
from translators.canonical import CustomsResponse, Referral, RiskAssessment
from trust.identity import PartyId

DO_NOT_LOAD = "DNL"
COMPLETE = "AC"
STOPPING = frozenset({"do-not-load"})
"""Outcomes of assessments that stop an item before anybody decides on it."""
PASSED_ON = frozenset({"to-origin", "from-origin", "from-declarant"})
"""Hops of a referral that was opened before, by somebody else."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A referral that is open; ``answered``: something was said to it."""

    opened: Said
    answered: Said | None = None
    stops: bool = False
    deadline: datetime | None = None
    """When its author wants the answer."""


class Decided(msgspec.Struct, frozen=True):
    """A decision that ends something: to let go (``goes``) or to stop."""

    said: Said
    goes: bool


def passes_on(referral: Referral) -> bool:
    """Whether a referral says of itself that somebody else asks."""
    return referral.on_behalf_of is not None or referral.hop in PASSED_ON


def open_cases(told: Sequence[Said], decisions: Mapping[tuple[int, int], Decided]) -> list[Case]:
    """What is open about an item after all that was ``told`` about it, in order of acceptance.

    ``decisions``: those among it that are final, by their places.
    """
    assessed = {one.place for one in latest(told, RiskAssessment)}
    cases: dict[tuple[str, PartyId], Case] = {}
    for one in told:
        decided = decisions.get(one.place)
        if decided is not None:
            cases = {at: case for at, case in cases.items() if not _ends(decided, case)}
        elif isinstance(one.content, Referral):
            _referral(one, one.content, cases)
        elif isinstance(one.content, RiskAssessment) and one.place in assessed:
            _assessment(one, one.content, cases)
    return list(cases.values())


def latest(
    told: Sequence[Said], kind: type[CustomsResponse] | type[RiskAssessment]
) -> tuple[Said, ...]:
    """Of the answers of a kind the latest by each author to each party that declared the item.

    An answer to a later version stands for those to earlier ones; of answers to the same version
    the one that its author counts highest; otherwise the last that was accepted.
    """
    answered = {one.stored.message_id: one for one in told}
    found: dict[tuple[PartyId, PartyId | None], Said] = {}
    for one in told:
        if not isinstance(one.content, kind):
            continue
        to = None if one.stored.regards is None else answered.get(one.stored.regards)
        line = one.author, None if to is None else to.author
        if line not in found or _supersedes(one, found[line], answered):
            found[line] = one
    return in_order(found.values())


def _supersedes(one: Said, other: Said, answered: Mapping[MessageId, Said]) -> bool:
    if one.stored.regards == other.stored.regards:
        count, before = _version(one), _version(other)
        return count is None or before is None or count >= before
    to, before_to = (answered.get(said.stored.regards or MessageId("")) for said in (one, other))
    return to is None or before_to is None or to.place >= before_to.place


def _version(one: Said) -> int | None:
    version: int | None = getattr(one.content, "version", None)
    return version


def _ends(decided: Decided, case: Case) -> bool:
    opener, by = case.opened, decided.said.author
    if isinstance(opener.content, RiskAssessment):
        return decided.goes  # who decides has seen what was assessed
    if case.stops:
        return decided.goes and opener.author == by
    return opener.author == by or case.answered is not None


def _referral(one: Said, referral: Referral, cases: dict[tuple[str, PartyId], Case]) -> None:
    if referral.answers:
        for at, case in cases.items():
            if at[0] == referral.reference and not case.stops:
                cases[at] = msgspec.structs.replace(case, answered=one)
        return
    if referral.kind == COMPLETE:
        _complete(one, referral, cases)
        return
    if passes_on(referral) and any(at[0] == referral.reference for at in cases):
        return  # one more hop of what is open already
    cases[referral.reference, one.author] = Case(
        opened=one, stops=referral.kind == DO_NOT_LOAD, deadline=referral.reply_before
    )


def _complete(one: Said, referral: Referral, cases: dict[tuple[str, PartyId], Case]) -> None:
    """Ends the case of that reference; under another one, such as the MRN, all of its author."""
    named = (referral.reference, one.author)
    ended = [named] if named in cases else [at for at in cases if at[1] == one.author]
    for at in ended:
        del cases[at]


def _assessment(one: Said, said: RiskAssessment, cases: dict[tuple[str, PartyId], Case]) -> None:
    if said.outcome in STOPPING or said.do_not_load is not None:
        cases[str(one.stored.message_id), one.author] = Case(opened=one, stops=True)
