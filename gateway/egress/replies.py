"""What a gRPC receiver says, in the words that HTTPS receivers use too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import grpc
from google.protobuf.message import DecodeError
from grpc import aio

from gateway.core.errors import ProblemKind, Refused, Unavailable
from gateway.egress.verdict import Answer, verdict
from translators.faults import Fault, Severity
from translators.wire.exchange.v1 import exchange_pb2 as wire

PROBLEM_KEY = "luxor-problem-bin"
RETRY_KEY = "retry-after"
LONGEST_RETRY_S = 3_600.0
_REFUSED = 422
_LATER = 503

# HTTP statuses of a gRPC status that came without a problem, so from the transport or from a
# server that is not a gateway.
_STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNKNOWN: 500,
}


def judge_reply(
    reply: wire.SubmitReply, kinds: Mapping[str, ProblemKind]
) -> Refused | Unavailable | None:
    """The exception that a reply asks for; ``None`` when the submission was accepted."""
    if reply.status == wire.STATUS_ACCEPTED:
        return None
    if reply.HasField("problem"):
        return _of_problem(reply.problem, kinds, status=_REFUSED, retry_after=None)
    faults = (fault for outcome in reply.outcomes for fault in outcome.faults)
    answer = Answer(code="interchange.refused", faults=tuple(_faults(faults)))
    return verdict(_REFUSED, answer, retry_after=None)


def judge_error(error: aio.AioRpcError, kinds: Mapping[str, ProblemKind]) -> Refused | Unavailable:
    """The exception for a call that ended with a status."""
    metadata = dict(error.trailing_metadata() or ())
    retry_after = retry_after_of(metadata)
    status = _STATUSES.get(error.code(), _LATER)
    packed = metadata.get(PROBLEM_KEY)
    problem = _unpacked(packed) if isinstance(packed, bytes) else None
    if problem is not None:
        return _of_problem(problem, kinds, status=status, retry_after=retry_after)
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in str(
        error.details()
    ):
        return Refused("body.oversize", "the receiver takes no message of this size")
    if status == _LATER:
        return Unavailable(f"grpc {error.code().name}", retry_after=retry_after)
    return verdict(status, Answer(), retry_after=retry_after)


def retry_after_of(metadata: Mapping[str, str | bytes]) -> float | None:
    """In how many seconds a call may be made again, if its trailing metadata say so."""
    return _seconds(metadata.get(RETRY_KEY))


def _unpacked(packed: bytes) -> wire.Problem | None:
    """The problem in a call's metadata; what is none of ours is not there."""
    try:
        return wire.Problem.FromString(packed)
    except DecodeError:
        return None


def _of_problem(
    problem: wire.Problem,
    kinds: Mapping[str, ProblemKind],
    *,
    status: int,
    retry_after: float | None,
) -> Refused | Unavailable:
    kind = kinds.get(problem.code)
    answer = Answer(
        code=problem.code,
        title=problem.title,
        detail=problem.detail,
        faults=tuple(_faults(problem.faults)),
    )
    return verdict(status if kind is None else kind.http, answer, retry_after=retry_after)


def _faults(faults: Iterable[wire.Fault]) -> Iterable[Fault]:
    for fault in faults:
        yield Fault(
            code=fault.code,
            path=fault.path,
            detail=fault.detail,
            severity=(
                Severity.WARNING if fault.severity == wire.SEVERITY_WARNING else Severity.ERROR
            ),
            source_path=fault.source_path if fault.HasField("source_path") else None,
            line=fault.line if fault.HasField("line") else None,
        )


def _seconds(text: str | bytes | None) -> float | None:
    """Whole seconds as our gateways write them; anything else is not there."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit():
        return None
    return min(float(text[:9]), LONGEST_RETRY_S)
