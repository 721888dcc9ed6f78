"""The history of a value as far as it is a party's own, asked of its gateway."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

import msgspec

from gateway.cli.access import Access
from gateway.cli.story import Said, Try, Way, counts_of
from gateway.client import GrpcPartyClient, PartyClient, ProblemError, Track
from gateway.client.answers import TracedMessage
from gateway.core.records import Outcome, State
from gateway.core.reports import Counts

NOT_FOUND = "interchange.not-found"
MOST_INTERCHANGES = 20
"""Of so many interchanges of a history the faults are asked for."""


async def tell(reached: Access, value: str, *, limit: int) -> tuple[Said, ...]:
    """What the party may know; raises ``ProblemError``, ``Unavailable`` or ``CredentialsError``."""
    own = reached.credentials.party() or "own"
    async with reached.client() as client:
        if isinstance(client, PartyClient):
            return await _by_https(client, value, own=own, limit=limit)
        return await _by_grpc(client, value, own=own, limit=limit)


async def _by_https(client: PartyClient, value: str, *, own: str, limit: int) -> tuple[Said, ...]:
    messages = (await client.trace(value)).messages[:limit]
    judged = await _judged(client, (value, *(m.interchange_id for m in messages)))
    told = [
        _accepted(message, judged.get(message.interchange_id, ()), own=own) for message in messages
    ]
    for interchange_id, outcomes in judged.items():
        told.extend(_refused(outcomes, interchange_id, value, own=own))
    return tuple(told[:limit])


async def _judged(
    client: PartyClient | GrpcPartyClient, named: Iterable[str]
) -> dict[str, tuple[Outcome, ...]]:
    """What became of the messages of the party's own interchanges among these."""
    found = {}
    for interchange_id in list(dict.fromkeys(named))[: MOST_INTERCHANGES + 1]:
        found[interchange_id] = await _outcomes(client, interchange_id)
    return found


async def _outcomes(
    client: PartyClient | GrpcPartyClient, interchange_id: str
) -> tuple[Outcome, ...]:
    """Empty for what is no interchange of the party's own."""
    try:
        return await client.outcomes(interchange_id)
    except ProblemError as error:
        if error.code in (NOT_FOUND, "request.invalid"):
            return ()
        raise


def _accepted(message: TracedMessage, judged: Iterable[Outcome], *, own: str) -> Said:
    mine = [outcome for outcome in judged if outcome.message_id == message.message_id]
    return Said(
        at=message.accepted_at,
        status=State.ACCEPTED,
        message_id=message.message_id,
        party=message.sent_by or (own if mine else ""),
        on_behalf_of=message.on_behalf_of or "",
        kind=message.kind,
        key=message.subjects[0].value if message.subjects else "",
        function=message.function,
        version=message.version,
        interchange_id=message.interchange_id,
        format=message.format,
        transport=message.transport,
        subjects=tuple(f"{subject.kind} {subject.value}" for subject in message.subjects),
        regards=message.regards or "",
        faults=mine[0].faults if mine else (),
        counts=counts_of(mine[0]) if mine else Counts(),
        ordinal=mine[0].ordinal if mine else None,
        ways=tuple(
            Way(
                destination=leg.destination,
                state=leg.state,
                tries=tuple(
                    Try(n=attempt.n, at=attempt.at, result=attempt.result, code=attempt.code)
                    for attempt in message.attempts
                    if attempt.destination == leg.destination
                ),
            )
            for leg in message.legs
        ),
    )


def _refused(
    outcomes: Iterable[Outcome], interchange_id: str, value: str, *, own: str
) -> Iterable[Said]:
    for outcome in outcomes:
        if outcome.status is State.REFUSED and value in (interchange_id, outcome.key):
            yield Said(
                at=None,
                status=State.REFUSED,
                party=own,
                kind=outcome.kind or "",
                key=outcome.key or "",
                interchange_id=interchange_id,
                ordinal=outcome.ordinal,
                faults=outcome.faults,
                counts=counts_of(outcome),
            )


async def _by_grpc(
    client: GrpcPartyClient, value: str, *, own: str, limit: int
) -> tuple[Said, ...]:
    track = await client.track(key=value)
    events = tuple(_of_events(track))
    judged = await _judged(client, (value, *(said.interchange_id for said in events)))
    told = [_completed(said, judged.get(said.interchange_id, ()), own=own) for said in events]
    for interchange_id, outcomes in judged.items():
        told.extend(_refused(outcomes, interchange_id, value, own=own))
    return tuple(told[:limit])


def _completed(said: Said, judged: Iterable[Outcome], *, own: str) -> Said:
    """With what only its sender is told."""
    for outcome in judged:
        if outcome.message_id == said.message_id:
            return msgspec.structs.replace(
                said,
                party=own,
                key=outcome.key or "",
                ordinal=outcome.ordinal,
                faults=outcome.faults,
                counts=counts_of(outcome),
            )
    return said


def _of_events(track: Track) -> Iterable[Said]:
    """The events of each message put together: accepted, then its attempts of delivery."""
    for event in track.events:
        if event.name != "message.accepted":
            continue
        kind, _, rest = event.detail.partition(" ")
        function, _, version = rest.partition(" ")
        yield Said(
            at=_instant(event.at),
            status=State.ACCEPTED,
            message_id=event.message_id,
            kind=kind,
            function=function,
            version=int(version) if version.isdigit() else None,
            interchange_id=event.interchange_id,
            ways=tuple(
                Way(
                    destination=leg.destination,
                    state=leg.state,
                    tries=tuple(_tries(track, event.message_id, leg.destination)),
                )
                for leg in track.legs
                if leg.message_id == event.message_id
            ),
        )


def _tries(track: Track, message_id: str, destination: str) -> Iterable[Try]:
    made = [
        event
        for event in track.events
        if (event.message_id, event.destination) == (message_id, destination)
    ]
    for number, event in enumerate(made, start=1):
        result = event.name.partition(".")[2]
        yield Try(n=number, at=_instant(event.at), result=result, code=event.detail)


def _instant(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return None
