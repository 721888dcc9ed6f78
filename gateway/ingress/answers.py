"""The answer to an interchange, the same over HTTPS and beside a file in a folder."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.records import Outcome, State, Stored
from translators.translator import FormatId

FIRST_PAGE = 1_000
"""Outcomes in an answer; the others are fetched page by page."""

OutcomeList = Annotated[
    msgspec.Raw,
    msgspec.Meta(
        description="Outcomes in the order of the document",
        extra_json_schema={"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}},
    ),
]
"""Outcomes as they are stored: the bytes that the receipt's digest covers are not re-encoded."""

_split = msgspec.json.Decoder(list[msgspec.Raw])
_read = msgspec.json.Decoder(tuple[Outcome, ...])


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an interchange. ``next``: the offset of the next page of outcomes."""

    interchange_id: InterchangeId
    record: RecordNumber
    status: State
    format: FormatId
    accepted: int
    refused: int
    received_at: datetime
    digest: str
    """SHA-256 of the received bytes in lower-case hexadecimal."""
    receipt: str
    """Compact JWS of the gateway over id, digest, time, record number and outcomes."""
    outcomes: OutcomeList
    next: int | None = None


class OutcomePage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some of the outcomes of an interchange. ``next``: the offset of the page after this one."""

    interchange_id: InterchangeId
    accepted: int
    refused: int
    outcomes: OutcomeList
    next: int | None = None


def answer_of(stored: Stored, *, limit: int = FIRST_PAGE) -> Answer:
    """The answer with the first page of outcomes."""
    outcomes, following = _page(stored, offset=0, limit=limit)
    return Answer(
        interchange_id=stored.interchange_id,
        record=stored.record,
        status=stored.state,
        format=stored.format,
        accepted=stored.accepted,
        refused=stored.refused,
        received_at=stored.received_at,
        digest=stored.digest,
        receipt=stored.receipt,
        outcomes=outcomes,
        next=following,
    )


def page_of(stored: Stored, *, offset: int, limit: int) -> OutcomePage:
    """Outcomes ``offset`` to ``offset + limit``; an offset behind the end gives an empty page."""
    outcomes, following = _page(stored, offset=offset, limit=limit)
    return OutcomePage(
        interchange_id=stored.interchange_id,
        accepted=stored.accepted,
        refused=stored.refused,
        outcomes=outcomes,
        next=following,
    )


def outcomes_of(stored: Stored, *, offset: int, limit: int) -> tuple[tuple[Outcome, ...], int]:
    """One page of outcomes as values, and the offset of the next page (0: there is none)."""
    raw, following = _page(stored, offset=offset, limit=limit)
    return _read.decode(raw), following or 0


def _page(stored: Stored, *, offset: int, limit: int) -> tuple[msgspec.Raw, int | None]:
    # One more than the messages: an outcome of ordinal 0 tells of the interchange as a whole.
    if offset == 0 and stored.accepted + stored.refused < limit:
        return msgspec.Raw(stored.outcomes), None
    pieces = _split.decode(stored.outcomes)
    following = offset + limit if offset + limit < len(pieces) else None
    return msgspec.Raw(msgspec.json.encode(pieces[offset : offset + limit])), following
