"""Who may get which kinds of message with which fields, for what purpose."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from gateway.core.kinds import by_kind, speaks_of
from trust.party import Party


class Source(StrEnum):
    """Whether the receiver is told which party a message came from."""

    NAMED = "named"
    HIDDEN = "hidden"


class Agreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A disclosure agreement.

    It holds with one ``party`` or with all parties of a ``role``. ``kinds`` are globs of message
    kinds, ``fields`` globs of canonical paths such as ``item_id``, ``addressee/address/country``,
    ``pieces/*/hs`` or ``**``. What no glob covers is withheld.
    """

    name: str
    purpose: str
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    party: str | None = None
    role: str | None = None
    source: Source = Source.NAMED
    legal_basis: str = ""

    def covers(self, party: Party, kind: str) -> bool:
        """True when this agreement lets that party get that kind."""
        return self.holds_with(party) and speaks_of(self, kind)

    def holds_with(self, party: Party) -> bool:
        """True when this agreement is with that party, alone or as one of a role."""
        if self.party is not None and self.party != party.id:
            return False
        return self.role is None or self.role in party.roles


class Agreements:
    """All agreements of a gateway; the first that covers a case decides, parties before roles.

    Immutable.
    """

    __slots__ = ("_by_kind", "entries")

    def __init__(self, entries: tuple[Agreement, ...]) -> None:
        self.entries: Final = entries
        self._by_kind = by_kind(entries)

    @staticmethod
    def of(entries: Iterable[Agreement]) -> Agreements:
        """In order of precedence: with a party, with a role; otherwise as written."""
        return Agreements(tuple(sorted(entries, key=lambda entry: entry.party is None)))

    def find(self, party: Party, kind: str) -> Agreement | None:
        """The agreement under which a party gets a kind of message; ``None``: it may not."""
        for entry in self._by_kind.get(kind, ()):
            if entry.holds_with(party):
                return entry
        return None
