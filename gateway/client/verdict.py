"""From an HTTP answer to what it means: taken, never, or perhaps later."""

from __future__ import annotations

import msgspec

from gateway.client.errors import ProblemError
from gateway.core.errors import Unavailable
from translators.faults import Fault

LATER_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""RFC 9110 and RFC 6585: the same request may be answered otherwise at another time."""
LATER_CODES = frozenset(
    {
        "body.incomplete",
        "body.slow",
        "concurrency.exceeded",
        "connections.exceeded",
        "internal",
        "overload",
        "rate.exceeded",
    }
)
"""Codes of ``problems.toml`` whose meaning is to send it again."""
JUDGED = 422
"""With a body that is no problem document, this status is an answer with its receipt."""
PROBLEM = "application/problem+json"


class Retold(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer as it came."""

    status: int
    media_type: str
    retry_after: str | None
    body: bytes


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document (RFC 9457) as far as it is used; all of it may be absent."""

    title: str = ""
    code: str = ""
    detail: str = ""
    faults: tuple[Fault, ...] = ()


def failure_of(told: Retold) -> Exception | None:
    """The exception that an answer means; ``None`` for one that is a result."""
    if 200 <= told.status < 300 or (told.status == JUDGED and told.media_type != PROBLEM):
        return None
    problem = _problem(told)
    if told.status in LATER_STATUSES or problem.code in LATER_CODES:
        reason = problem.detail or problem.title or f"HTTP status {told.status}"
        code = f"{problem.code}: " if problem.code else ""
        return Unavailable(f"{code}{reason}", retry_after=_seconds(told.retry_after), reached=True)
    return ProblemError(
        status=told.status,
        code=problem.code or f"http.{told.status}",
        title=problem.title or f"HTTP status {told.status}",
        detail=problem.detail,
        faults=problem.faults,
    )


def _problem(told: Retold) -> Problem:
    if told.media_type != PROBLEM:
        return Problem()
    try:
        return msgspec.json.decode(told.body, type=Problem)
    except ValueError:  # what msgspec raises, and bytes that are no UTF-8
        return Problem()


def _seconds(text: str | None) -> float | None:
    """RFC 9110, 10.2.3; dates are left to those who like them."""
    return float(text[:9]) if text is not None and text.isascii() and text.isdigit() else None
