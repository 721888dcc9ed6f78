"""Referrals on their way: who declared what they name, who was asked, and until when.

An authority asks about items, or about receptacles without knowing what is in them. The journal
knows who declared an item and which despatch put it where; that is looked up here before a message
is judged, so that judging itself asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.core.histories import Histories, History, Sought
from gateway.core.records import Expected, StoredMessage, Subject
from gateway.pipeline.bearing import WITHDRAWN
from gateway.pipeline.cases import passes_on
from gateway.routing import Endpoints, item, subjects_of
from translators.canonical import (
    Despatch,
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    Referral,
)
from translators.faults import Fault, Severity
from trust.identity import PartyId

MOST_ITEMS = 5_000
"""Items in the receptacles of one message that it is filed under; the others are found by them."""
ANSWERED = frozenset({"RFI", "RFS"})
"""Kinds of requests that a referral answers."""
LEAST_S = 1.0
"""A request whose time is over before it is issued has this long."""
_AT_ONCE = 500
_LATEST = 20
"""Messages of one history that are looked at, newest first."""
_DECLARING = (ItemDeclaration.__name__, GoodsDeclaration.__name__)
_BODY: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Referred(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal knows of what a message names.

    ``declarants``: who sent the latest declarations of the items, each once. ``contents``: items
    of its receptacles. ``undeclared``: what nobody has declared; ``unpacked``: receptacles that no
    despatch has told of. ``asked``: the request of the same reference that its author was sent.
    """

    declarants: tuple[PartyId, ...] = ()
    contents: tuple[Subject, ...] = ()
    undeclared: tuple[str, ...] = ()
    unpacked: tuple[str, ...] = ()
    asked: StoredMessage | None = None


NOT_REFERRED = Referred()


def answers(message: Message) -> bool:
    """Whether a message is an answer to a referral."""
    return isinstance(message, Referral) and bool(message.answers)


def deadline_of(message: Message) -> datetime | None:
    """When the receiver of a request has to answer: the clock of this hop of it."""
    if not isinstance(message, Referral) or message.answers:
        return None
    clocks = [hop.reply_before for hop in message.hops if hop.reply_before is not None]
    return clocks[-1] if clocks else message.reply_before


def expected_of(message: Message, receiver: PartyId) -> tuple[Expected, ...]:
    """The answer that a request awaits of whoever gets it: its clock starts with the delivery.

    Nothing is awaited of what has no deadline, and of what is answered by doing: a stop, the end
    of an assessment, an amendment.
    """
    deadline = deadline_of(message)
    if deadline is None or not isinstance(message, Referral) or message.kind not in ANSWERED:
        return ()
    within = max((deadline - message.issued_at).total_seconds(), LEAST_S)
    return (Expected(party=receiver, answers=(Referral.__name__,), within=within),)


def check_clocks(message: Message) -> tuple[Fault, ...]:
    """A station wants its answer before the one that it has to answer itself."""
    if not isinstance(message, Referral) or message.reply_before is None:
        return ()
    return tuple(
        Fault(
            code="referral.clock",
            path=f"/hops/{number}/reply_before",
            detail="later than the authority wants the answer",
            severity=Severity.WARNING,
        )
        for number, hop in enumerate(message.hops)
        if hop.reply_before is not None and hop.reply_before > message.reply_before
    )


def check_asked(message: Message, referred: Referred) -> tuple[Fault, ...]:
    """Only whoever was asked answers, or asks the next one in the name of who asked it."""
    if not isinstance(message, Referral) or message.regards is not None:
        return ()  # what names a message is judged by that
    if referred.asked is not None or not (message.answers or passes_on(message)):
        return ()
    detail = "no referral of this reference was delivered to this party"
    return (Fault(code="referral.not-asked", path="/reference", detail=detail),)


def check_known(message: Message, referred: Referred) -> tuple[Fault, ...]:
    """What a message names and nobody has told of, for one that goes to who declared it.

    With nobody at all to tell it is refused. Not where it names receptacles that are to be packed
    yet: what it says of them holds when their despatch comes.
    """
    missing = not referred.declarants and not referred.unpacked
    severity = Severity.ERROR if missing else Severity.WARNING
    faults = [
        Fault(
            code="declarant.unknown",
            path=_path(message, "item_ids", value),
            detail=f"nobody has declared {value} here",
            severity=severity,
        )
        for value in referred.undeclared
    ]
    faults += [
        Fault(
            code="receptacle.unknown",
            path=_path(message, "receptacle_ids", value),
            detail="no despatch has told of its contents yet; they are held when one does",
            severity=Severity.WARNING,
        )
        for value in referred.unpacked
    ]
    if missing and not faults:
        faults.append(Fault(code="declarant.unknown", detail="it names nothing that was declared"))
    return tuple(faults)


def _path(message: Message, field: str, value: str) -> str:
    named: Sequence[str] = getattr(message, field, ())
    return f"/{field}/{named.index(value)}" if value in named else ""


