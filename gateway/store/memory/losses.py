"""Which values are lost how often, counted over all reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gateway.core.identifiers import first_record
from gateway.core.records import Acceptance, Attempt, MessageReport, Result
from gateway.core.reports import DELIVERED, RECEIVED, Loss, Report, tally
from gateway.store.memory.queue import Place
from translators.translator import FormatId


def losses(
    interchanges: Mapping[int, Acceptance],
    reports: Mapping[int, Sequence[MessageReport]],
    attempts: Iterable[tuple[Place, Attempt]],
    *,
    since: datetime | None,
) -> tuple[Loss, ...]:
    """See ``Journal.losses``."""
    first = first_record(since)
    delivered = [
        (attempt.destination, attempt.report, 1)
        for place, attempt in attempts
        if place[0] >= first and attempt.result is Result.DELIVERED and attempt.report is not None
    ]
    received: list[tuple[str, Report, int]] = [
        (interchanges[record].party, one.report, 1)
        for record, told in reports.items()
        for one in told
        if record >= first and record in interchanges
    ]
    judged: Counter[tuple[str, FormatId]] = Counter()
    for record, kept in interchanges.items():
        if record >= first:
            judged[kept.party, kept.format] += kept.accepted + kept.refused
    return (*tally(RECEIVED, received, judged), *tally(DELIVERED, delivered))
