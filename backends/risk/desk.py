"""The risk desk: assesses each message version once, and again when what is known changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from backends.risk import cabinet
from backends.risk.assessment import (
    WITHDRAWN,
    Places,
    Verdict,
    find_hits,
    find_rules,
    is_withdrawn,
    judge,
)
from backends.risk.cabinet import Assessed
from backends.risk.features import Features, features_of
from backends.risk.matching import anchors_of, lookups_of, terms_of
from backends.risk.profile import Profile, Rule, read_profile
from backends.risk.writing import write_assessment, write_indicator
from backends.service.books import Books
from backends.service.configuration import Settings
from backends.service.desk import Desk, Disposition, Received, assessment_id
from backends.service.subject import key_of
from translators.canonical import RiskIndicator, kind_of

NAME = "risk"


class RiskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[risk]``."""

    profile: str
    """The rules (TOML)."""
    administration: Annotated[str, Meta(min_length=1, max_length=50)]
    """Issuer of our own indicators."""
    reassess_days: Annotated[int, Meta(ge=1)] = 120
    """How long after its acceptance a message is assessed again when something changes."""
    batch: Annotated[int, Meta(ge=1, le=10_000)] = 200
    """Messages that are assessed again in one transaction."""


class RiskDesk:
    """See :class:`backends.service.desk.Desk`."""

    name = NAME
    tables = cabinet.TABLES

    def __init__(self, settings: RiskSettings, profile: Profile) -> None:
        self._settings = settings
        self._profile = profile

    def receive(self, books: Books, received: Received) -> Disposition:
        """Assess items, orders and declarations; keep indicators; record the rest."""
        if isinstance(received.message, RiskIndicator):
            return self._keep(books, received.message)
        features = features_of(received.message)
        if features is None:
            return Disposition.RECORDED
        withdrawn = is_withdrawn(received.message)
        terms = terms_of(features, self._profile.ignored_words)
        cabinet.make_current(books.connection, received, () if withdrawn else terms)
        verdict = WITHDRAWN
        rules: list[tuple[Rule, Places]] = []
        if not withdrawn:
            verdict, rules = self._judge(books, received, features, terms)
        self._conclude(books, received, Assessed(version=1, verdict=verdict))
        self._share(books, received, features, rules)
        return Disposition.APPLIED

    def work(self, books: Books) -> bool:
        """Assess again what indicators that came, went, began or ended may change."""
        now, connection, batch = books.now, books.connection, self._settings.batch
        due = cabinet.due_indicators(connection, now, batch)
        for reference, indicator in due:
            cabinet.queue_matching(connection, reference)
            cabinet.set_change(connection, reference, _next_change(indicator, now))
        queued = cabinet.take_queued(connection, batch)
        for message_id in queued:
            self._reassess(books, message_id)
        oldest = now - timedelta(days=self._settings.reassess_days)
        forgotten = cabinet.forget_old(connection, oldest, batch)
        return max(len(due), len(queued), forgotten) == batch

    def _keep(self, books: Books, indicator: RiskIndicator) -> Disposition:
        """Keep an indicator and have looked at what its old and its new version find."""
        if indicator.issuer == self._settings.administration:
            return Disposition.RECORDED  # our own, come back: what caused it is known already
        reference = key_of(indicator, "")
        known = cabinet.find_indicator(books.connection, reference)
        if known is not None and _is_older(indicator, known):
            return Disposition.STALE
        cabinet.queue_matching(books.connection, reference)
        anchors: set[str] = set()
        if indicator.function != "withdrawal":
            for subject in indicator.subjects:
                anchors |= anchors_of(subject, self._profile.ignored_words)
        changes_at = _next_change(indicator, books.now)
        cabinet.keep_indicator(books.connection, reference, indicator, anchors, changes_at)
        cabinet.queue_matching(books.connection, reference)
        return Disposition.APPLIED

    def _judge(
        self, books: Books, received: Received, features: Features, terms: frozenset[str]
    ) -> tuple[Verdict, list[tuple[Rule, Places]]]:
        hits = find_hits(
            cabinet.find_candidates(books.connection, lookups_of(terms)),
            features,
            now=books.now,
            ignored=self._profile.ignored_words,
        )
        rules = find_rules(self._profile, received.message, features)
        return judge(self._profile, rules, hits), rules

    def _reassess(self, books: Books, message_id: str) -> None:
        message = books.message(message_id)
        before = cabinet.find_assessed(books.connection, message_id)
        assert message is not None
        assert before is not None
        features = features_of(message)
        provenance = message.provenance
        assert features is not None
        assert provenance is not None
        received = Received(
            message=message,
            kind=kind_of(message),
            key=key_of(message, message_id),
            provenance=provenance,
            received_at=books.now,
        )
        terms = terms_of(features, self._profile.ignored_words)
        verdict, rules = self._judge(books, received, features, terms)
        if verdict == before.verdict:
            return
        self._conclude(books, received, Assessed(version=before.version + 1, verdict=verdict))
        self._share(books, received, features, rules)

    def _conclude(self, books: Books, received: Received, assessed: Assessed) -> None:
        cabinet.keep_assessed(books.connection, received, assessed)
        identifier = assessment_id(NAME, received.message_id, assessed.version)
        books.answer(
            write_assessment(
                assessed.verdict,
                received,
                assessment_id=identifier,
                version=assessed.version,
                profile_version=self._profile.version,
                now=books.now,
            ),
            interchange_id=identifier,
            key=f"{received.provenance.party}/{received.kind}/{received.key}",
            regards=received.message_id,
        )

    def _share(
        self,
        books: Books,
        received: Received,
        features: Features,
        rules: list[tuple[Rule, Places]],
    ) -> None:
        """Tell others, once for each rule and cause: the outbox takes an id once."""
        for rule, _ in rules:
            if rule.sharing is None:
                continue
            indicator = write_indicator(
                rule,
                received,
                features,
                issuer=self._settings.administration,
                now=books.now,
            )
            if indicator is not None:
                books.answer(
                    indicator,
                    interchange_id=f"{NAME}-indicator.{indicator.indicator_id}",
                    key=f"indicator/{indicator.indicator_id}",
                    regards=received.message_id,
                )


def _is_older(new: RiskIndicator, known: RiskIndicator) -> bool:
    return new.version is not None and known.version is not None and new.version < known.version


def _next_change(indicator: RiskIndicator, now: datetime) -> datetime | None:
    """When the indicator begins or stops to count, whichever is next; ``valid_to`` is included."""
    moments = [indicator.valid_from] if indicator.valid_from else []
    moments += [indicator.valid_to + timedelta(microseconds=1)] if indicator.valid_to else []
    return min((moment for moment in moments if moment > now), default=None)


def build(settings: Settings, own: RiskSettings) -> Desk:
    """The desk of a configuration; raises ``ConfigurationError`` for rules that are wrong."""
    return RiskDesk(own, read_profile(settings.path(own.profile)))
