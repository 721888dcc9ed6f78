"""What was promised and what arrived: the judgement of a run, without any I/O.

*Lost*: receipted and never taken by a destination. *Doubled*: one message of one interchange taken
under two message ids. *Disordered*: first taken after a later version of its key. *Redelivered*:
taken again under the same message id, which a receiver drops. *Overlapping*: one message id under
way twice at the same time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

Sent = tuple[str, str]
"""Interchange id and item: one message of the load."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a receiver's book, in the order in which it was written.

    ``at`` is nanoseconds of the machine's monotonic clock. A message is *begun* when its request
    was read, *taken* when it is the receiver's, and *ended* when its answer was given or refused.
    """

    at: int
    what: str
    destination: str
    message_id: str
    interchange_id: str = ""
    item: str = ""
    process: str = ""
    """Which life of the receiver wrote it: what was begun in an earlier one has ended."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to. Everything but ``messages`` and ``redelivered`` must be zero."""

    messages: int
    lost: int
    doubled: int
    disordered: int
    overlapping: int
    strange: int
    """Taken, and never sent."""
    redelivered: int

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return not (
            self.lost or self.doubled or self.disordered or self.overlapping or self.strange
        )

    def __add__(self, other: Verdict) -> Verdict:
        """Both runs together."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        return Verdict(**{name: mine[name] + theirs[name] for name in mine})


NOTHING = Verdict(
    messages=0, lost=0, doubled=0, disordered=0, overlapping=0, strange=0, redelivered=0
)


def judge(
    receipted: Mapping[Sent, int], events: Iterable[Event], *, destinations: Iterable[str]
) -> Verdict:
    """``receipted`` gives each message's place among those of its item, from 1 upwards."""
    book = list(events)
    taken = [event for event in book if event.what == "taken"]
    ids: defaultdict[tuple[str, Sent], set[str]] = defaultdict(set)
    latest: defaultdict[tuple[str, str], int] = defaultdict(int)
    seen: set[tuple[str, str]] = set()
    disordered = 0
    for event in taken:
        sent = (event.interchange_id, event.item)
        ids[event.destination, sent].add(event.message_id)
        if (event.destination, event.message_id) in seen:
            continue
        seen.add((event.destination, event.message_id))
        key, place = (event.destination, event.item), receipted.get(sent, 0)
        disordered += place < latest[key]
        latest[key] = max(latest[key], place)
    return Verdict(
        messages=len(receipted),
        lost=sum((name, sent) not in ids for sent in receipted for name in destinations),
        doubled=sum(len(found) > 1 for found in ids.values()),
        disordered=disordered,
        overlapping=_overlapping(book),
        strange=sum(sent not in receipted for _, sent in ids),
        redelivered=len(taken) - len(seen),
    )


def _overlapping(events: Iterable[Event]) -> int:
    """How often a message was begun while it was under way already."""
    open_now: Counter[tuple[str, str, str]] = Counter()
    found = 0
    for event in events:
        key = (event.process, event.destination, event.message_id)
        if event.what == "begun":
            found += open_now[key] > 0
            open_now[key] += 1
        elif event.what == "ended":
            open_now[key] -= 1
    return found
