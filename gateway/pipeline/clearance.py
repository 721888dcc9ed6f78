"""May this item go? The rules, over all that was said about it. Pure.

Every rule gives findings; the gravest wins: a stop over waiting, waiting over leave. Waiting has an
end, at which the configured answer to silence takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources

import msgspec

from gateway.core.bounds import Count, Seconds
from gateway.core.clearance import Verdict
from gateway.pipeline.bearing import Said, bears, declarations, in_order, is_withdrawn, names
from gateway.pipeline.cases import Case, Decided, latest, open_cases
from translators.canonical import (
    CustomsResponse,
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    RiskAssessment,
)
from trust.identity import PartyId


class Silent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[clearance.silent]]``: how long is waited, and what silence means, for some items.

    Every condition that is set must hold of the latest declaration; lists mean any of them.
    """

    origin_countries: tuple[str, ...] = ()
    destination_countries: tuple[str, ...] = ()
    natures: tuple[str, ...] = ()
    """Natures of transaction, as sale or gift."""
    mail_classes: tuple[str, ...] = ()
    wait: Seconds | None = None
    """Seconds from the declaration; otherwise those of ``[clearance]``."""
    silence: Verdict | None = None

    def holds(self, declared: Message | None) -> bool:
        """Whether an item that was declared so is meant."""
        return all(
            not wanted or getattr(declared, name, None) in wanted
            for wanted, name in (
                (self.origin_countries, "origin_country"),
                (self.destination_countries, "destination_country"),
                (self.natures, "nature"),
                (self.mail_classes, "mail_class"),
            )
        )


class ClearanceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[clearance]``: what is answered when nobody has decided. Times in seconds."""

    wait: Seconds = 3_600.0
    """How long after its declaration a decision on an item is waited for, and after a referral
    without a deadline its end."""
    silence: Verdict = Verdict.NO
    """The answer when that time has passed."""
    unknown: Verdict = Verdict.NO
    """The answer for an item that nobody has declared."""
    meanings: dict[str, Verdict] = {}
    """What decisions mean, beside and before the packaged table."""
    silent: tuple[Silent, ...] = ()
    """The first that holds of an item counts."""
    most_items: Count = 1_000
    """How many items one request may ask about."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """A finding: what one rule says, and the messages on which it rests.

    ``until``: the end of waiting. ``by``: whose word it is; ``None`` where nobody spoke.
    """

    verdict: Verdict
    reason: str
    said: tuple[Said, ...] = ()
    until: datetime | None = None
    by: PartyId | None = None


UNKNOWN = "item.unknown"
SILENCE = "silence"


class Concluded(msgspec.Struct, frozen=True, kw_only=True):
    """The finding that won, and what becomes of it."""

    basis: Basis
    then: Verdict | None = None


def conclude(
    item: str,
    said: Iterable[Said],
    *,
    now: datetime,
    settings: ClearanceSettings,
    incomplete: bool = False,
) -> Concluded:
    """The answer for an item out of all that may bear on it, at ``now``.

    ``incomplete``: not all of it could be read, so that nothing but a stop is certain.
    """
    matter = _matter(item, said, settings)
    findings = list(_findings(matter))
    if incomplete:
        findings.append(Basis(verdict=Verdict.WAIT, reason="history.incomplete"))
    basis = _gravest(findings, now, matter)
    if basis.verdict is not Verdict.WAIT or basis.until is None:
        return Concluded(basis=basis)
    return Concluded(basis=basis, then=_gravest(findings, basis.until, matter).verdict)


class _Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at: all that was said, and what of it declares or answers."""

    item: str
    told: tuple[Said, ...]
    declared: tuple[Said, ...]
    """The latest declaration of each party, withdrawn or not."""
    standing: tuple[Said, ...]
    """Those that were not withdrawn."""
    heard: tuple[Said, ...]
    """What authorities say about the item, and the declarations that it may answer."""
    wait: timedelta
    silence: Verdict
    unknown: Verdict
    meanings: Mapping[str, Verdict]


def _matter(item: str, said: Iterable[Said], settings: ClearanceSettings) -> _Matter:
    told = in_order(said)
    declared = declarations(item, told)
    standing = tuple(one for one in declared if not is_withdrawn(one))
    known = names(item, told)
    current = standing[-1].content if standing else None
    rule = next((rule for rule in settings.silent if rule.holds(current)), Silent())
    return _Matter(
        item=item,
        told=told,
        declared=declared,
        standing=standing,
        heard=tuple(one for one in told if _declares(one) or bears(one.content, known)),
        wait=timedelta(seconds=settings.wait if rule.wait is None else rule.wait),
        silence=rule.silence or settings.silence,
        unknown=settings.unknown,
        meanings={**packaged(), **settings.meanings} if settings.meanings else packaged(),
    )


