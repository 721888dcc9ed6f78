"""Routes: rows of the configuration that say which kinds go where, judged without side effects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from translators.canonical import Message, kind_of
from trust.identity import Identity

ORIGIN = "@origin"
"""Route target: the sender of the message that an answer regards."""


DECLARANT = "@declarant"
"""Route target: who sent the latest declaration of each item that a message is about."""


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. Every condition that is set must hold; lists mean any of them.

    ``to`` names destinations, ``@origin`` or ``@declarant``. ``lane`` 0 is the most urgent of
    four. ``format`` overrides that of the destination.
    """

    name: str
    kinds: tuple[str, ...]
    to: tuple[str, ...]
    from_parties: tuple[str, ...] = ()
    from_roles: tuple[str, ...] = ()
    origin_countries: tuple[str, ...] = ()
    destination_countries: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    """Outcomes or decisions, for assessments and responses."""
    areas: tuple[str, ...] = ()
    """Risk areas, for indicators."""
    handling: tuple[str, ...] = ()
    """Handling codes, for indicators."""
    hops: tuple[str, ...] = ()
    """Hops, for referrals: to-declarant, to-origin, from-origin, from-declarant."""
    origin_roles: tuple[str, ...] = ()
    """For ``@origin`` and ``@declarant``: only senders of one of these roles get it."""
    lane: int = 2
    format: str | None = None

    def carries(self, kind: str) -> bool:
        """True when this route concerns that kind at all."""
        return any(fnmatchcase(kind, glob) for glob in self.kinds)

    def matches(self, message: Message, sender: Identity) -> bool:
        """True when a message from ``sender`` takes this route."""
        if not self.carries(kind_of(message)):
            return False
        if self.from_parties and sender.party not in self.from_parties:
            return False
        if self.from_roles and not sender.roles.intersection(self.from_roles):
            return False
        return all(
            not wanted or _value(message, names) in wanted
            for wanted, names in (
                (self.origin_countries, ("origin_country", "export_country")),
                (self.destination_countries, ("destination_country",)),
                (self.outcomes, ("outcome", "decision")),
                (self.areas, ("area",)),
                (self.handling, ("handling",)),
                (self.hops, ("hop",)),
            )
        )


class DestinationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One destination that a route leads to, before it is known which party ``@origin`` is."""

    target: str
    route: Route


class Routes(msgspec.Struct, frozen=True):
    """All routes, in the order of the configuration."""

    entries: tuple[Route, ...]

    def plan(self, message: Message, sender: Identity) -> tuple[DestinationPlan, ...]:
        """Where a message goes: each target once, by the first route that names it."""
        return tuple(_once(self.entries, message, sender))

    def asks_declarants(self, kind: str) -> bool:
        """Whether a message of that kind may have to go to those who declared its items."""
        return any(DECLARANT in route.to and route.carries(kind) for route in self.entries)

    def get(self, name: str) -> Route:
        """The route of that name; raises ``KeyError``."""
        for route in self.entries:
            if route.name == name:
                return route
        raise KeyError(name)


def _once(routes: Iterable[Route], message: Message, sender: Identity) -> Iterator[DestinationPlan]:
    seen: set[str] = set()
    for route in routes:
        if not route.matches(message, sender):
            continue
        for target in route.to:
            if target not in seen:
                seen.add(target)
                yield DestinationPlan(target=target, route=route)


def _value(message: Any, names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := getattr(message, name, None))), None)
