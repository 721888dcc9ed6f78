"""What an answer other than "taken" means: never like this, or not now."""

from __future__ import annotations

import re

import msgspec

from gateway.core.errors import Refused, Unavailable
from translators.faults import Fault

MAX_DETAIL = 500
MAX_FAULTS = 1_000
# Codes of problems.toml that speak of us or of the link. Our certificate expired, say: burying
# every message for it would lose them all, so the destination counts as unreachable.
_OF_THE_LINK = (
    "certificate.",
    "party.",
    "permission.",
    "request.",
    "revocation.",
    "signature.",
    "tls.",
)
_CODE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+){0,3}")


class Outcome(msgspec.Struct, frozen=True):
    """What a receiver says of one message; the rest of its words is not needed here."""

    faults: tuple[Fault, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What a receiver may say: the answer to an interchange or a problem document (RFC 9457)."""

    receipt: str = ""
    code: str = ""
    title: str = ""
    detail: str = ""
    faults: tuple[Fault, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def all_faults(self) -> tuple[Fault, ...]:
        """Of the whole and of the message, with a bound."""
        inner = tuple(fault for outcome in self.outcomes for fault in outcome.faults)
        return (*self.faults, *inner)[:MAX_FAULTS]


_decoder = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer:
    """The answer as far as it can be understood; what is not in our words is an empty one."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()


def verdict(status: int, answer: Answer, *, retry_after: float | None) -> Refused | Unavailable:
    """The exception for an HTTP status (RFC 9110, 15) that is not a success.

    4xx means that the same content will always fail, but for those that speak of time (408, 425,
    429) and of the link (401, 403, codes of identity). 500 may be due to this very message, so it
    counts as an attempt; everything else says that the receiver is not ready.
    """
    code = answer.code if _CODE.fullmatch(answer.code) else f"http.{status}"
    if answer.receipt:  # a judged interchange, not a problem: every message of it was refused
        code = "interchange.refused"
    detail = (answer.detail or answer.title)[:MAX_DETAIL]
    if status in (401, 403) or code.startswith(_OF_THE_LINK):
        return Unavailable(f"{code}: {detail}", retry_after=retry_after)
    if 400 <= status < 500 and status not in (408, 425, 429):
        return Refused(code, detail, faults=answer.all_faults)
    return Unavailable(code, retry_after=retry_after, reached=status == 500)
