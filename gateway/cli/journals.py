"""The history of a value out of an operator's own journals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from gateway.cli.story import Said, Try, Way, counts_of
from gateway.cli.summary import summary
from gateway.config import Config, ConfigError, load
from gateway.config.journal import journal_of
from gateway.core.errors import Unavailable
from gateway.core.identifiers import resolve
from gateway.core.ports import Journal
from gateway.core.records import Attempt, Outcome, State, Stored, StoredMessage, TraceEntry
from gateway.core.reports import Counts, Fate
from gateway.core.retention import Removal
from gateway.routing import INBOX
from gateway.store.reader import Reader
from gateway.store.store import NoJournal, Store
from gateway.store.store import why as because

T = TypeVar("T")
_outcomes = msgspec.json.Decoder(tuple[Outcome, ...])


def tell(configs: Iterable[Path], value: str, *, limit: int) -> tuple[Said, ...]:
    """What the journals of these gateways know about a value.

    Raises ``click.UsageError`` for a configuration or journal that is none, ``Unavailable`` when
    one cannot be read now.
    """
    told: list[Said] = []
    for file in configs:
        with reading(file) as (config, reader):
            told.extend(_Teller(config, reader).tell(value, limit))
    return tuple(told)


@contextmanager
def reading(file: Path) -> Iterator[tuple[Config, Reader]]:
    """A configuration and its gateway's journal; raises ``click.UsageError`` or ``Unavailable``."""
    config = configured(file)
    try:
        with store_of(config).reader() as reader:
            yield config, reader
    except NoJournal as error:
        raise click.UsageError(f"{file}: {error}") from error


def with_journal(config: Config, work: Callable[[Journal], Awaitable[T]]) -> T:
    """Do something with the journal of a configuration, beside the gateway if it runs.

    Raises ``click.UsageError`` for a journal that is none, ``click.ClickException`` for one that
    can not be used now.
    """
    store = store_of(config)

    async def run() -> T:
        journal = await store.open(clock=lambda: datetime.now(UTC), create=False)
        try:
            return await work(journal)
        finally:
            await journal.close()

    try:
        return asyncio.run(run())
    except NoJournal as error:
        raise click.UsageError(f"{config.file}: {error}") from error
    except Unavailable as error:
        text = f"the journal can not be used now: {store.name}: {because(error)}"
        raise click.ClickException(text) from error


def configured(file: Path) -> Config:
    """The configuration of a file; raises ``click.UsageError`` with its mistakes."""
    try:
        return load(file)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def check_destination(name: str | None, config: Config) -> None:
    """Raise ``click.UsageError`` for a destination that is neither configured nor waited for.

    One that the configuration has no more may still have something to deliver, retry or skip.
    """
    known = {entry.id for entry in config.destination}
    if name is None or name in known or name.startswith(INBOX):
        return

    async def left(journal: Journal) -> set[str]:
        return {backlog.destination for backlog in await journal.destinations.lanes()}

    known |= with_journal(config, left)
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise click.UsageError(f"no destination is called {name}; there are {there}")


def store_of(config: Config) -> Store:
    """Where the journal of a configuration is; raises ``click.UsageError``."""
    try:
        return journal_of(config)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def message_of(reader: Reader, value: str, *, number: int) -> StoredMessage | None:
    """The message of that id, when it is one of the gateway of that number."""
    resolved = resolve(value)
    if resolved is None or resolved[0] != number:
        return None
    return reader.message(resolved[1], resolved[2])


def removed(removal: Removal | None) -> str:
    """What people are told of content that is not there any more."""
    if removal is None:
        return "its content was removed"
    days = f"kept for {removal.days} days"
    return f"its content was removed on {removal.on}: {removal.rule} are {days}"


class _Teller:
    """Tells what one journal knows."""

    def __init__(self, config: Config, reader: Reader) -> None:
        self._gateway = config.gateway.id
        self._number = config.gateway.number
        self._reader = reader
        self._rules = config.retention.rules

    def tell(self, value: str, limit: int) -> Iterator[Said]:
        subject = self._subject(value)
        entries = self._reader.trace(subject, limit=limit)
        interchanges = {(e.message.party, e.message.interchange_id) for e in entries}
        stored = [self._reader.find(party, named) for party, named in sorted(interchanges)]
        judged = {s.record: _outcomes.decode(s.outcomes) for s in stored if s is not None}
        for entry in entries:
            yield self._accepted(entry, judged.get(entry.message.record, ()))
        for attempt in stored:
            if attempt is not None:
                yield from self._refused(attempt, subject)
        for attempt in self._reader.refusals(subject, limit=limit):
            yield from self._refused(attempt, subject)

    def _subject(self, value: str) -> str:
        """A message id of this gateway stands for the key of its message."""
        message = message_of(self._reader, value, number=self._number)
        return value if message is None else message.key.value

    def _removed(self, message: StoredMessage) -> str:
        rule = self._rules.of(message.kind)
        return removed(self._reader.removal(message.record, rule.name))

    def _accepted(self, entry: TraceEntry, judged: Iterable[Outcome]) -> Said:
        message = entry.message
        own = [outcome for outcome in judged if outcome.ordinal == message.ordinal]
        return Said(
            at=message.accepted_at,
            status=State.ACCEPTED,
            gateway=self._gateway,
            message_id=message.message_id,
            party=message.party,
            on_behalf_of=message.on_behalf_of or "",
            kind=message.kind,
            key=message.key.value,
            function=message.function,
            version=message.version,
            interchange_id=message.interchange_id,
            ordinal=message.ordinal,
            record=message.record,
            format=entry.format,
            transport=entry.transport,
            summary=summary(message.body),
            removed="" if message.body is not None else self._removed(message),
            subjects=tuple(f"{subject.kind} {subject.value}" for subject in entry.subjects),
            regards=message.regards or "",
            upstream_id=message.upstream_id or "",
            faults=own[0].faults if own else (),
            counts=counts_of(own[0]) if own else Counts(),
            ways=tuple(
                Way(
                    destination=leg.destination,
                    state=leg.state,
                    tries=tuple(
                        _try(attempt)
                        for attempt in entry.attempts
                        if attempt.destination == leg.destination
                    ),
                )
                for leg in entry.legs
            ),
        )

    def _refused(self, stored: Stored, subject: str) -> Iterator[Said]:
        """The refused messages of an interchange: all when it was asked for, else the subject's."""
        for outcome in _outcomes.decode(stored.outcomes):
            if outcome.status is not State.REFUSED:
                continue
            if subject not in (stored.interchange_id, outcome.key):
                continue
            yield Said(
                at=stored.received_at,
                status=State.REFUSED,
                gateway=self._gateway,
                party=stored.party,
                kind=outcome.kind or "",
                key=outcome.key or "",
                interchange_id=stored.interchange_id,
                ordinal=outcome.ordinal,
                record=stored.record,
                format=stored.format,
                transport=stored.transport,
                faults=outcome.faults,
                counts=counts_of(outcome),
            )


def _try(attempt: Attempt) -> Try:
    return Try(
        n=attempt.n,
        at=attempt.at,
        result=attempt.result,
        code=attempt.code,
        detail=attempt.detail,
        counts=Counts() if attempt.report is None else attempt.report.counts(),
        withheld=()
        if attempt.report is None
        else tuple(v.path for v in attempt.report.values() if v.kind is Fate.WITHHELD),
        receipt=attempt.evidence is not None,
    )
