"""The counts of data quality in memory, summed up when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gateway.core.quality import FoundCount, JudgedCount, Quality
from gateway.store.tally import Tally
from trust.identity import PartyId


def read(
    tallies: Sequence[Tally], party: PartyId | None, since: date, until: date, *, daily: bool
) -> Quality:
    """The counts of a period, both days included, by day or summed."""
    chosen = Tally()
    for tally in tallies:
        for (who, day, kind), counts in tally.judged.items():
            if party in (None, who) and since <= day <= until:
                chosen.count_judged((who, day if daily else since, kind), *counts)
        for (who, day, kind, code), counts in tally.found.items():
            if party in (None, who) and since <= day <= until:
                chosen.count_found((who, day if daily else since, kind, code), *counts)
    return Quality(
        judged=tuple(
            JudgedCount(
                party=who,
                day=day if daily else None,
                kind=kind,
                messages=messages,
                refused=refused,
            )
            for (who, day, kind), (messages, refused) in sorted(chosen.judged.items())
        ),
        found=tuple(
            FoundCount(
                party=who,
                day=day if daily else None,
                kind=kind,
                code=code,
                messages=messages,
                findings=findings,
            )
            for (who, day, kind, code), (messages, findings) in sorted(chosen.found.items())
        ),
    )
