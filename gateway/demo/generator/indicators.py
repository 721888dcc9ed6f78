"""Risk indicators as a partner administration would send them.

All but two speak of what the generator never makes. The two are made for given items: one knows
somebody under several names, one knows goods on a route.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from random import Random

import msgspec
from msgspec import toml

from gateway.demo.generator.catalogue import latin
from translators.canonical import (
    ItemDeclaration,
    RiskIndicator,
    RiskSubject,
    RouteSubject,
    TradeParty,
)

VALID = timedelta(days=90)
PREFIX = 6  # digits of the Harmonized System that are the same in all countries


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an indicator says, without who says it and when."""

    kind: str
    area: str
    level: str
    statement: str
    subjects: tuple[RiskSubject, ...]


class Indicators(msgspec.Struct, frozen=True, kw_only=True):
    """Indicators, and the item that each of the matching ones (by its id) must find."""

    messages: tuple[RiskIndicator, ...]
    matches: Mapping[str, str]


def indicators(
    seed: int | str,
    count: int,
    items: Sequence[ItemDeclaration],
    *,
    at: datetime,
    issuer: str = "PT",
    avoid: Collection[str] = (),
) -> Indicators:
    """``count`` indicators of an administration, valid around ``at``; two match one item each.

    Those are the last items that will do and are not named in ``avoid``. Raises ``ValueError``
    when no item has a firm or goods that no other has, or when fewer than two are asked for.
    """
    if count < 2:
        raise ValueError("at least two indicators are needed: those that match")
    chance = Random(f"{seed}/indicators")  # noqa: S311 - made-up data, the same each time
    (named, role), (traded, heading) = _known_name(items, avoid), _known_goods(items, avoid)
    drawn = chance.sample(_nothing(), k=len(_nothing()))
    others = [drawn[index % len(drawn)] for index in range(count - 2)]
    patterns: list[tuple[Pattern, str | None]] = [(_name_pattern(named, role), named.item_id)]
    patterns += [(pattern, None) for pattern in others]
    patterns.append((_goods_pattern(traded, heading), traded.item_id))
    serial = chance.randrange(1_000, 8_000)
    messages, matches = [], {}
    for number, (pattern, item_id) in enumerate(patterns):
        identifier = f"{issuer}-{at.year}-{serial + number:06d}"
        messages.append(_indicator(pattern, identifier, issuer=issuer, at=at))
        if item_id is not None:
            matches[identifier] = item_id
    return Indicators(messages=tuple(messages), matches=matches)


def _indicator(pattern: Pattern, identifier: str, *, issuer: str, at: datetime) -> RiskIndicator:
    return RiskIndicator(
        issuer=issuer,
        indicator_id=identifier,
        kind=pattern.kind,
        area=pattern.area,
        level=pattern.level,
        statement=pattern.statement,
        subjects=pattern.subjects,
        version=1,
        function="original",
        evidence=f"{issuer}/case/{identifier}",
        valid_from=at - timedelta(days=1),
        valid_to=at + VALID,
        handling="own-use",
    )


def _name_pattern(item: ItemDeclaration, role: str) -> Pattern:
    party: TradeParty = getattr(item, role)
    assert party.name is not None
    alias = latin()[party.name]
    return Pattern(
        kind="entity",
        area="revenue",
        level="high",
        statement="Trader known under several names whose goods were undervalued",
        subjects=(RiskSubject(names=(alias, alias.upper(), party.name), role=role),),
    )


def _goods_pattern(item: ItemDeclaration, heading: str) -> Pattern:
    route = RouteSubject(origin=_country(item.sender), destination=_country(item.addressee))
    return Pattern(
        kind="commodity",
        area="IPR",
        level="medium",
        statement="Counterfeits among goods of this heading on this route",
        subjects=(RiskSubject(hs_prefixes=(heading,), routes=(route,)),),
    )


def _known_name(
    items: Sequence[ItemDeclaration], avoid: Collection[str]
) -> tuple[ItemDeclaration, str]:
    """The last item with a name that has an alias and is in no other item; whose name it is."""
    seen = Counter(name for item in items for name in _names(item))
    for item in reversed(items):
        for role, name in (("sender", item.sender.name), ("addressee", item.addressee.name)):
            if item.item_id not in avoid and name in latin() and seen[name] == 1:
                return item, role
    raise ValueError("no item has a name with an alias that no other item has")


def _known_goods(
    items: Sequence[ItemDeclaration], avoid: Collection[str]
) -> tuple[ItemDeclaration, str]:
    """The last item from the post's own country with goods of its own; their heading.

    Goods that no item has on any route are preferred to those that none has on this route.
    """
    anywhere = Counter(prefix for item in items for prefix in set(_prefixes(item)))
    domestic = [item for item in items if _country(item.sender) == item.item_id[-2:]]
    here = Counter(prefix for item in domestic for prefix in set(_prefixes(item)))
    for seen in (anywhere, here):
        for item in reversed(domestic):
            for prefix in _prefixes(item):
                if item.item_id not in avoid and seen[prefix] == 1:
                    return item, prefix
    raise ValueError("no item has goods that no other item has")


def _names(item: ItemDeclaration) -> Iterator[str]:
    for party in (item.sender, item.addressee):
        yield from (name for name in (party.name, party.organisation) if name is not None)


def _prefixes(item: ItemDeclaration) -> Iterator[str]:
    return (piece.hs[:PREFIX] for piece in item.pieces if piece.hs is not None)


def _country(party: TradeParty) -> str | None:
    return None if party.address is None else party.address.country


@cache
def _nothing() -> tuple[Pattern, ...]:
    """The indicators of the table, which match nothing."""
    source = resources.files("gateway.demo.generator").joinpath("data", "indicators.toml")
    return msgspec.convert(
        toml.decode(source.read_text("utf-8"))["indicator"], tuple[Pattern, ...], strict=False
    )
