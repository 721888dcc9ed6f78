"""Binding a client certificate to exactly one party, and remembering it.

Costly and lasting: path, profile and binding are proved once per certificate and registry. What
changes with time is not judged here, but by ``trust.authenticator`` on every call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from trust.certificates import (
    check_profile,
    fingerprint,
    key_fingerprint,
    load_certificate,
    party_of,
)
from trust.chain import Path, anchor, build_paths
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.issuers import check_authorities
from trust.keys import signing_fingerprint
from trust.members import Party
from trust.party import Registry

REMEMBERED = 4_096


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """Whose certificate it is, and the paths of the authorities that may vouch for that party."""

    party: Party
    identity: Identity
    paths: tuple[Path, ...]
    not_before: datetime
    not_after: datetime

    def outdated(self, now: datetime) -> bool:
        """Whether a path may have come up that is newer than those that were found."""
        lives = self.not_before <= now <= self.not_after
        return lives and not any(path.not_before <= now <= path.not_after for path in self.paths)


class Bindings:
    """The bindings of one registry. Remembers at most ``remembered``, the oldest go first.

    Safe to call from several threads: entries are only ever added or dropped whole.
    """

    __slots__ = ("_anchors", "_known", "_remembered", "_signing", "registry")

    def __init__(self, registry: Registry, *, remembered: int = REMEMBERED) -> None:
        """Reads every certificate of the registry's authorities once."""
        self.registry: Final = registry
        self._anchors = [anchor(authority) for authority in registry.authorities.values()]
        self._signing = frozenset(
            signing_fingerprint(key)
            for party in registry.parties.values()
            for key in party.signing_keys
        )
        self._remembered = remembered
        self._known: dict[str, Binding] = {}

    def find(self, der: bytes, *, now: datetime) -> Binding:
        """The binding of a certificate; raises ``certificate.*`` or ``party.*`` without one.

        Nothing is said about ``now`` but that the path was sought for it.
        """
        print_ = fingerprint(der)
        known = self._known.get(print_)
        if known is not None and not known.outdated(now):
            return known
        found = self._prove(der, print_, now)
        if len(self._known) >= self._remembered:
            self._known.pop(next(iter(self._known), ""), None)
        self._known[print_] = found
        return found

    def seen(self) -> tuple[Binding, ...]:
        """Those that are remembered: whose certificates were shown since the registry changed."""
        return tuple(self._known.copy().values())

    def _prove(self, der: bytes, print_: str, now: datetime) -> Binding:
        certificate = load_certificate(der)
        paths = build_paths(certificate, self._anchors, now=now)
        check_profile(certificate)
        if key_fingerprint(certificate) in self._signing:  # one is at the rim, the other kept away
            raise TrustError("certificate.profile", "its key is registered to sign messages")
        party = self._bound(print_, party_of(certificate))
        vouching = tuple(path for path in paths if path.authority in party.authorities)
        if not vouching:
            raise TrustError("certificate.untrusted", "this authority may not vouch for the party")
        for path in vouching:
            check_authorities(path.chain)
        return Binding(
            party=party,
            identity=Identity(party=party.id, roles=party.roles, fingerprint=print_),
            paths=vouching,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )

    def _bound(self, print_: str, named: PartyId | None) -> Party:
        """The one party: by pinned certificate, or by the name in it; never by common name."""
        pinned = self.registry.pinned(print_)
        if pinned is not None:
            if named is not None and named != pinned.id:
                raise TrustError("party.ambiguous", "pinned to one party, it names another")
            return pinned
        if named is None:
            raise TrustError("certificate.profile", "no URI in it names a party")
        party = self.registry.party(named)
        if party.thumbprints:
            raise TrustError("certificate.untrusted", "other certificates are pinned to the party")
        return party
