"""Messages of ``exchange.v1`` as values, and failed calls as exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import grpc
import msgspec

from gateway.client.answers import Delivery, Event
from gateway.client.errors import ProblemError
from gateway.client.verdict import LATER_CODES, LATER_STATUSES
from gateway.core.errors import ProblemKind, Unavailable, problem_kinds
from gateway.core.identifiers import MessageId
from gateway.core.published import PublishedKeys
from gateway.core.records import Leg, LegState, Outcome, State
from translators.faults import Fault, Severity
from translators.translator import FormatId
from translators.wire.exchange.v1 import exchange_pb2 as wire

PROBLEM_KEY = "luxor-problem-bin"
RETRY_KEY = "retry-after"
_LATER = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
_TOO_LARGE = "larger than max"  # how gRPC's core words it, in both directions
_SEVERITIES = {wire.SEVERITY_WARNING: Severity.WARNING}
_STATES = {wire.STATUS_ACCEPTED: State.ACCEPTED}


@cache
def _kinds() -> dict[str, ProblemKind]:
    return problem_kinds()


def fault(value: wire.Fault) -> Fault:
    """One fault."""
    return Fault(
        code=value.code,
        path=value.path,
        detail=value.detail,
        severity=_SEVERITIES.get(value.severity, Severity.ERROR),
        source_path=value.source_path if value.HasField("source_path") else None,
        line=value.line if value.HasField("line") else None,
    )


def outcomes(values: Iterable[wire.Outcome]) -> tuple[Outcome, ...]:
    """What became of messages."""
    return tuple(
        Outcome(
            ordinal=value.ordinal,
            status=_STATES.get(value.status, State.REFUSED),
            kind=value.kind or None,
            key=value.key or None,
            message_id=MessageId(value.message_id) if value.message_id else None,
            faults=tuple(map(fault, value.faults)),
            not_carried=value.not_carried,
            defaulted=value.defaulted,
            contradicting=value.contradicting,
        )
        for value in values
    )


def delivery(value: wire.Delivery) -> Delivery:
    """One message of a subscription."""
    return Delivery(
        delivery_id=value.delivery_id,
        message_id=MessageId(value.message_id),
        kind=value.kind,
        format=FormatId(value.format),
        content=value.content,
        signature=value.signature,
    )


def legs(values: Iterable[wire.Leg]) -> tuple[Leg, ...]:
    """Where messages stand; a state that is not known here counts as waiting."""
    known = {state.value for state in LegState}
    return tuple(
        Leg(
            message_id=MessageId(value.message_id),
            destination=value.destination,
            state=LegState(value.state) if value.state in known else LegState.WAITING,
            tries=value.attempts,
            detail=value.detail,
        )
        for value in values
    )


def events(values: Iterable[wire.Event]) -> tuple[Event, ...]:
    """What happened, in order."""
    return tuple(
        Event(
            at=value.at,
            name=value.name,
            interchange_id=value.interchange_id,
            message_id=value.message_id,
            destination=value.destination,
            detail=value.detail,
        )
        for value in values
    )


def published(value: wire.KeysReply) -> PublishedKeys:
    """The public halves of a gateway's keys; raises ``Unavailable`` for what is not understood."""
    rows = [
        {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "use": key.use,
            "public_key": key.public_key,
            "certificates": list(key.certificates),
            "not_before": key.not_before or None,
            "not_after": key.not_after or None,
        }
        for key in value.keys
    ]
    try:
        return msgspec.convert({"gateway": value.gateway, "keys": rows}, PublishedKeys)
    except msgspec.ValidationError as error:
        raise Unavailable(f"the answer is not understood: {error}", reached=True) from error


def problem_failure(
    problem: wire.Problem, *, retry_after: float | None = None
) -> ProblemError | Unavailable:
    """The exception that a problem means."""
    kind = _kinds().get(problem.code)
    status = 0 if kind is None else kind.http
    if status in LATER_STATUSES or problem.code in LATER_CODES:
        reason = f"{problem.code}: {problem.detail or problem.title}"
        return Unavailable(reason, retry_after=retry_after, reached=True)
    return ProblemError(
        status=status,
        code=problem.code,
        title=problem.title,
        detail=problem.detail,
        faults=map(fault, problem.faults),
    )


def call_failure(error: grpc.aio.AioRpcError) -> ProblemError | Unavailable:
    """The exception that the status of a failed call means."""
    metadata = dict(error.trailing_metadata() or ())
    content = metadata.get(PROBLEM_KEY)
    if isinstance(content, bytes):
        retry = metadata.get(RETRY_KEY)
        seconds = float(retry) if isinstance(retry, str) and retry.isdigit() else None
        return problem_failure(wire.Problem.FromString(content), retry_after=seconds)
    details = error.details() or ""
    code = error.code()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in details:
        kind = _kinds()["body.oversize"]
        return ProblemError(
            status=kind.http, code="body.oversize", title=kind.title, detail=details
        )
    if code in _LATER:
        return Unavailable(f"{code.name}: {details}" if details else code.name)
    return ProblemError(status=0, code=f"grpc.{code.name}", title=details or code.name)
