"""What becomes of each message of a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from backends.service.subject import key_of
from translators.canonical import kind_of
from translators.faults import Fault
from translators.translator import Entry


class Status(StrEnum):
    """What became of a message or of a delivery as a whole."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of one message. The JSON list of these is what the receipt's digest covers."""

    ordinal: int
    status: Status
    kind: str | None = None
    key: str | None = None
    message_id: str | None = None
    faults: tuple[Fault, ...] = ()


def judge_entries(entries: Sequence[Entry], faults: Iterable[Fault]) -> Iterator[Outcome]:
    """What becomes of each entry; an error among the faults of the whole refuses all of them."""
    whole = tuple(fault for fault in faults if fault.refuses)
    for entry in entries:
        found = (*entry.faults, *whole)
        if entry.message is not None and entry.message.provenance is None:
            found = (*found, _NO_PROVENANCE)
        refused = entry.message is None or any(fault.refuses for fault in found)
        origin = entry.message.provenance if entry.message else None
        yield Outcome(
            ordinal=entry.ordinal,
            status=Status.REFUSED if refused else Status.ACCEPTED,
            kind=kind_of(entry.message) if entry.message else None,
            key=entry.key or (key_of(entry.message, "") if entry.message else "") or None,
            message_id=origin.message_id if origin and not refused else None,
            faults=found,
        )
    if not entries:
        yield Outcome(ordinal=1, status=Status.REFUSED, faults=whole or (_EMPTY,))


_NO_PROVENANCE = Fault(
    code="value.missing",
    path="/provenance",
    detail="the delivering gateway says whose message this is, and which",
)
_EMPTY = Fault(code="interchange.empty", detail="the interchange holds no message")
