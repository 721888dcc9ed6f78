"""What a group of acceptances meets in a store: repeats, conflicts, references used before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from gateway.core.errors import Refused
from gateway.core.records import Acceptance, State, Stored
from gateway.store.prepared import Key, Prepared

Answer = Stored | Refused


def judged(
    group: Sequence[Prepared],
    seen: Mapping[Key, tuple[bytes, int]],
    found: Callable[[int], Stored],
) -> Iterator[Answer | None]:
    """For each of the group: ``None`` when it is new, otherwise its answer.

    ``seen`` has digest and record of those keys of the group that were used before; ``found``
    gives an interchange from before by its record, with ``repeated`` set.
    """
    known = dict(seen)
    here: dict[int, Acceptance] = {}
    for prepared in group:
        acceptance = prepared.acceptance
        own, *references = prepared.keys
        if own in known:
            digest, record = known[own]
            if digest != prepared.digest:
                yield Refused("interchange.conflict", "the id was accepted with other content")
            elif record in here:
                yield Stored.of(here[record], repeated=True)
            else:
                yield found(record)
        elif any(reference in known for reference in references):
            yield Refused(
                "interchange.control-reference", "an earlier interchange has the same reference"
            )
        else:
            if acceptance.state is State.ACCEPTED:
                here[acceptance.record] = acceptance
                for key in prepared.keys:
                    known[key] = (prepared.digest, acceptance.record)
            yield None
