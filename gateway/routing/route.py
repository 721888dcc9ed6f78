"""Routes: rows of the configuration that say which kinds go where, judged without side effects."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.core.kinds import by_kind, speaks_of
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
        return speaks_of(self, kind)

    def matches(self, message: Message, sender: Identity) -> bool:
        """True when a message from ``sender`` takes this route."""
        return self.carries(kind_of(message)) and self.takes(message, sender)

    def takes(self, message: Message, sender: Identity) -> bool:
        """The same of a message of a kind that it carries."""
        if self.from_parties and sender.party not in self.from_parties:
            return False
        if self.from_roles and sender.roles.isdisjoint(self.from_roles):
            return False
        return (
            _is_in(self.origin_countries, message, "origin_country", "export_country")
            and _is_in(self.destination_countries, message, "destination_country")
            and _is_in(self.outcomes, message, "outcome", "decision")
            and _is_in(self.areas, message, "area")
            and _is_in(self.handling, message, "handling")
            and _is_in(self.hops, message, "hop")
        )


def _is_in(wanted: tuple[str, ...], message: Message, *names: str) -> bool:
    """Whether the first of these fields that says something says what is wanted, if any is."""
    if not wanted:
        return True
    return (
        next((value for name in names if (value := getattr(message, name, None))), None) in wanted
    )


class DestinationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One destination that a route leads to, before it is known which party ``@origin`` is."""

    target: str
    route: Route


class Routes:
    """All routes, in the order of the configuration. Immutable."""

    __slots__ = ("_by_kind", "_by_name", "_to_declarants", "entries")

    def __init__(self, entries: tuple[Route, ...]) -> None:
        self.entries: Final = entries
        self._by_name = {route.name: route for route in reversed(entries)}
        self._by_kind = {
            kind: tuple((route, _steps(route)) for route in routes)
            for kind, routes in by_kind(entries).items()
        }
        self._to_declarants = frozenset(
            kind
            for kind, routes in self._by_kind.items()
            if any(DECLARANT in route.to for route, _ in routes)
        )

    def plan(self, message: Message, sender: Identity) -> tuple[DestinationPlan, ...]:
        """Where a message goes: each target once, by the first route that names it."""
        taken: dict[str, DestinationPlan] = {}
        for route, steps in self._by_kind[kind_of(message)]:
            if route.takes(message, sender):
                for step in steps:
                    taken.setdefault(step.target, step)
        return tuple(taken.values())

    def asks_declarants(self, kind: str) -> bool:
        """Whether a message of that kind may have to go to those who declared its items."""
        return kind in self._to_declarants

    def get(self, name: str) -> Route:
        """The route of that name; raises ``KeyError``."""
        return self._by_name[name]


def _steps(route: Route) -> tuple[DestinationPlan, ...]:
    return tuple(DestinationPlan(target=target, route=route) for target in route.to)