def _gravest(findings: Sequence[Basis], now: datetime, matter: _Matter) -> Basis:
    """A stop, otherwise the longest waiting, otherwise leave; without any, the item is unknown."""
    standing = [_of_now(one, now, matter.silence) for one in findings]
    for verdict in (Verdict.NO, Verdict.WAIT, Verdict.YES):
        found = [one for one in standing if one.verdict is verdict]
        if found:
            return max(found, key=_length) if verdict is Verdict.WAIT else found[0]
    return Basis(verdict=matter.unknown, reason=UNKNOWN)


def _length(one: Basis) -> tuple[bool, float]:
    """Waiting without an end is the longest."""
    return one.until is None, 0.0 if one.until is None else one.until.timestamp()


def _of_now(one: Basis, now: datetime, silence: Verdict) -> Basis:
    """A finding whose time is over is silence, whatever was waited for."""
    if one.verdict is not Verdict.WAIT or one.until is None or now < one.until:
        return one
    reason = f"{one.reason}.{SILENCE}"
    return msgspec.structs.replace(one, verdict=silence, reason=reason, until=None)


def _findings(matter: _Matter) -> Iterator[Basis]:
    declared = matter.declared
    if declared and not matter.standing:
        author = declared[-1].author
        yield Basis(verdict=Verdict.NO, reason="item.withdrawn", said=declared, by=author)
    yield from _returned(matter)
    final = {
        one.place: Decided(one, goes=meaning is Verdict.YES)
        for one in matter.heard
        if (meaning := _meaning(one, matter.meanings)) in (Verdict.YES, Verdict.NO)
    }
    for case in open_cases(matter.heard, final):
        yield _of_case(case, matter.wait)
    yield from _decisions(matter)


def _returned(matter: _Matter) -> Iterator[Basis]:
    """One of those who declared it has declared its way back under another identifier."""
    authors = {one.author for one in matter.declared}
    for one in matter.told:
        content = one.content
        if (
            isinstance(content, ItemDeclaration)
            and content.return_of == matter.item != content.item_id
            and one.author in authors
            and not is_withdrawn(one)
        ):
            yield Basis(verdict=Verdict.NO, reason="item.returned", said=(one,), by=one.author)


def _of_case(case: Case, wait: timedelta) -> Basis:
    opened, by = case.opened, case.opened.author
    if case.stops:
        assessed = isinstance(opened.content, RiskAssessment)
        reason = "assessment.do-not-load" if assessed else "referral.do-not-load"
        return Basis(verdict=Verdict.NO, reason=reason, said=(opened,), by=by)
    if case.answered is not None:
        return Basis(
            verdict=Verdict.WAIT,
            reason="referral.answered",
            said=(opened, case.answered),
            until=case.answered.stored.accepted_at + wait,
            by=by,
        )
    until = case.deadline or opened.stored.accepted_at + wait
    return Basis(verdict=Verdict.WAIT, reason="referral.open", said=(opened,), until=until, by=by)


def _decisions(matter: _Matter) -> Iterator[Basis]:
    """What the authorities say; each speaks for itself, and all must let it go."""
    standing = matter.standing
    end = standing[-1].stored.accepted_at + matter.wait if standing else None
    decided = False
    for one in latest(matter.heard, CustomsResponse):
        meaning = _meaning(one, matter.meanings)
        if meaning is None or not isinstance(one.content, CustomsResponse):
            continue
        decided = True
        reason = f"decision.{one.content.decision}"
        basis = Basis(verdict=meaning, reason=reason, said=(one,), by=one.author)
        if meaning is Verdict.YES and _is_outdated(one, matter):
            basis = Basis(verdict=Verdict.WAIT, reason="decision.outdated", said=(one,), until=end)
        elif meaning is Verdict.WAIT:
            until = one.content.limit_at or end or one.stored.accepted_at + matter.wait
            basis = msgspec.structs.replace(basis, until=until)
        yield basis
    if standing and not decided:
        yield Basis(verdict=Verdict.WAIT, reason="decision.missing", until=end)


def _is_outdated(one: Said, matter: _Matter) -> bool:
    """Whether leave was given to an earlier version: only the latest one counts as looked at.

    A stop is not lifted by declaring anew.
    """
    named = one.stored.regards
    to = next((said for said in matter.told if said.stored.message_id == named), None)
    if to is None or not _declares(to):
        return any(said.place > one.place for said in matter.standing)
    return any(
        said.place > to.place
        for said in matter.standing
        if (said.author, said.stored.kind) == (to.author, to.stored.kind)
    )


def _declares(one: Said) -> bool:
    return isinstance(one.content, ItemDeclaration | GoodsDeclaration)


def _meaning(one: Said, meanings: Mapping[str, Verdict]) -> Verdict | None:
    """What a response means; ``None`` of what decides nothing."""
    if not isinstance(one.content, CustomsResponse) or is_withdrawn(one):
        return None
    return meanings.get(one.content.decision)


@cache
def packaged() -> Mapping[str, Verdict]:
    """The table of decisions that comes with the program."""
    text = resources.files("gateway.pipeline").joinpath("decisions.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, Verdict])
