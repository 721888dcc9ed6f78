"""Verdicts and shared indicators as messages. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from backends.risk.assessment import Verdict
from backends.risk.features import SIDES, Features
from backends.risk.profile import Rule
from backends.service.desk import Received
from translators.canonical import (
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    Order,
    RiskAssessment,
    RiskIndicator,
    RiskSubject,
)


def write_assessment(
    verdict: Verdict,
    received: Received,
    *,
    assessment_id: str,
    version: int,
    profile_version: str,
    now: datetime,
) -> RiskAssessment:
    """The message that tells a verdict about one message version."""
    about = received.message
    return RiskAssessment(
        outcome=verdict.outcome,
        assessed_at=now,
        assessment_id=assessment_id,
        regards=received.message_id,
        item_id=about.item_id if isinstance(about, ItemDeclaration) else None,
        order_id=about.order_id if isinstance(about, Order) else None,
        lrn=about.lrn if isinstance(about, GoodsDeclaration) else None,
        mrn=_mrn(about),
        version=version,
        level=verdict.level,
        score=verdict.score,
        results=verdict.results,
        indicators=verdict.indicators,
        profile_version=profile_version,
        reason=verdict.reason,
    )


def _mrn(message: Message) -> str | None:
    mrn = message.mrn if isinstance(message, ItemDeclaration | GoodsDeclaration) else None
    return mrn[:35] if mrn else None


def write_indicator(
    rule: Rule, received: Received, features: Features, *, issuer: str, now: datetime
) -> RiskIndicator | None:
    """The indicator that a rule with ``share`` makes of its cause; the same id for one cause.

    ``None`` when the message has nothing that the indicator could be about.
    """
    sharing = rule.sharing
    assert sharing is not None
    subjects = _subjects(rule, features)
    if not subjects:
        return None
    cause = hashlib.sha256(
        f"{received.provenance.party}\0{received.kind}\0{received.key}".encode()
    ).hexdigest()[:16]
    item_ids = features.item_ids[:1]
    return RiskIndicator(
        issuer=issuer,
        indicator_id=f"{rule.id}-{cause}",
        kind=sharing.kind,
        area=rule.area,
        level=rule.level,
        statement=sharing.statement or rule.text,
        version=1,
        function="original",
        subjects=subjects,
        valid_from=now,
        valid_to=now + timedelta(days=sharing.valid_days),
        handling=sharing.handling,
        caused_by_message=received.message_id,
        caused_by_item=item_ids[0] if item_ids else None,
    )


def _subjects(rule: Rule, features: Features) -> tuple[RiskSubject, ...]:
    sharing = rule.sharing
    assert sharing is not None
    if sharing.kind == "commodity":
        prefixes = tuple(dict.fromkeys(goods.hs[:6] for goods in features.goods if goods.hs))
        return (RiskSubject(hs_prefixes=prefixes[:99]),) if prefixes else ()
    return tuple(
        RiskSubject(names=person.names, references=person.references, role=sharing.about)
        for person in features.persons
        if person.role in SIDES[sharing.about] and (person.names or person.references)
    )[:99]
