"""Answers to OCSP questions, kept for a short while: most questions are asked again and again.

What is kept counts only as long as nothing was issued or revoked, so that a revocation is told
from the next question on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from gateway.authority.ledger import Role
from gateway.authority.office import Office
from trust.responder import Question, Refusal, Seat, Unanswered, answer, find_seat

KEPT_ANSWERS = 10_000
BACKDATED = timedelta(seconds=30)
"""An answer counts from so long ago, because the clock of who asks may be behind."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A signed answer and its times."""

    body: bytes
    this_update: datetime
    until: datetime
    kept: bool
    """Whether others may be given the same one: it has no nonce."""


class Answers:
    """Signs, keeps, and gives out.

    :meth:`prepare` may run in another thread than :meth:`give`, each in one at a time.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._seats: dict[Role, Seat] = {}
        self._kept: dict[Question, Answer] = {}
        self._revision = (0, 0)

    def prepare(self, *, now: datetime) -> tuple[Role, ...]:
        """Take a seat for each issuer whose key is here, anew before it ends; those that are new.

        Blocks for a disk write when a seat is new.
        """
        seats = dict(self._seats)
        taken: list[Role] = []
        for role in self._office.holdings.keys:
            seat = seats.get(role)
            if seat is not None and _lasts(seat, now):
                continue
            new = self._office.seat(role, now=now)
            if new is not None:
                seats[role] = new
                taken.append(role)
        if taken:
            self._seats, self._kept = seats, {}
        return tuple(taken)

    def forget(self) -> None:
        """Sit down anew at the next :meth:`prepare`: the issuers have changed."""
        self._seats = {}
        self._kept = {}

    def give(self, question: Question, *, now: datetime) -> Answer:
        """The answer; raises ``Refusal`` where none can be given."""
        revision = self._office.ledger.revision()
        if revision != self._revision:
            self._kept, self._revision = {}, revision
        lasts = timedelta(seconds=self._office.profile.validity.ocsp_seconds)
        kept = self._kept.get(question)
        if kept is not None and kept.until - now > lasts * 0.75:
            return kept
        seat = find_seat(question, self._seats.values())
        role = next(role for role, held in self._seats.items() if held is seat)
        if now >= seat.responder.not_valid_after_utc:
            raise Refusal(Unanswered.LATER)
        this_update = now.replace(microsecond=0) - BACKDATED
        until = min(now.replace(microsecond=0) + lasts, seat.responder.not_valid_after_utc)
        body = answer(
            question,
            self._office.standing(role, question.serial),
            seat=seat,
            this_update=this_update,
            until=until,
        )
        given = Answer(body=body, this_update=this_update, until=until, kept=question.nonce is None)
        if given.kept:
            if len(self._kept) >= KEPT_ANSWERS:
                self._kept.pop(next(iter(self._kept)))
            self._kept[question] = given
        return given


def _lasts(seat: Seat, now: datetime) -> bool:
    """Whether more than half of the responder's time is left."""
    start, end = seat.responder.not_valid_before_utc, seat.responder.not_valid_after_utc
    return start <= now and (end - now) / (end - start) > 0.5
