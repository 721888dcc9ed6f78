"""One transaction for a group of acceptances: judged against what is there, then written.

The order of what is locked is the same everywhere, so that nodes never wait in a circle: ``seen``,
``subject``, ``head``, each by its key, then reports, ways of proving and counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from gateway.core.records import Acceptance, PlannedMessage, State, Stored
from gateway.store.codec import Codec
from gateway.store.judge import Answer, judged
from gateway.store.leaf import microseconds
from gateway.store.postgres import awaited, proofs, quality, reports, staging
from gateway.store.postgres.connection import Connection, Row, columns
from gateway.store.postgres.outbox import NewLeg, enqueue
from gateway.store.postgres.rows import STORED_COLUMNS, stored
from gateway.store.postgres.subjects import Subjects, Versions
from gateway.store.prepared import Key, Prepared

_BATCH = 512
"""Messages that are written together: of a large interchange few are in memory at a time."""
_SEEN = """
SELECT s.id, s.party, s.kind, s.digest, s.record
FROM unnest($1::text[], $2::text[], $3::integer[]) AS j(id, party, kind)
JOIN seen AS s ON s.id = j.id AND s.party = j.party AND s.kind = j.kind
"""
_USE = """
INSERT INTO seen
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::bytea[], $5::bigint[])
ON CONFLICT DO NOTHING RETURNING 1
"""
_FOUND = f"SELECT {STORED_COLUMNS} FROM interchange AS i WHERE i.record = ANY ($1::bigint[])"  # noqa: S608 - constants
# One statement for what nobody else can have written: a round trip costs more than its rows.
_INTERCHANGES = """
WITH bytes AS (
 INSERT INTO raw SELECT * FROM unnest($18::bigint[], $19::integer[], $20::bytea[])
), bodies AS (
 INSERT INTO body SELECT * FROM unnest($21::text[], $22::bigint[], $23::bigint[], $24::bytea[])
)
INSERT INTO interchange
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[],
 $7::text[], $8::bytea[], $9::bigint[], $10::bigint[], $11::integer[], $12::integer[],
 $13::text[], $14::integer[], $15::bytea[], $16::bytea[], $17::bytea[])
"""
# Lists of one message differ in length, which arrays of arrays cannot: they come as texts.
_MESSAGES = """
WITH refs AS (
 INSERT INTO ref SELECT * FROM unnest($13::bigint[], $14::bigint[], $15::bigint[])
)
INSERT INTO message
SELECT record, ordinal, kind, subject, version, function,
 string_to_array(subjects, ' ')::bigint[], string_to_array(destinations, E'\\n'),
 deadline, regards, on_behalf_of, upstream_id
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::integer[], $6::text[],
 $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[])
 AS m(record, ordinal, kind, subject, version, function, subjects, destinations, deadline, regards,
  on_behalf_of, upstream_id)
