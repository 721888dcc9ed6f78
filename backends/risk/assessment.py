"""Assessing one message: rules and indicators in, a verdict out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from backends.risk.conditions import Scope
from backends.risk.features import Features
from backends.risk.matching import match_subject
from backends.risk.profile import LEVELS, OUTCOMES, Level, Outcome, Profile, Rule
from translators.canonical import (
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    Order,
    Pointer,
    RiskIndicator,
    RiskResult,
    kind_of,
)

MAX_POINTERS = 20
MAX_INDICATORS = 999
"""As many as an assessment can name."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator that matches, and where."""

    indicator: RiskIndicator
    pointers: tuple[str, ...]

    @property
    def reference(self) -> str:
        """``issuer/indicator-id``, as an assessment names it; cut to what fits there."""
        return f"{self.indicator.issuer}/{self.indicator.indicator_id}"[:70]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is concluded. Equal verdicts need no new assessment."""

    outcome: Outcome
    level: Level | None
    score: Decimal
    results: tuple[RiskResult, ...] = ()
    indicators: tuple[str, ...] = ()
    reason: str | None = None


def find_hits(
    indicators: Iterable[RiskIndicator],
    features: Features,
    *,
    now: datetime,
    ignored: frozenset[str],
) -> tuple[Hit, ...]:
    """The indicators in force that match, in the order of their references."""
    hits = []
    for indicator in indicators:
        if not is_in_force(indicator, now):
            continue
        pointers = [p for s in indicator.subjects for p in match_subject(s, features, ignored)]
        if pointers:
            hits.append(Hit(indicator=indicator, pointers=tuple(dict.fromkeys(pointers))))
    return tuple(sorted(hits, key=lambda hit: hit.reference)[:MAX_INDICATORS])


def is_in_force(indicator: RiskIndicator, now: datetime) -> bool:
    """Not withdrawn, begun, not over (``valid_to`` included)."""
    return (
        indicator.function != "withdrawal"
        and (indicator.valid_from is None or indicator.valid_from <= now)
        and (indicator.valid_to is None or now <= indicator.valid_to)
    )


Places = tuple[str, ...]


def find_rules(profile: Profile, message: Message, features: Features) -> list[tuple[Rule, Places]]:
    """The rules that speak, with the places that they point to."""
    scope = Scope(message, "", features)
    kind = kind_of(message)
    asked = [(r, r.condition(scope)) for r in profile.rules if kind in r.kinds]
    return [(rule, places) for rule, places in asked if places is not None]


WITHDRAWN = Verdict(
    outcome="clear", level=None, score=Decimal(0), reason="withdrawn: nothing to assess"
)


def is_withdrawn(message: Message) -> bool:
    """Whether the sender took back what the message is about."""
    return isinstance(message, ItemDeclaration | Order | GoodsDeclaration) and (
        message.function in ("withdrawal", "cancellation")
    )


def judge(profile: Profile, rules: Iterable[tuple[Rule, Places]], hits: Iterable[Hit]) -> Verdict:
    """The most severe outcome and level of all that speak, and the sum of their weights."""
    results: list[RiskResult] = []
    outcomes: list[Outcome] = ["clear"]
    levels: list[Level] = []
    score = Decimal(0)
    for rule, places in rules:
        outcomes.append(rule.outcome)
        levels.append(rule.level)
        score += rule.weight
        results.append(
            RiskResult(
                type="rule",
                area=rule.area,
                level=rule.level,
                criterion=rule.id,
                text=rule.text,
                score=Decimal(rule.weight),
                pointers=_pointers(places),
            )
        )
    policy = profile.indicators
    references = []
    for hit in hits:
        level = next((level for level in LEVELS if level == hit.indicator.level), None)
        outcomes.append(policy.outcomes.get(level, policy.other) if level else policy.other)
        weight = policy.weights.get(level, 0) if level else 0
        score += weight
        levels += [level] if level else []
        references.append(hit.reference)
        results.append(_hit_result(hit, weight))
    outcomes += _by_score(profile, score)
    return Verdict(
        outcome=max(outcomes, key=OUTCOMES.index),
        level=max(levels, key=LEVELS.index) if levels else None,
        score=score,
        results=tuple(results),
        indicators=tuple(references),
    )


def _hit_result(hit: Hit, weight: int) -> RiskResult:
    indicator = hit.indicator
    # Only the issuer's own words may be shown, and not when they are for its use alone.
    shown = indicator.handling != "own-use"
    return RiskResult(
        type="indicator",
        area=indicator.area,
        level=indicator.level,
        criterion=hit.reference,
        text=indicator.statement[:512] if shown else None,
        score=Decimal(weight),
        pointers=_pointers(hit.pointers),
    )


def _pointers(places: Iterable[str]) -> tuple[Pointer, ...]:
    return tuple(Pointer(path=place) for place in list(places)[:MAX_POINTERS])


def _by_score(profile: Profile, score: Decimal) -> list[Outcome]:
    reached: list[Outcome] = []
    if profile.refer_at is not None and score >= profile.refer_at:
        reached.append("refer")
    if profile.hold_at is not None and score >= profile.hold_at:
        reached.append("hold")
    return reached
