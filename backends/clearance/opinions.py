"""Opinions: what others say about a case, and the situation that they make together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from backends.clearance.table import Agency, Inspection, Revenue, Risk, Situation
from translators.canonical import (
    CustomsResponse,
    InspectionResult,
    RevenueAssessment,
    RiskAssessment,
)

Statement = RiskAssessment | RevenueAssessment | InspectionResult | CustomsResponse

NOT_ASSESSED = "not-assessed"
"""The regime by which a revenue back end says that it could not assess."""


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """The latest statement of one party of one kind."""

    party: str
    statement: Statement


class Competence(msgspec.Struct, frozen=True, kw_only=True):
    """Who is heard about what; everybody else is recorded only."""

    risk: frozenset[str]
    revenue: str
    inspectors: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()

    def hears(self, party: str, statement: Statement) -> bool:
        """Whether this party's statement counts."""
        match statement:
            case RiskAssessment():
                return party in self.risk
            case RevenueAssessment():
                return party == self.revenue
            case InspectionResult():
                return party in self.inspectors
            case CustomsResponse():
                return party in self.agencies


def spoken_at(statement: Statement) -> datetime:
    """When a statement was made."""
    match statement:
        case RiskAssessment() | RevenueAssessment():
            return statement.assessed_at
        case InspectionResult():
            return statement.inspected_at
        case CustomsResponse():
            return statement.decided_at


def supersedes(new: Statement, old: Statement) -> bool:
    """Whether a statement replaces an earlier one of the same party about the same thing."""
    if isinstance(new, InspectionResult) or isinstance(old, InspectionResult):
        return spoken_at(new) >= spoken_at(old)
    if new.version is not None and old.version is not None and new.version != old.version:
        return new.version > old.version
    return spoken_at(new) >= spoken_at(old)


_SEVERITY: Mapping[Risk, int] = MappingProxyType(
    {Risk.CLEAR: 0, Risk.REFER: 1, Risk.OTHER: 1, Risk.HOLD: 2, Risk.DO_NOT_LOAD: 3}
)
_AGENCY: Mapping[str, Agency] = MappingProxyType(
    {
        "pending": Agency.HELD,
        "held": Agency.HELD,
        "held-other-agency": Agency.HELD,
        "detained": Agency.HELD,
        "seized": Agency.REFUSED,
        "refused": Agency.REFUSED,
        "returned": Agency.REFUSED,
        "data-received": Agency.NONE,
        "released": Agency.NONE,
        "released-on-payment": Agency.NONE,
    }
)
_INSPECTION: Mapping[str, Inspection] = MappingProxyType(
    {
        "conform": Inspection.CONFORM,
        "not-conform": Inspection.NOT_CONFORM,
        "prohibited": Inspection.PROHIBITED,
    }
)
_SETTLED_ELSEWHERE = frozenset({"sender", "platform", "account"})


def situation_of(
    opinions: Iterable[Opinion], competence: Competence, *, withdrawn: bool, overdue: bool
) -> Situation:
    """What the opinions come to. Opinions of the incompetent are left out."""
    heard = [o for o in opinions if competence.hears(o.party, o.statement)]
    assessments = [o for o in heard if isinstance(o.statement, RiskAssessment)]
    return Situation(
        withdrawn=withdrawn,
        overdue=overdue,
        risk=_risk(assessments, competence),
        revenue=_revenue(find_revenue(heard, competence)),
        inspection=_inspection(heard, assessments),
        agency=_agency(heard),
    )


def find_revenue(opinions: Iterable[Opinion], competence: Competence) -> RevenueAssessment | None:
    """The assessment whose taxes a response tells."""
    for opinion in opinions:
        if isinstance(opinion.statement, RevenueAssessment) and competence.hears(
            opinion.party, opinion.statement
        ):
            return opinion.statement
    return None


def _risk(assessments: list[Opinion], competence: Competence) -> Risk:
    outcomes = [
        _outcome(o.statement.outcome)
        for o in assessments
        if isinstance(o.statement, RiskAssessment)
    ]
    worst = max(outcomes, key=lambda outcome: _SEVERITY[outcome], default=Risk.MISSING)
    if worst is Risk.CLEAR and {o.party for o in assessments} != competence.risk:
        return Risk.MISSING
    return worst


def _outcome(code: str) -> Risk:
    return Risk(code) if code in ("clear", "refer", "hold", "do-not-load") else Risk.OTHER


def _revenue(assessment: RevenueAssessment | None) -> Revenue:
    if assessment is None:
        return Revenue.MISSING
    if assessment.regime == NOT_ASSESSED:
        return Revenue.NOT_ASSESSED
    if assessment.total.amount <= 0:
        return Revenue.NOTHING
    return Revenue.SETTLED if assessment.payable_by in _SETTLED_ELSEWHERE else Revenue.DUE


def _inspection(heard: list[Opinion], assessments: list[Opinion]) -> Inspection:
    results = [o.statement for o in heard if isinstance(o.statement, InspectionResult)]
    latest = max(results, key=lambda result: result.inspected_at, default=None)
    if latest is None:
        return Inspection.NONE
    found = _INSPECTION.get(latest.outcome, Inspection.INCONCLUSIVE)
    since = max((spoken_at(o.statement) for o in assessments), default=latest.inspected_at)
    if found is Inspection.CONFORM and since > latest.inspected_at:
        return Inspection.NONE  # something new was said after the goods were looked at
    return found


def _agency(heard: list[Opinion]) -> Agency:
    found = {
        _AGENCY.get(o.statement.decision, Agency.HELD)
        for o in heard
        if isinstance(o.statement, CustomsResponse)
    }
    order = (Agency.REFUSED, Agency.HELD)
    return next((agency for agency in order if agency in found), Agency.NONE)