"""


class Raced(Exception):
    """An id of the group was used before, maybe just now: judge again in a new transaction."""


class Committed(msgspec.Struct, frozen=True):
    """What came of a group: one answer each, in its order, and who has got work."""

    answers: tuple[Answer, ...]
    destinations: frozenset[str]


class _Work(msgspec.Struct, frozen=True):
    """A message to be written; ``size``: stored bytes of its body."""

    acceptance: Acceptance
    message: PlannedMessage
    size: int

    @property
    def author(self) -> str:
        """Whose versions of the key it counts among."""
        return self.message.on_behalf_of or self.acceptance.party


async def accept(
    connection: Connection, group: Sequence[Prepared], codec: Codec, *, hoping: bool
) -> Committed:
    """Write what is new of a group; to be called inside a transaction.

    A repeat is answered with the first one's row, also inside the group; nothing of it is written.
    Raises :class:`Raced`. ``hoping`` that all of it is new, as it nearly always is, what was used
    before is not asked for: using the ids tells, by ``Raced``.
    """
    answers: list[Answer] = []
    fresh: list[Prepared] = []
    judged_before: Sequence[Answer | None] = (
        [None] * len(group)
        if hoping and _may_all_be_new(group)
        else await _judged(connection, group, codec)
    )
    for prepared, answer in zip(group, judged_before, strict=True):
        if answer is None:
            fresh.append(prepared)
            answers.append(Stored.of(prepared.acceptance))
        else:
            answers.append(answer)
            if prepared.acceptance.staged and isinstance(answer, Stored):
                await staging.discard(connection, prepared.acceptance.record)
    destinations: frozenset[str] = frozenset()
    if fresh:
        await _use_ids(connection, fresh)
        await _write_interchanges(connection, fresh)
        destinations = await _write_messages(connection, fresh)
        await reports.write_readings(connection, [told for p in fresh for told in p.reports])
        await proofs.write(connection, [p.proof for p in fresh if p.proof is not None])
        await quality.count(connection, (prepared.tally for prepared in fresh))
    return Committed(tuple(answers), destinations)


def _may_all_be_new(group: Sequence[Prepared]) -> bool:
    """Whether all will be written when nothing of it was there before."""
    used = [key for prepared in group for key in prepared.keys]
    accepted = all(prepared.acceptance.state is State.ACCEPTED for prepared in group)
    return accepted and len(set(used)) == len(used)


async def _judged(
    connection: Connection, group: Sequence[Prepared], codec: Codec
) -> list[Answer | None]:
    """For each of the group: ``None`` when it is new, otherwise its answer."""
    wanted = sorted({key for prepared in group for key in prepared.keys})
    seen: dict[Key, tuple[bytes, int]] = {
        (id_, party, kind): (digest, record)
        for id_, party, kind, digest, record in await connection.fetch(_SEEN, *columns(wanted, 3))
    }
    own = {prepared.keys[0] for prepared in group}
    records = sorted({record for key, (_, record) in seen.items() if key in own})
    rows = await connection.fetch(_FOUND, records) if records else []
    found = {row[0]: stored(row, codec, repeated=True) for row in rows}
    return list(judged(group, seen, found.__getitem__))


async def _use_ids(connection: Connection, fresh: Sequence[Prepared]) -> None:
    """Use up the ids of what is accepted; waits for nodes that just use the same ones."""
    rows = sorted(
        (*key, prepared.digest, int(prepared.acceptance.record))
        for prepared in fresh
        if prepared.acceptance.state is State.ACCEPTED
        for key in prepared.keys
    )
    if rows and len(await connection.fetch(_USE, *columns(rows, 5))) < len(rows):
        raise Raced


async def _write_interchanges(connection: Connection, fresh: Sequence[Prepared]) -> None:
    """Write interchanges and their content: what can contradict something that is there."""
    staged = [p.acceptance for p in fresh if p.acceptance.staged]
    slices = await staging.release(connection, [one.record for one in staged])
    refused = [one.record for one in staged if one.state is State.REFUSED]
    await staging.forget_bodies(connection, refused)
    await staging.forget(connection, refused)
    raw: list[Row] = []
    bodies: list[Row] = []
    for prepared in fresh:
        record = prepared.acceptance.record
        raw += [(record, at, piece) for at, piece in enumerate(prepared.raw, slices.get(record, 0))]
        bodies += [
            (message.kind, record, message.ordinal, body)
            for message, body in zip(prepared.acceptance.messages, prepared.bodies, strict=True)
        ]
    interchanges = [prepared.interchange for prepared in fresh]
    await connection.execute(
        _INTERCHANGES, *columns(interchanges, 17), *columns(raw, 3), *columns(bodies, 4)
    )


async def _work(connection: Connection, fresh: Sequence[Prepared]) -> AsyncIterator[_Work]:
    """The messages in the order in which they are accepted; staged ones are read as they go."""
    for prepared in fresh:
        acceptance = prepared.acceptance
        own = sorted(
            (message.ordinal, _Work(acceptance, message, len(body)))
            for message, body in zip(acceptance.messages, prepared.bodies, strict=True)
        )
        if acceptance.staged and acceptance.state is State.ACCEPTED:
            async for message, size in staging.plans(connection, acceptance.record):
                while own and own[0][0] < message.ordinal:
                    yield own.pop(0)[1]
                yield _Work(acceptance, message, size)
        for _, work in own:
            yield work


async def _write_messages(connection: Connection, fresh: Sequence[Prepared]) -> frozenset[str]:
    """Write messages, references and legs; the destinations that got work.

    Goes through the messages twice: all subjects are locked before the first of them is used.
    """
    subjects, versions = Subjects(), Versions()
    async for work in _work(connection, fresh):
        message = work.message
        place = (int(work.acceptance.record), message.ordinal)
        subjects.note(place, message.subjects, message.key_of)
    await subjects.lock(connection)
    legs: list[NewLeg] = []
    batch: list[_Work] = []
    news: list[tuple[int, str, PlannedMessage]] = []
    async for work in _work(connection, fresh):
        batch.append(work)
        if awaited.concerns(work.message):
            news.append((work.acceptance.record, work.author, work.message))
        if len(batch) == _BATCH:
            legs += await _write_batch(connection, batch, subjects, versions)
            batch.clear()
    if batch:
        legs += await _write_batch(connection, batch, subjects, versions)
    await versions.write(connection)
    await staging.forget(connection, [p.acceptance.record for p in fresh if p.acceptance.staged])
    destinations = await enqueue(connection, legs)
    await awaited.taken(connection, news)  # after the heads, as settling does
    return destinations


async def _write_batch(
    connection: Connection, batch: Sequence[_Work], subjects: Subjects, versions: Versions
) -> list[NewLeg]:
    """Write some messages with their references; their legs, which are to be queued."""
    placed: list[tuple[_Work, int, list[int]]] = []
    for work in batch:
        record, message = work.acceptance.record, work.message
        numbers = [subjects.number(subject, record) for subject in message.subjects]
        key = subjects.key((int(record), message.ordinal), numbers[0], message.key_of)
        placed.append((work, key, numbers))
    lines = ((key, work.author, work.message.kind) for work, key, _ in placed)
    await versions.read(connection, lines, new=subjects.new)
    rows: list[Row] = []
    refs: set[tuple[int, int, int]] = set()
    legs: list[NewLeg] = []
    for work, key, numbers in placed:
        acceptance, message = work.acceptance, work.message
        version = versions.following((key, work.author, message.kind))
        rows.append(_message_row(work, key, numbers, version))
        refs.update((no, acceptance.record, message.ordinal) for no in (key, *numbers))
        legs += [
            NewLeg(key, acceptance.record, message.ordinal, acceptance.received_at, leg, work.size)
            for leg in message.legs
        ]
    await connection.execute(_MESSAGES, *columns(rows, 12), *columns(sorted(refs), 3))
    return legs


def _message_row(work: _Work, key: int, numbers: Sequence[int], version: int) -> Row:
    message = work.message
    return (
        work.acceptance.record,
        message.ordinal,
        message.kind,
        key,
        version,
        message.function or ("original" if version == 1 else "replacement"),
        " ".join(map(str, numbers)),
        "\n".join(leg.destination for leg in message.legs),
        None if message.deadline is None else microseconds(message.deadline),
        message.regards,
        message.on_behalf_of,
        message.upstream_id,
    )
