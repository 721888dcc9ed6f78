"""What every store asks of its callers; a breach is a mistake of the program: ``ValueError``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from gateway.core.records import Acceptance, MessageReport, PlannedMessage, State
from gateway.store.lanes import LANES

SUBJECT_WINDOW = timedelta(days=365)
"""A value seen again later than this after its first sight is another subject.

UPU S10: identifiers may be used again after twelve months.
"""
LEGS_PER_KEY = 16
"""Legs of one key in one lease."""
LOOK_AHEAD = 64
"""How many legs of a key are looked at for the most urgent lane among them."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_acceptance(acceptance: Acceptance) -> None:
    """Raise ``ValueError`` unless the acceptance is settled, whole and has a SHA-256 digest."""
    if acceptance.state is State.STAGED:
        raise ValueError("an interchange is committed as accepted or refused")
    if acceptance.state is State.REFUSED and acceptance.messages:
        raise ValueError("a refused interchange has no messages")
    if not _DIGEST.fullmatch(acceptance.digest):
        raise ValueError("the digest is a SHA-256 in lower-case hexadecimal")
    if acceptance.received_at.tzinfo is None:
        raise ValueError("times carry their offset")
    check_messages(acceptance.messages)
    check_reports(acceptance.reports)


def check_messages(messages: Iterable[PlannedMessage]) -> None:
    """Raise ``ValueError`` unless each has a subject, and legs in lanes to distinct places."""
    ordinals: set[int] = set()
    for message in messages:
        if message.ordinal in ordinals or not 0 < message.ordinal < 1 << 32:
            raise ValueError(f"ordinal {message.ordinal} is out of range or there twice")
        ordinals.add(message.ordinal)
        if not message.subjects:
            raise ValueError(f"message {message.ordinal} has no subject")
        if any(not 0 <= leg.lane < LANES for leg in message.legs):
            raise ValueError(f"message {message.ordinal} has a leg outside of the lanes")
        if len({leg.destination for leg in message.legs}) < len(message.legs):
            raise ValueError(f"message {message.ordinal} has two legs to one destination")


def check_reports(reports: Iterable[MessageReport]) -> None:
    """Raise ``ValueError`` unless there is at most one for each message."""
    ordinals = [report.ordinal for report in reports]
    if len(set(ordinals)) < len(ordinals):
        raise ValueError("a message has two reports")
