"""Who may get which kinds of message with which fields, for what purpose."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

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
        if self.party is not None and self.party != party.id:
            return False
        if self.role is not None and self.role not in party.roles:
            return False
        return any(fnmatchcase(kind, glob) for glob in self.kinds)


class Agreements(msgspec.Struct, frozen=True):
    """All agreements of a gateway; the first that covers a case decides, parties before roles."""

    entries: tuple[Agreement, ...]

    @staticmethod
    def of(entries: Iterable[Agreement]) -> Agreements:
        """In order of precedence: with a party, with a role; otherwise as written."""
        return Agreements(tuple(sorted(entries, key=lambda entry: entry.party is None)))

    def find(self, party: Party, kind: str) -> Agreement | None:
        """The agreement under which a party gets a kind; ``None``: it may not."""
        return next((entry for entry in self.entries if entry.covers(party, kind)), None)
