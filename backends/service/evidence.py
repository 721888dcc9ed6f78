"""What the gateway's reply to an answer proves."""

from __future__ import annotations

import hashlib

import grpc
from google.protobuf.message import DecodeError

from backends.service.credentials import Credentials
from backends.service.outbox import Waiting
from backends.service.problems import PROBLEM_METADATA
from translators.wire.exchange.v1 import exchange_pb2
from trust import receipt
from trust.errors import TrustError

PERMANENT = frozenset(
    {
        "interchange.conflict",
        "interchange.control-reference",
        "interchange.id-invalid",
        "interchange.refused",
        "interchange.too-old",
        "body.oversize",
        "format.unknown",
        "request.invalid",
    }
)
"""Problems that the same bytes will always meet; everything else is tried again."""


def judge_reply(waiting: Waiting, reply: exchange_pb2.SubmitReply, credentials: Credentials) -> str:
    """Empty when the gateway has the answer for certain, otherwise the code of what is wrong.

    For certain: one of the gateway's registered keys signed a receipt for these bytes under this
    id from us, and it says accepted.
    """
    if reply.HasField("problem"):
        return reply.problem.code or "internal"
    try:
        claims = receipt.verify(reply.receipt, credentials.gateway_keys())
    except TrustError as error:
        return error.code
    expected = (
        credentials.gateway,
        credentials.party,
        waiting.interchange_id,
        hashlib.sha256(waiting.content).hexdigest(),
    )
    if (claims.gateway, claims.party, claims.interchange_id, claims.digest) != expected:
        return "receipt.invalid"
    return "" if claims.status == "accepted" else "interchange.refused"


def fault_codes(reply: exchange_pb2.SubmitReply) -> str:
    """The codes of all faults, for the ledger."""
    codes = {fault.code for outcome in reply.outcomes for fault in outcome.faults}
    return ",".join(sorted(codes))[:500]


def problem_of(error: grpc.aio.AioRpcError) -> exchange_pb2.Problem | None:
    """The problem that ended a call; ``None`` when the gateway could not be asked at all."""
    for key, value in error.trailing_metadata() or ():
        if key == PROBLEM_METADATA and isinstance(value, bytes):
            try:
                return exchange_pb2.Problem.FromString(value)
            except DecodeError:
                return None
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:  # its transport's bound, not its word
        return exchange_pb2.Problem(code="body.oversize")
    return None
