"""How destinations stand, as one process knows it: read once a tick, changed in the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.core.destinations import Change, Destinations, Standing, Step
from gateway.core.errors import Unavailable

Told = Callable[[Change], None]
"""Told of every change that this process makes or notices."""


class Switchboard:
    """Switches and breakers. ``node`` is this process's name, unlike that of any other."""

    def __init__(self, destinations: Destinations, *, node: str, told: Told) -> None:
        self.node = node
        self._destinations = destinations
        self._told = told
        self._standings: Mapping[str, Standing] = {}

    def of(self, destination: str) -> Standing:
        """How a destination stood when it was last looked at."""
        return self._standings.get(destination) or Standing(id=destination)

    async def refresh(self) -> frozenset[str]:
        """Look again; which destinations stand otherwise now.

        While the journal can not be read, everything stands as it did.
        """
        try:
            now = await self._destinations.all()
        except Unavailable:
            return frozenset()
        before, self._standings = self._standings, now
        changed = frozenset(
            name
            for name in before.keys() | now.keys()
            if before.get(name, Standing(id=name)) != now.get(name, Standing(id=name))
        )
        for name in sorted(changed):
            self._told(Change(before.get(name, Standing(id=name)), self.of(name)))
        return changed

    async def change(self, destination: str, step: Step) -> Standing:
        """Make a step for all nodes; how the destination stands afterwards.

        While the journal can not be written, it stands as it did.
        """
        try:
            change = await self._destinations.change(destination, step)
        except Unavailable:
            return self.of(destination)
        known = self.of(destination)
        self._standings = {**self._standings, destination: change.after}
        if known != change.after:
            self._told(Change(known, change.after))
        return change.after
