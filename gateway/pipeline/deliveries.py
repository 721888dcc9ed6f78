"""Acts on many deliveries, step by step; commands and controls share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from gateway.core.deliveries import OPEN, Act, Chosen, Deed, Deliveries, LeftOut, Why
from gateway.core.ports import Clock
from gateway.core.records import LegState

EXAMPLES = 20
"""Deliveries that were left as they are of which the ids are told."""
PAGE = 1_000
COUNTED = 1_000_000
"""Deliveries that are counted; where there are more, it is said."""

_USUAL: Mapping[Act, frozenset[LegState]] = {
    Act.RETRY: frozenset({LegState.BURIED, LegState.RETRYING}),
    Act.BURY: frozenset({LegState.WAITING, LegState.RETRYING}),
    Act.SKIP: frozenset({LegState.BURIED}),
}
"""Of many deliveries an act means those in these states, unless it is said otherwise."""


class CountedBy(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries of a destination stand so, with that code of their last attempt."""

    destination: str
    state: LegState
    code: str
    count: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries were found; ``complete`` is false when there are more."""

    total: int
    complete: bool
    by: tuple[CountedBy, ...]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What an act came to. ``next``: the cursor to go on with, ``None`` when it is through.

    ``examples`` are the first of those that were left as they are.
    """

    done: int = 0
    left_out: dict[Why, int] = {}
    examples: tuple[LeftOut, ...] = ()
    next: str | None = None


def meant(chosen: Chosen, act: Act) -> Chosen:
    """What an act means when no states were named: one message in any, of many the usual ones."""
    if chosen.states != OPEN or chosen.message is not None:
        return chosen
    return msgspec.structs.replace(chosen, states=_USUAL[act])


async def count(deliveries: Deliveries, chosen: Chosen, *, most: int = COUNTED) -> Counts:
    """How many deliveries are chosen, by destination, state and code; looks at each of them."""
    found: Counter[tuple[str, LegState, str]] = Counter()
    after: str | None = None
    while True:
        page = await deliveries.page(chosen, after=after, limit=PAGE)
        found.update((leg.destination, leg.state, leg.code) for leg in page.legs)
        after = page.next
        if after is None or found.total() >= most:
            break
    return Counts(
        total=found.total(),
        complete=after is None,
        by=tuple(
            CountedBy(destination=destination, state=state, code=code, count=number)
            for (destination, state, code), number in sorted(found.items())
        ),
    )


async def carry_out(
    deliveries: Deliveries,
    chosen: Chosen,
    deed: Deed,
    *,
    clock: Clock,
    after: str | None = None,
    steps: int | None = None,
    progress: Callable[[Summary], None] | None = None,
) -> Summary:
    """Do it to all that is chosen, a bounded transaction at a time, ``steps`` of them at most.

    What was done stays done when a later step fails. ``progress`` is told after each step.
    """
    summary = Summary(next=after)
    taken = 0
    while steps is None or taken < steps:
        acted = await deliveries.act(chosen, deed, now=clock(), after=summary.next)
        taken += 1
        why = Counter(summary.left_out) + Counter(left.why for left in acted.left_out)
        summary = Summary(
            done=summary.done + len(acted.done),
            left_out=dict(sorted(why.items())),
            examples=(summary.examples + acted.left_out)[:EXAMPLES],
            next=acted.next,
        )
        if progress is not None:
            progress(summary)
        if acted.next is None:
            break
    return summary
