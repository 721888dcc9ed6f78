"""Several document elements in one format: which one a document has, or a message needs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from translators.canonical import Message, kind_of
from translators.faults import Fault, TranslationError
from translators.layout.plan import Given, Plan
from translators.layout.rows import holds, stands

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def rejoined(head: bytes, rest: BinaryIO) -> BinaryIO:
    """A source whose beginning was already read, as if it had not been."""
    return io.BufferedReader(_Rejoined(head, rest))


class _Rejoined(io.RawIOBase):
    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        if self._head:
            piece, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            piece = self._rest.read(len(view))
        view[: len(piece)] = piece
        return len(piece)


def chosen(plans: Sequence[Plan], messages: Iterable[Message]) -> tuple[int, Iterable[Message]]:
    """Number of the first plan that has a form for the first message, and all messages.

    Raises :class:`TranslationError` when none has.
    """
    if isinstance(messages, Sequence):
        first = messages[0] if messages else None
    else:
        rest = iter(messages)
        first = next(rest, None)
        messages = rest if first is None else chain([first], rest)
    if first is None:
        return 0, messages
    for at, plan in enumerate(plans):
        if any(holds(row, first) for row in plan.messages.rows):
            return at, messages
    raise TranslationError(no_form(plans, first))


def no_form(plans: Sequence[Plan], message: Message) -> list[Fault]:
    """The faults of a message that no form of a format is for: what the nearest one differs in."""
    kind, name = kind_of(message), plans[0].id
    rows = [row for plan in plans for row in plan.messages.rows if row.kind == kind]
    if not rows:
        return [Fault(code="kind.unknown", detail=f"{name} does not carry {kind}")]
    amiss = [[one for one in row.given if not stands(one, message)] for row in rows]
    return [
        Fault(
            code="kind.unknown",
            path=one.pointer,
            detail=f"{name} has no form for this; the nearest has {_wanted(one)} here",
        )
        for one in min(amiss, key=len)
    ]


def _wanted(given: Given) -> str:
    if isinstance(given.value, str):
        return repr(given.value)
    return "something" if given.value else "nothing"


def common_drops(each: Sequence[frozenset[str]]) -> frozenset[str]:
    """What all of several lists of lost paths lose; a path loses everything below it."""
    common = each[0]
    for other in each[1:]:
        common = frozenset(path for path in common if _below(path, other)) | frozenset(
            path for path in other if _below(path, common)
        )
    return common


def _below(path: str, lost: frozenset[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in lost)
