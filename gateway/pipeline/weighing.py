"""What the journal holds of items, gathered for the rules: by item, receptacle and declaration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from gateway.core.histories import Histories, History, Sought
from gateway.core.records import StoredMessage
from gateway.pipeline.bearing import ABOUT_ITEMS, Names, Said, declarations, in_order, names
from gateway.pipeline.clearance import ClearanceSettings, Concluded, conclude
from gateway.routing.subjects import S10
from translators.canonical import CustomsResponse, Message, Referral, RiskAssessment
from trust.identity import PartyId

MOST_MESSAGES = 200
"""Of one history; of an item with more nothing but a stop is certain."""
AT_ONCE = 50
"""Items whose histories are read and held together."""
BY_OTHER_NAMES = (CustomsResponse.__name__, Referral.__name__, RiskAssessment.__name__)
_BODY: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for an item with all that it rests on, before it is told to anybody.

    ``told``: whatever may bear on it, in order. ``ambiguous``: its identifier has other uses.
    """

    item: str
    as_of: datetime
    concluded: Concluded
    told: tuple[Said, ...]
    known: Names
    ambiguous: bool = False


async def weigh(
    histories: Histories,
    items: Sequence[str],
    *,
    now: datetime,
    settings: ClearanceSettings,
    asker: PartyId | None = None,
) -> tuple[Weighed, ...]:
    """The answers for items, in order.

    Of an identifier that several parties use for their own items, the one of the ``asker`` is
    meant, otherwise the one that was declared last.
    """
    weighed: list[Weighed] = []
    for at in range(0, len(items), AT_ONCE):
        weighed += await _some(histories, items[at : at + AT_ONCE], now, settings, asker)
    return tuple(weighed)


async def _some(
    histories: Histories,
    items: Sequence[str],
    now: datetime,
    settings: ClearanceSettings,
    asker: PartyId | None,
) -> list[Weighed]:
    reading = _Reading()
    found = await histories.read(
        [Sought("item", item) for item in items], kinds=ABOUT_ITEMS, limit=MOST_MESSAGES
    )
    own = {item: _Own.of(item, reading.pages(found, item), asker) for item in items}
    linked = {item: one.known.sought() for item, one in own.items()}
    sought = {place for places in linked.values() for place in places}
    others: dict[Sought, list[_Page]] = {}
    if sought:
        for history in await histories.read(sought, kinds=BY_OTHER_NAMES, limit=MOST_MESSAGES):
            at = Sought(history.subject.kind, history.subject.value)
            others.setdefault(at, []).append(reading.page(history))
    return [
        _weighed(
            item, own[item], [p for at in linked[item] for p in others.get(at, ())], now, settings
        )
        for item in items
    ]


def _weighed(
    item: str, own: _Own, others: Sequence[_Page], now: datetime, settings: ClearanceSettings
) -> Weighed:
    told = in_order((*own.told, *(one for page in others for one in page.told)))
    return Weighed(
        item=item,
        as_of=now,
        concluded=conclude(
            item,
            told,
            now=now,
            settings=settings,
            incomplete=own.incomplete or any(page.incomplete for page in others),
        ),
        told=told,
        known=own.known,
        ambiguous=own.ambiguous,
    )


class _Page(msgspec.Struct, frozen=True):
    """A history that was read."""

    origin: str
    since: datetime
    told: tuple[Said, ...]
    incomplete: bool


class _Reading:
    """Decodes each message once, however many items it names."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Said] = {}

    def pages(self, found: Iterable[History], item: str) -> list[_Page]:
        """The histories of an item."""
        return [self.page(history) for history in found if history.subject.value == item]

    def page(self, history: History) -> _Page:
        """One history with its content; incomplete where older messages or content are gone."""
        told = [self._said(stored) for stored in history.messages]
        kept = tuple(one for one in told if one is not None)
        return _Page(
            history.subject.origin,
            history.since,
            kept,
            history.cut or len(kept) < len(told),
        )

    def _said(self, stored: StoredMessage) -> Said | None:
        place = stored.record, stored.ordinal
        if place not in self._known:
            if stored.body is None:
                return None
            self._known[place] = Said(stored, _BODY.decode(stored.body))
        return self._known[place]


class _Own(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of an item under its own identifier, in the use of it that is meant."""

    told: tuple[Said, ...]
    known: Names
    incomplete: bool
    ambiguous: bool

    @staticmethod
    def of(item: str, pages: Sequence[_Page], asker: PartyId | None) -> _Own:
        """The latest use (UPU S10: again after twelve months), of one origin that declared it."""
        latest: dict[str, _Page] = {}
        for page in pages:
            if page.origin not in latest or page.since > latest[page.origin].since:
                latest[page.origin] = page
        declaring = [page for page in latest.values() if declarations(item, page.told)]
        meant = max(declaring, key=lambda page: (page.origin == asker, _last(page)), default=None)
        if meant is None:
            told = [one for page in latest.values() for one in page.told]
        else:
            told = [*meant.told, *_of_others(item, meant, latest.values())]
        return _Own(
            told=in_order(told),
            known=names(item, told),
            incomplete=any(page.incomplete for page in latest.values()),
            ambiguous=len(declaring) > 1 or len(latest) < len(pages),
        )


def _last(page: _Page) -> tuple[int, int]:
    return page.told[-1].place


def _of_others(item: str, meant: _Page, pages: Iterable[_Page]) -> Iterable[Said]:
    """What authorities say of the item under their own name for it.

    An S10 identifier is one name for everybody; any other is unique per party only, and an answer
    to another party's item of the same name is not about this one.
    """
    if S10.fullmatch(item):
        return
    own = {one.stored.message_id for one in meant.told}
    for page in pages:
        if page.origin == meant.origin:
            continue
        if declarations(item, page.told):
            continue
        for one in page.told:
            if one.stored.regards is None or one.stored.regards in own:
                yield one
