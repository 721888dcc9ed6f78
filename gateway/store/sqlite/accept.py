"""One transaction for a group of acceptances: judged against what is there, then written.

The order of the tables is the same everywhere: ``seen``, ``subject``, ``head``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import islice

import msgspec

from gateway.core.records import Acceptance, PlannedMessage, State, Stored
from gateway.store.codec import Codec
from gateway.store.judge import Answer
from gateway.store.leaf import microseconds
from gateway.store.prepared import Prepared
from gateway.store.sqlite import awaited, proofs, quality, reports, staging
from gateway.store.sqlite.judge import judged
from gateway.store.sqlite.outbox import NewLeg, enqueue
from gateway.store.sqlite.rows import Row, insert, listed
from gateway.store.sqlite.subjects import Line, Subjects, Versions

_BATCH = 512
"""Messages that are placed together: memory must not grow with the size of an interchange."""
_KEYS = """
SELECT m.record, m.ordinal, m.subject FROM json_each(?) AS j CROSS JOIN message AS m
 ON m.record = json_extract(j.value, '$[0]') AND m.ordinal = json_extract(j.value, '$[1]')
"""


class Committed(msgspec.Struct, frozen=True):
    """What came of a group: one answer each, in its order, and who has got work."""

    answers: tuple[Answer, ...]
    destinations: frozenset[str]


class _Placed(msgspec.Struct, frozen=True):
    """A message with the numbers of its subjects; ``key`` is the one that it is ordered by."""

    acceptance: Acceptance
    message: PlannedMessage
    key: int
    subjects: tuple[int, ...]
    author: str
    """Whose versions of the key it counts among."""

    @property
    def line(self) -> Line:
        """What its versions are counted of."""
        return self.key, self.author, self.message.kind


def accept(connection: sqlite3.Connection, group: Sequence[Prepared], codec: Codec) -> Committed:
    """Write what is new of a group; to be called inside a write transaction.

    A repeat is answered with the first one's row, also inside the group; nothing of it is written.
    """
    answers: list[Answer] = []
    fresh: list[Prepared] = []
    for prepared, answer in zip(group, judged(connection, group, codec), strict=True):
        if answer is None:
            fresh.append(prepared)
            answers.append(Stored.of(prepared.acceptance))
        else:
            answers.append(answer)
            if prepared.acceptance.staged and isinstance(answer, Stored):
                staging.discard(connection, prepared.acceptance.record)
    _write_interchanges(connection, fresh)
    quality.count(connection, (prepared.tally for prepared in fresh))
    work = _work(connection, fresh)
    destinations: set[str] = set()
    while batch := list(islice(work, _BATCH)):
        destinations |= _write_messages(connection, *_placed(connection, batch))
    return Committed(tuple(answers), frozenset(destinations))


def _work(
    connection: sqlite3.Connection, fresh: Sequence[Prepared]
) -> Iterator[tuple[Acceptance, PlannedMessage]]:
    """The messages in the order in which they are accepted; staged ones are read as they go."""
    for prepared in fresh:
        acceptance = prepared.acceptance
        messages = iter(sorted(acceptance.messages, key=_ordinal))
        if acceptance.staged and acceptance.state is State.ACCEPTED:
            messages = merge(staging.plans(connection, acceptance.record), messages, key=_ordinal)
        for message in messages:
            yield acceptance, message


def _ordinal(message: PlannedMessage) -> int:
    return message.ordinal


def _write_interchanges(connection: sqlite3.Connection, fresh: Sequence[Prepared]) -> None:
    """Write all but the messages."""
    seen: list[Row] = []
    raw: list[Row] = []
    bodies: list[Row] = []
    for prepared in fresh:
        acceptance, record = prepared.acceptance, prepared.acceptance.record
        slices = 0
        if acceptance.staged:
            slices = staging.release(connection, record)
            if acceptance.state is State.REFUSED:
                connection.execute("DELETE FROM body WHERE record = ?", (record,))
                staging.forget(connection, record)
        if acceptance.state is State.ACCEPTED:
            seen += [(*key, prepared.digest, record) for key in prepared.keys]
        raw += [(record, at, piece) for at, piece in enumerate(prepared.raw, slices)]
        bodies += [
            (record, message.ordinal, body)
            for message, body in zip(acceptance.messages, prepared.bodies, strict=True)
        ]
    insert(connection, "seen", sorted(seen))
    insert(connection, "interchange", [prepared.interchange for prepared in fresh])
    insert(connection, "raw", raw)
    insert(connection, "body", bodies)
    proofs.write(connection, [p.proof for p in fresh if p.proof is not None])
    reports.write_readings(connection, [told for prepared in fresh for told in prepared.reports])


def _placed(
    connection: sqlite3.Connection, work: Sequence[tuple[Acceptance, PlannedMessage]]
) -> tuple[list[_Placed], Collection[int]]:
    """Number the subjects and find each message's key; writes the subjects.

    Gives also the numbers that are new: nothing stands under them yet.
    """
    answered = {message.key_of for _, message in work if message.key_of is not None}
    key_of: dict[tuple[int, int], int] = {
        (record, ordinal): subject
        for record, ordinal, subject in (
            connection.execute(_KEYS, (listed(answered),)) if answered else ()
        )
    }
    subjects = Subjects(connection, (s for _, message in work for s in message.subjects))
    placed: list[_Placed] = []
    for acceptance, message in work:
        numbers = tuple(subjects.number(s, acceptance.record) for s in message.subjects)
        key = numbers[0]
        if message.key_of is not None:
            if message.key_of not in key_of:
                raise ValueError(f"message {message.ordinal} is ordered after an unknown one")
            key = key_of[message.key_of]
        key_of[acceptance.record, message.ordinal] = key
        author = message.on_behalf_of or acceptance.party
        placed.append(_Placed(acceptance, message, key, numbers, author))
    subjects.write()
    return placed, subjects.new


def _write_messages(
    connection: sqlite3.Connection, placed: Sequence[_Placed], new: Collection[int]
) -> frozenset[str]:
    """Write messages, references and legs; the destinations that got work."""
    versions = Versions(connection, {one.line for one in placed if one.key not in new})
    messages: list[Row] = []
    refs: set[Row] = set()
    legs: list[NewLeg] = []
    for one in placed:
        acceptance, message = one.acceptance, one.message
        record, ordinal = acceptance.record, message.ordinal
        version = versions.following(one.line)
        default = "original" if version == 1 else "replacement"
        messages.append(
            (
                record,
                ordinal,
                message.kind,
                one.key,
                version,
                message.function or default,
                listed(one.subjects),
                listed(leg.destination for leg in message.legs),
                None if message.deadline is None else microseconds(message.deadline),
                message.regards,
                message.on_behalf_of,
                message.upstream_id,
            )
        )
        refs.update((subject, record, ordinal) for subject in (one.key, *one.subjects))
        legs += [
            NewLeg(one.key, record, ordinal, acceptance.received_at, leg) for leg in message.legs
        ]
    awaited.taken(connection, ((one.acceptance.record, one.author, one.message) for one in placed))
    versions.write()
    insert(connection, "message", messages)
    insert(connection, "ref", sorted(refs))
    return enqueue(connection, legs)
