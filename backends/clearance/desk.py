"""The clearance desk: one response per state of each declared version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, toml

from backends.clearance import cases
from backends.clearance.cases import Case, Declared, subjects_of
from backends.clearance.opinions import (
    Competence,
    Opinion,
    Statement,
    find_revenue,
    situation_of,
)
from backends.clearance.table import TABLE, Row, decide
from backends.service.books import Books
from backends.service.configuration import ConfigurationError, Settings
from backends.service.desk import Desk, Disposition, Received, assessment_id
from translators.canonical import (
    CustomsResponse,
    ItemDeclaration,
    Money,
    Office,
    RevenueAssessment,
    RiskAssessment,
    TaxLine,
)
from trust.mistakes import Mistake

NAME = "clearance"
DROP_LIMIT = 500


class OfficeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[clearance.office]``: the office that decides."""

    code: Annotated[str, Meta(min_length=1, max_length=35)]
    name: Annotated[str, Meta(max_length=140)] | None = None
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")] | None = None


class ClearanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[clearance]``. Parties are ids of the network, as provenance names them."""

    office: OfficeSettings
    risk: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Whose risk assessments are waited for; all of them must clear."""
    revenue: str
    """Whose revenue assessment is waited for."""
    inspectors: tuple[str, ...] = ()
    """Whose inspection results count."""
    agencies: tuple[str, ...] = ()
    """Other border agencies: their customs responses hold and release."""
    wait_seconds: Annotated[float, Meta(gt=0)] = 60.0
    """After this long without all assessments the case is answered as pending."""
    wording: str | None = None
    """Texts of reasons (TOML) in place of our own."""
    contact: Annotated[str, Meta(min_length=1, max_length=140)] | None = None
    keep_days: Annotated[int, Meta(ge=30)] = 400
    """How long opinions are kept."""
    batch: Annotated[int, Meta(ge=1, le=10_000)] = 200


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a response says; an equal one is not said again."""

    decision: str
    reason: str
    dutiable: bool | None = None
    total: Money | None = None
    taxes: tuple[TaxLine, ...] = ()
    remarks: tuple[str, ...] = ()


class ClearanceDesk:
    """See :class:`backends.service.desk.Desk`."""

    name = NAME
    tables = cases.TABLES

    def __init__(self, settings: ClearanceSettings, wording: Mapping[str, str]) -> None:
        self._settings = settings
        self._wording = wording
        office = settings.office
        self._office = Office(code=office.code, name=office.name, country=office.country)
        self._competence = Competence(
            risk=frozenset(settings.risk),
            revenue=settings.revenue,
            inspectors=frozenset(settings.inspectors),
            agencies=frozenset(settings.agencies),
        )

    def receive(self, books: Books, received: Received) -> Disposition:
        """Open a case for what is declared; file what is said about it; in whatever order."""
        message = received.message
        if isinstance(message, Declared):
            due_at = books.now + timedelta(seconds=self._settings.wait_seconds)
            case = cases.open_case(books.connection, received, due_at)
            books.supersede(case.answer_key)
            self._answer(books, case, message)
            return Disposition.APPLIED
        if isinstance(message, Statement):
            return self._file(books, received.provenance.party, message)
        return Disposition.RECORDED

    def work(self, books: Books) -> bool:
        """Say ``pending`` where the time has passed; drop opinions that are too old."""
        due = cases.due_cases(books.connection, books.now, self._settings.batch)
        for case in due:
            self._look(books, case)
            cases.set_passed(books.connection, case.message_id)
        oldest = books.now - timedelta(days=self._settings.keep_days)
        dropped = cases.drop_opinions(books.connection, oldest, DROP_LIMIT)
        return len(due) == self._settings.batch or dropped == DROP_LIMIT

    def _file(self, books: Books, party: str, statement: Statement) -> Disposition:
        if not self._competence.hears(party, statement):
            return Disposition.RECORDED
        subjects = _subjects(books, statement)
        if not subjects:
            return Disposition.RECORDED
        if not cases.file_opinion(books.connection, subjects, party, statement):
            return Disposition.STALE
        for case in cases.current_cases(books.connection, subjects):
            self._look(books, case)
        return Disposition.APPLIED

    def _look(self, books: Books, case: Case) -> None:
        declared = books.message(case.message_id)
        assert isinstance(declared, Declared)
        self._answer(books, case, declared)

    def _answer(self, books: Books, case: Case, declared: Declared) -> None:
        """Decide, and respond if that says something else than before."""
        opinions = cases.opinions_about(books.connection, case)
        row = decide(
            situation_of(
                opinions,
                self._competence,
                withdrawn=declared.function in ("withdrawal", "cancellation"),
                overdue=case.due_at is None or books.now >= case.due_at,
            )
        )
        if row.decision is None:
            return
        said = self._say(row, row.decision, opinions)
        fingerprint = msgspec.json.encode(said)
        if fingerprint == case.said:
            return
        version = cases.note_response(books.connection, case, said.decision, fingerprint)
        identifier = assessment_id(NAME, case.message_id, version)
        books.answer(
            self._write(said, case, declared, version, identifier, books.now),
            interchange_id=identifier,
            key=case.answer_key,
            regards=case.message_id,
        )

    def _say(self, row: Row, decision: str, opinions: list[Opinion]) -> _Said:
        revenue = find_revenue(opinions, self._competence) if row.taxes else None
        if revenue is None:
            return _Said(decision=decision, reason=self._wording[row.reason])
        return _Said(
            decision=decision,
            reason=self._wording[row.reason],
            dutiable=revenue.dutiable,
            total=revenue.total,
            taxes=revenue.taxes,
            remarks=(revenue.reason,) if revenue.reason else (),
        )

    def _write(
        self,
        said: _Said,
        case: Case,
        declared: Declared,
        version: int,
        identifier: str,
        now: datetime,
    ) -> CustomsResponse:
        item = declared if isinstance(declared, ItemDeclaration) else None
        return CustomsResponse(
            decision=said.decision,
            decided_at=now,
            regards=case.message_id,
            item_id=item.item_id if item else None,
            function="original" if version == 1 else "replacement",
            customs_reference=item.customs_reference if item else None,
            lrn=declared.lrn,
            mrn=declared.mrn[:35] if declared.mrn else None,
            response_id=identifier,
            version=version,
            decision_reason=said.reason,
            dutiable=said.dutiable,
            office=self._office,
            total_fee=said.total,
            taxes=said.taxes,
            destination_country=declared.destination_country,
            remarks=said.remarks,
            contact=self._settings.contact,
        )


def _subjects(books: Books, statement: Statement) -> tuple[str, ...]:
    """What a statement is filed under.

    Assessments are about one version. A control or another agency's word is about the goods: it
    is filed under their ids too, so that it outlives the version that it names.
    """
    if isinstance(statement, RiskAssessment | RevenueAssessment):
        return subjects_of(statement.regards, None, None)
    named = cases.find_case(books.connection, statement.regards) if statement.regards else None
    item = statement.item_id or (named.item if named else None)
    mrn = statement.mrn or (named.mrn if named else None)
    return subjects_of(statement.regards, item, mrn)


class _Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reasons: dict[str, Annotated[str, Meta(min_length=1, max_length=512)]]


def read_wording(path: Path | None) -> Mapping[str, str]:
    """Our own texts, or those of a file that has them all."""
    ours = resources.files("backends.clearance").joinpath("wording.toml")
    source = str(path or "wording.toml")
    try:
        content = path.read_bytes() if path else ours.read_bytes()
        reasons = toml.decode(content, type=_Wording).reasons
    except OSError as error:
        raise ConfigurationError(source, [Mistake("", error.strerror or str(error))]) from error
    except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
        raise ConfigurationError(source, [Mistake("reasons", str(error))]) from error
    wanted = {row.reason for row in TABLE if row.decision is not None}
    mistakes = [Mistake(f"reasons.{name}", "missing") for name in sorted(wanted - reasons.keys())]
    mistakes += [Mistake(f"reasons.{name}", "unknown") for name in sorted(reasons.keys() - wanted)]
    if mistakes:
        raise ConfigurationError(source, mistakes)
    return reasons


def build(settings: Settings, own: ClearanceSettings) -> Desk:
    """The desk of a configuration; raises ``ConfigurationError`` for wrong texts."""
    return ClearanceDesk(own, read_wording(settings.path(own.wording) if own.wording else None))


__all__ = ["NAME", "ClearanceDesk", "ClearanceSettings", "build", "read_wording"]
