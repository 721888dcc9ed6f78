"""Answers that do not come: told once by one of all processes, counted by each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from gateway.core.awaiting import AT_ONCE, Awaited, AwaitedCount
from gateway.core.bounds import Count, Seconds
from gateway.core.errors import Refused, Unavailable
from gateway.core.ports import Clock, Journal
from gateway.core.records import Escalation
from gateway.pipeline.notices import Notices
from gateway.telemetry import Telemetry

CLAIMED_SECONDS = 60.0
"""For so long nobody else tells what one process has begun to tell."""


class AnswerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[answers]``: how answers that are awaited (``[[expect]]``) are looked after."""

    look: Seconds = 5.0
    """Seconds between two looks at what is overdue, and between two counts."""
    forget_days: Count = 30
    """Days after its time was over that an answer is not awaited any more."""


class Overdue:
    """Escalates what is overdue and gives up what nobody will answer any more."""

    def __init__(
        self,
        *,
        journal: Journal,
        notices: Notices,
        settings: Callable[[], AnswerSettings],
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._notices = notices
        self._settings = settings
        self._metrics = telemetry.metrics
        self._log = telemetry.of("answers")
        self._clock = clock
        self._known: set[tuple[str, str]] = set()

    async def watch(self) -> None:
        """Look again and again, until cancelled. A store that is not there now is waited for."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                self._log.warning("answers.postponed", reason=error.reason)
            await asyncio.sleep(self._settings().look)

    async def look(self) -> None:
        """Tell everything that is overdue and was not told, give up what is too old, count."""
        while await self._escalate() == AT_ONCE:
            pass
        await self._give_up()
        self._count(await self._journal.awaiting.counts(now=self._clock()))

    async def _escalate(self) -> int:
        """Some of what is overdue; what fails on the way is told again by whoever claims it."""
        claimed = await self._journal.awaiting.claim(now=self._clock(), seconds=CLAIMED_SECONDS)
        for awaited in claimed:
            self._tell(awaited)
            if awaited.escalate is Escalation.NOTICE:
                await self._notify(awaited)
        await self._journal.awaiting.escalated(claimed, now=self._clock())
        return len(claimed)

    async def _notify(self, awaited: Awaited) -> None:
        try:
            await self._notices.unanswered(awaited, self._journal)
        except Refused as refused:  # it will be refused again: a person must look
            self._log.error("notice.refused", message_id=awaited.message_id, code=refused.code)

    def _tell(self, awaited: Awaited) -> None:
        self._log.error(
            "answer.overdue",
            destination=awaited.destination,
            party=awaited.party,
            message_id=awaited.message_id,
            kind=awaited.kind,
            expected=list(awaited.answers),
            delivered_at=awaited.delivered_at.isoformat(),
            due=awaited.due.isoformat(),
        )

    async def _give_up(self) -> None:
        before = self._clock() - timedelta(days=self._settings().forget_days)
        given_up = 0
        while some := await self._journal.awaiting.give_up(due_before=before):
            given_up += some
        if given_up:
            self._log.warning("answer.given-up", answers=given_up)

    def _count(self, counts: Iterable[AwaitedCount]) -> None:
        """What is answered by now stays visible, with nothing awaited."""
        now = {(one.destination, one.kind): one for one in counts}
        self._known |= now.keys()
        for destination, kind in self._known:
            one = now.get((destination, kind))
            labels = {"destination": destination, "kind": kind}
            self._metrics.answers_awaited.labels(**labels).set(0 if one is None else one.awaited)
            self._metrics.answers_overdue.labels(**labels).set(0 if one is None else one.overdue)
