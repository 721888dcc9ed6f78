"""Our values as messages of ``exchange.v1``."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.clearance import Clearance, Verdict
from gateway.core.published import PublishedKeys
from gateway.core.records import Leg, Outcome, State, Stored, TraceEntry
from gateway.ingress.answers import outcomes_of
from gateway.ingress.problems import Problem
from gateway.pipeline.service import InboxMessage
from translators.faults import Fault, Severity
from translators.wire.exchange.v1 import exchange_pb2 as wire

PROBLEM_BYTES = 6 * 1024
"""A problem in trailing metadata: HTTP/2 peers take about 8 KB of headers."""
PAGE_BYTES = 2 * 1024 * 1024
"""Outcomes in one message: clients take 4 MiB unless they are told otherwise."""

_STATUS = {
    State.ACCEPTED: wire.STATUS_ACCEPTED,
    State.REFUSED: wire.STATUS_REFUSED,
    State.STAGED: wire.STATUS_UNSPECIFIED,
}
_SEVERITY = {
    Severity.ERROR: wire.SEVERITY_ERROR,
    Severity.WARNING: wire.SEVERITY_WARNING,
}


def fault(value: Fault) -> wire.Fault:
    """One fault."""
    return wire.Fault(
        code=value.code,
        path=value.path,
        detail=value.detail,
        severity=_SEVERITY[value.severity],
        source_path=value.source_path,
        line=value.line,
    )


def outcome(value: Outcome) -> wire.Outcome:
    """What became of one message."""
    found = wire.Outcome(
        ordinal=value.ordinal,
        kind=value.kind or "",
        key=value.key or "",
        message_id=value.message_id or "",
        status=_STATUS[value.status],
        not_carried=value.not_carried,
        defaulted=value.defaulted,
        contradicting=value.contradicting,
    )
    if value.faults:
        found.faults.extend(map(fault, value.faults))
    return found


def page(stored: Stored, *, offset: int, limit: int) -> tuple[list[wire.Outcome], str]:
    """Outcomes from ``offset``, as many as a message takes, and the token of the next page."""
    values, following = outcomes_of(stored, offset=offset, limit=limit)
    if len(stored.outcomes) <= PAGE_BYTES:  # and no larger as protobuf, which names no members
        return list(map(outcome, values)), str(following or "")
    found: list[wire.Outcome] = []
    room = PAGE_BYTES
    for value in values:
        one = outcome(value)
        room -= one.ByteSize()
        if room < 0 and found:
            return found, str(offset + len(found))
        found.append(one)
    return found, str(following or "")


def reply(stored: Stored, *, limit: int) -> wire.SubmitReply:
    """The answer to a submission, with the first page of outcomes."""
    outcomes, following = page(stored, offset=0, limit=limit)
    return wire.SubmitReply(
        interchange_id=stored.interchange_id,
        status=_STATUS[stored.state],
        receipt=stored.receipt,
        outcomes=outcomes,
        next_page_token=following,
    )


def problem(value: Problem, *, faults: Iterable[Fault] | None = None) -> wire.Problem:
    """A problem with its own faults, or with those given."""
    chosen = value.faults if faults is None else faults
    return wire.Problem(
        code=value.code, title=value.title, detail=value.detail, faults=map(fault, chosen)
    )


def bounded_problem(value: Problem, faults: Iterable[Fault]) -> bytes:
    """A problem of at most ``PROBLEM_BYTES``, with as many faults as fit, in their order."""
    message = problem(value, faults=())
    room = PROBLEM_BYTES - message.ByteSize()
    for one in map(fault, faults):
        room -= one.ByteSize() + 4  # tag and length
        if room < 0:
            break
        message.faults.append(one)
    return message.SerializeToString()


def delivery(cursor: str, message: InboxMessage) -> wire.Delivery:
    """One delivery; its id carries the cursor, so that acknowledging needs no memory."""
    return wire.Delivery(
        delivery_id=f"{cursor}:{message.message_id}",
        message_id=message.message_id,
        kind=message.kind,
        format=message.format,
        content=message.content,
        signature=message.signature,
    )


def leg(value: Leg) -> wire.Leg:
    """Where a message stands with a destination."""
    return wire.Leg(
        destination=value.destination,
        message_id=value.message_id,
        state=value.state.value,
        attempts=value.tries,
        detail=value.detail or value.code,
    )


def keys(published: PublishedKeys) -> wire.KeysReply:
    """The public halves of a gateway's keys."""
    return wire.KeysReply(
        gateway=published.gateway,
        keys=(
            wire.PublishedKey(
                kid=key.kid,
                algorithm=key.algorithm,
                use=key.use,
                public_key=key.public_key,
                certificates=key.certificates,
                not_before=None if key.not_before is None else key.not_before.isoformat(),
                not_after=None if key.not_after is None else key.not_after.isoformat(),
            )
            for key in published.keys
        ),
    )


_CLEARING = {
    Verdict.YES: wire.CLEARING_YES,
    Verdict.NO: wire.CLEARING_NO,
    Verdict.WAIT: wire.CLEARING_WAIT,
}


def clearance(answer: Clearance) -> wire.ItemClearance:
    """Whether an item may go."""
    return wire.ItemClearance(
        item=answer.item,
        answer=_CLEARING[answer.answer],
        reason=answer.reason,
        as_of=answer.as_of.isoformat(),
        until=None if answer.until is None else answer.until.isoformat(),
        then=wire.CLEARING_UNSPECIFIED if answer.then is None else _CLEARING[answer.then],
        decided_by=answer.decided_by or "",
        message_ids=answer.messages,
        ambiguous=answer.ambiguous,
    )


def events(entry: TraceEntry) -> Iterable[wire.Event]:
    """The history of one message: accepted, then each attempt of delivery."""
    message = entry.message
    yield wire.Event(
        at=message.accepted_at.isoformat(),
        name="message.accepted",
        interchange_id=message.interchange_id,
        message_id=message.message_id,
        detail=f"{message.kind} {message.function} {message.version}",
    )
    for attempt in entry.attempts:
        yield wire.Event(
            at=attempt.at.isoformat(),
            name=f"delivery.{attempt.result}",
            interchange_id=message.interchange_id,
            message_id=message.message_id,
            destination=attempt.destination,
            detail=attempt.code,
        )
