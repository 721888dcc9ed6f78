"""What the demonstration counts: for each party and kind what was sent, and what came where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a party, a direction, a kind, how many there are and should be."""

    party: str
    direction: str
    kind: str
    count: int
    expected: int | None = None

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return self.expected is None or self.count >= self.expected


class Ledger:
    """Counts and surprises of one run; the screen shows it and the verdict is made from it."""

    def __init__(self) -> None:
        self._sent: Counter[tuple[str, str]] = Counter()
        self._got: Counter[tuple[str, str]] = Counter()
        self._expected: dict[tuple[str, str], int] = {}
        self._ids: dict[str, dict[tuple[str, ...], set[str]]] = defaultdict(dict)
        self.unexplained: list[str] = []
        self.steps: list[str] = []

    def step(self, text: str) -> None:
        """What is going on."""
        self.steps.append(text)

    def sent(self, party: str, kind: str, count: int) -> None:
        """A party had messages accepted."""
        self._sent[party, kind] += count

    def expect(self, party: str, kind: str, count: int) -> None:
        """A party must get so many messages of a kind, no more and no fewer."""
        self._expected[party, kind] = count

    def got(self, party: str, kind: str, count: int) -> None:
        """A party has got so many messages of a kind by now."""
        self._got[party, kind] = count

    def seen(self, party: str, source: tuple[str, ...], message_id: str) -> None:
        """A party got what its sender knows as ``source`` under a message id."""
        self._ids[party].setdefault(source, set()).add(message_id)

    def surprise(self, text: str) -> None:
        """Something happened that nothing explains."""
        if text not in self.unexplained:
            self.unexplained.append(text)

    @property
    def lost(self) -> int:
        """Messages that should have come and did not."""
        return sum(max(expected - self._got[key], 0) for key, expected in self._expected.items())

    @property
    def doubled(self) -> int:
        """Messages that came under two ids, or more often than they were sent."""
        ids = sum(len(found) - 1 for sources in self._ids.values() for found in sources.values())
        return ids + sum(
            max(self._got[key] - expected, 0) for key, expected in self._expected.items()
        )

    def counts(self) -> tuple[Count, ...]:
        """Every row, what was sent first."""
        return (*self._rows("sent", self._sent), *self._rows("got", self._got))

    def _rows(self, direction: str, counter: Counter[tuple[str, str]]) -> Iterable[Count]:
        keys = set(counter) | (set(self._expected) if direction == "got" else set())
        for party, kind in sorted(keys):
            expected = self._expected.get((party, kind)) if direction == "got" else None
            yield Count(
                party=party,
                direction=direction,
                kind=kind,
                count=counter[party, kind],
                expected=expected,
            )

    def verdict(self) -> dict[str, object]:
        """The result as one object: counts per party and kind, and what must be zero."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for row in self.counts():
            counts.setdefault(row.party, {}).setdefault(row.direction, {})[row.kind] = row.count
        return {
            "counts": counts,
            "lost": self.lost,
            "doubled": self.doubled,
            "unexplained": len(self.unexplained),
            "surprises": self.unexplained,
        }

    @property
    def good(self) -> bool:
        """True when everything arrived once and nothing else happened."""
        return self.lost == 0 and self.doubled == 0 and not self.unexplained
