"""Histories on plain lists, looked through from end to end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from gateway.core.histories import History, Sought
from gateway.core.identifiers import record_time
from gateway.core.records import StoredMessage, Subject
from gateway.store.memory.queue import Place


class Kept(Protocol):
    """A message, and the numbers of all its subjects."""

    @property
    def message(self) -> StoredMessage:
        """The message."""

    @property
    def about(self) -> frozenset[int]:
        """The numbers."""


class MemoryHistories:
    """A :class:`gateway.core.histories.Histories`.

    ``subjects``, each with its first record, are numbered from 1. Both grow with the journal.
    """

    def __init__(
        self, subjects: Sequence[tuple[Subject, int]], messages: Mapping[Place, Kept]
    ) -> None:
        self._subjects = subjects
        self._messages = messages

    async def read(
        self,
        sought: Collection[Sought],
        *,
        kinds: Collection[str],
        limit: int,
        bodies: bool = True,
    ) -> tuple[History, ...]:
        """See the protocol."""
        wanted = {(one.kind, one.value) for one in sought}
        found: list[History] = []
        for number, (subject, first) in enumerate(self._subjects, 1):
            if (subject.kind, subject.value) not in wanted:
                continue
            about = sorted(
                (
                    kept.message
                    for kept in self._messages.values()
                    if number in kept.about and kept.message.kind in kinds
                ),
                key=lambda m: (m.record, m.ordinal),
            )
            if about:
                found.append(
                    History(
                        subject=subject,
                        since=record_time(first),
                        messages=tuple(m if bodies else _bare(m) for m in about[-limit:]),
                        cut=len(about) > limit,
                    )
                )
        return tuple(sorted(found, key=_order))


def _order(history: History) -> tuple[object, ...]:
    subject = history.subject
    return subject.kind, subject.value, subject.origin, history.since


def _bare(message: StoredMessage) -> StoredMessage:
    return msgspec.structs.replace(message, body=None)
