"""May an item go: the answer, as it is told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from gateway.core.identifiers import MessageId
from trust.identity import PartyId


class Verdict(StrEnum):
    """The answer."""

    YES = "yes"
    NO = "no"
    WAIT = "wait"


class Clearance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether an item may go, as of a time.

    ``until``: the end of waiting; ``then``: the answer at that time, if nothing more is said.
    ``ambiguous``: the identifier was used more than once, and this is about its latest use.
    """

    item: str
    answer: Verdict
    reason: str
    as_of: datetime
    until: datetime | None = None
    then: Verdict | None = None
    decided_by: PartyId | None = None
    messages: tuple[MessageId, ...] = ()
    ambiguous: bool = False


class ClearanceAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """One answer for each item, in the order of the request."""

    answers: tuple[Clearance, ...]