async def look_up(
    histories: Histories,
    message: Message,
    *,
    author: PartyId,
    endpoints: Endpoints,
    declarants: bool,
) -> Referred:
    """What the journal knows now. ``declarants``: whether it goes to those who declared it."""
    asked = None
    if isinstance(message, Referral) and (message.answers or passes_on(message)):
        asked = await _asked(histories, message, author, endpoints)
        if message.answers:
            return Referred(asked=asked)
    subjects = subjects_of(message, party=author)
    bags = [subject.value for subject in subjects if subject.kind == "receptacle"]
    packed = await _contents(histories, bags) if isinstance(message, Referral) else {}
    contents = tuple(dict.fromkeys(subject for found in packed.values() for subject in found))
    if not declarants:
        return Referred(contents=contents[:MOST_ITEMS], asked=asked)
    items = [subject.value for subject in subjects if subject.kind == "item"]
    senders = await _senders(histories, [*items, *(subject.value for subject in contents)])
    found = list(senders.values())
    if not items and not bags:
        found += await _of_declaration(histories, subjects)
    return Referred(
        declarants=tuple(dict.fromkeys(found)),
        contents=contents[:MOST_ITEMS],
        undeclared=tuple(value for value in items if value not in senders),
        unpacked=tuple(bag for bag in bags if bag not in packed),
        asked=asked,
    )


async def _asked(
    histories: Histories, message: Referral, author: PartyId, endpoints: Endpoints
) -> StoredMessage | None:
    """The latest request of that reference that was planned for the author."""
    found = await histories.read(
        [Sought("referral", message.reference)], kinds=(Referral.__name__,), limit=_LATEST
    )
    requests = [
        stored
        for stored in _newest_first(found)
        if any(endpoints.party_of(name) == author for name in stored.destinations)
        and stored.body is not None
        and not answers(_BODY.decode(stored.body))
    ]
    return msgspec.structs.replace(requests[0], body=None) if requests else None


async def _contents(
    histories: Histories, receptacles: Sequence[str]
) -> Mapping[str, tuple[Subject, ...]]:
    """The items of each receptacle of which a despatch has told, by the latest that did."""
    if not receptacles:
        return {}
    found = await histories.read(
        [Sought("receptacle", value) for value in receptacles],
        kinds=(Despatch.__name__,),
        limit=_LATEST,
    )
    packed: dict[str, tuple[Subject, ...]] = {}
    for history in found:
        value = history.subject.value
        for stored in _newest_first([history]):
            content = None if stored.body is None else _BODY.decode(stored.body)
            if isinstance(content, Despatch) and content.function not in WITHDRAWN:
                packed[value] = tuple(_packed(content, value, stored))
                break
    return packed


def _packed(despatch: Despatch, receptacle: str, stored: StoredMessage) -> Iterator[Subject]:
    author = stored.on_behalf_of or stored.party
    for one in despatch.receptacles:
        if one.receptacle_id == receptacle:
            yield from (item(value, author) for value in one.item_ids)


async def _senders(histories: Histories, items: Sequence[str]) -> Mapping[str, PartyId]:
    """Who sent the latest declaration of each item; where there is none, there is no entry."""
    values = list(dict.fromkeys(items))
    senders: dict[str, PartyId] = {}
    for at in range(0, len(values), _AT_ONCE):
        found = await histories.read(
            [Sought("item", value) for value in values[at : at + _AT_ONCE]],
            kinds=_DECLARING,
            limit=_LATEST,
            bodies=False,
        )
        for value in values[at : at + _AT_ONCE]:
            sender = _sender(history for history in found if history.subject.value == value)
            if sender is not None:
                senders[value] = sender
    return senders


async def _of_declaration(histories: Histories, subjects: Iterable[Subject]) -> list[PartyId]:
    """Where only the number of a declaration is named: who declared under that number."""
    found = await histories.read(
        [Sought("mrn", subject.value) for subject in subjects if subject.kind == "mrn"],
        kinds=_DECLARING,
        limit=_LATEST,
        bodies=False,
    )
    sender = _sender(found)
    return [] if sender is None else [sender]


def _sender(histories: Iterable[History]) -> PartyId | None:
    """The sender of the newest declaration that stands; of items before that of goods.

    Of what was taken back by everybody the newest, so that somebody is asked.
    """
    latest: dict[tuple[PartyId, str], StoredMessage] = {}
    for stored in _newest_first(histories):
        latest.setdefault((stored.on_behalf_of or stored.party, stored.kind), stored)
    return next(
        (
            stored.party
            for stored in sorted(
                latest.values(),
                key=lambda one: (one.function in WITHDRAWN, _DECLARING.index(one.kind)),
            )
        ),
        None,
    )


def _newest_first(histories: Iterable[History]) -> list[StoredMessage]:
    told = [stored for history in histories for stored in history.messages]
    return sorted(told, key=lambda stored: (stored.record, stored.ordinal), reverse=True)
