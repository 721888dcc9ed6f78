"""What was said about an item, a receptacle or a declaration: histories, read to conclude from.

A trace tells what became of messages; a history is what they say, so it has their content.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import msgspec

from gateway.core.records import StoredMessage, Subject


class Sought(msgspec.Struct, frozen=True, order=True):
    """Subjects of a kind and value, whatever their origin."""

    kind: str
    value: str


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The messages about one subject, in order of acceptance.

    ``since`` is when the subject was first seen, to the second: an identifier that is used again
    after its time begins another history. ``cut``: there were older messages than these.
    """

    subject: Subject
    since: datetime
    messages: tuple[StoredMessage, ...]
    cut: bool = False


class Histories(Protocol):
    """The journal by subject. Safe to call concurrently."""

    async def read(
        self,
        sought: Collection[Sought],
        *,
        kinds: Collection[str],
        limit: int,
        bodies: bool = True,
    ) -> tuple[History, ...]:
        """The latest ``limit`` messages of these kinds about each subject that is sought.

        One history for each origin and each window of time in which the value was used, in order
        of kind, value, origin and ``since``; none where no message of these kinds is there.
        ``bodies``: with their content, as far as it is still kept.
        """
