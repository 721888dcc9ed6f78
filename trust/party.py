"""The registry: every party and authority of a network, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self

import msgspec

from trust.delegation import Principal, Registered, acting, read, register
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import public_keys
from trust.members import Authority, Grant, Party, Policy, Severity, SigningKey
from trust.mistakes import Mistake, RegistryError
from trust.registry_read import read_registry
from trust.registry_rules import find_mistakes
from trust.registry_write import write_registry
from trust.sources import Read

__all__ = [
    "Authority",
    "Grant",
    "Party",
    "Policy",
    "Registry",
    "RegistryError",
    "Severity",
    "SigningKey",
]


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    authorities: tuple[Authority, ...] = ()
    parties: tuple[Party, ...] = ()
    policy: Policy = Policy()
    delegations: tuple[str, ...] = ()


class _Earlier(msgspec.Struct, frozen=True):
    """What a stored party had before it had ``speaks``."""

    answer_format: str | None = None


class _EarlierDocument(msgspec.Struct, frozen=True):
    parties: tuple[_Earlier, ...] = ()


class Registry:
    """Parties and authorities by id. Change makes a new registry; ``version`` tells them apart.

    Making one raises ``RegistryError`` with everything that contradicts itself: a certificate or
    a key belongs to one party, an authority that is listed exists, its certificates may issue.
    A delegation whose proof does not hold is no such mistake: it is ``void``, and counts for
    nothing.
    """

    __slots__ = ("_given", "_pinned", "authorities", "delegations", "parties", "policy", "version")

    def __init__(
        self,
        *,
        authorities: Iterable[Authority] = (),
        parties: Iterable[Party] = (),
        policy: Policy = Policy(),  # noqa: B008 - a frozen value
        delegations: Iterable[str] = (),
        version: int = 1,
    ) -> None:
        held, listed = tuple(authorities), tuple(parties)
        if mistakes := find_mistakes(held, listed):
            raise RegistryError(mistakes)
        self.policy: Final = policy
        self.delegations: Final = _registered(tuple(delegations), listed)
        self._given: dict[tuple[str, str], list[Registered]] = {}
        for each in self.delegations:
            pair = (each.claims.delegator, each.claims.delegate)
            self._given.setdefault(pair, []).append(each)
        self.version: Final = version
        self.authorities: Final[Mapping[str, Authority]] = MappingProxyType({a.id: a for a in held})
        self.parties: Final[Mapping[PartyId, Party]] = MappingProxyType({p.id: p for p in listed})
        self._pinned = {print_: party for party in listed for print_ in party.thumbprints}

    def party(self, identifier: PartyId) -> Party:
        """The party of that id; raises ``party.unknown``."""
        found = self.parties.get(identifier)
        if found is None:
            raise TrustError("party.unknown")
        return found

    def pinned(self, fingerprint: str) -> Party | None:
        """The party to which a certificate is pinned."""
        return self._pinned.get(fingerprint)

    def principal(
        self, delegate: PartyId, claimed: str, *, gateway: str, now: datetime
    ) -> Principal:
        """For whom a party acts that claims to act for ``claimed`` at ``gateway``.

        Raises ``permission.on-behalf-of`` when no delegation is in force.
        """
        return acting(
            self._given.get((claimed, delegate), ()),
            self.parties,
            delegate=delegate,
            principal=claimed,
            gateway=gateway,
            now=now,
        )

    def void(self) -> tuple[Mistake, ...]:
        """What stands in the registry and counts for nothing, each with its place and why."""
        return tuple(
            Mistake(f"delegation[{at}].token", f"void: {registered.void}")
            for at, registered in enumerate(self.delegations)
            if registered.void
        )

    def crls(self) -> tuple[str, ...]:
        """The names of all revocation lists, for whoever reads the files."""
        return tuple(dict.fromkeys(name for a in self.authorities.values() for name in a.crls))

    def with_party(self, party: Party) -> Self:
        """A registry, one version on, in which the party is added or replaced."""
        return type(self)(
            authorities=self.authorities.values(),
            parties=({**self.parties, party.id: party}).values(),
            policy=self.policy,
            delegations=[registered.token for registered in self.delegations],
            version=self.version + 1,
        )

    @classmethod
    def from_toml(cls, text: str, read: Read) -> Self:
        """The registry that a TOML text describes; ``read`` gives the files that it names.

        Raises ``RegistryError`` with every mistake and its place. ``read`` may raise ``OSError``.
        """
        content = read_registry(text, read)
        return cls(
            version=content.version,
            authorities=content.authorities,
            parties=content.parties,
            policy=content.policy,
            delegations=content.delegations,
        )

    def to_toml(self) -> str:
        """The registry as TOML that names no other file but revocation lists."""
        return write_registry(
            self.version,
            self.authorities.values(),
            self.parties.values(),
            policy=self.policy,
            delegations=[registered.token for registered in self.delegations],
        )

    @classmethod
    def from_json(cls, document: bytes) -> Self:
        """The registry of a document that ``to_json`` made, of an earlier version too.

        Raises ``RegistryError``.
        """
        try:
            found = msgspec.json.decode(document, type=_Document)
            earlier = msgspec.json.decode(document, type=_EarlierDocument)
        except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
            raise RegistryError([Mistake("", str(error))]) from error
        parties = [
            msgspec.structs.replace(party, speaks=(before.answer_format,))
            if before.answer_format is not None and not party.speaks
            else party
            for party, before in zip(found.parties, earlier.parties, strict=True)
        ]
        return cls(
            version=found.version,
            authorities=found.authorities,
            parties=parties,
            policy=found.policy,
            delegations=found.delegations,
        )

    def to_json(self) -> bytes:
        """The registry as one document with everything in it, for a database."""
        return msgspec.json.encode(
            _Document(
                version=self.version,
                authorities=tuple(self.authorities.values()),
                parties=tuple(self.parties.values()),
                policy=self.policy,
                delegations=tuple(registered.token for registered in self.delegations),
            ),
            order="deterministic",
        )


def _registered(tokens: tuple[str, ...], parties: tuple[Party, ...]) -> tuple[Registered, ...]:
    """Every delegation, those that are void too; raises ``RegistryError`` for what is none."""
    keys = {party.id: party.signing_keys for party in parties}
    found: list[Registered] = []
    mistakes: list[Mistake] = []
    names: set[tuple[str, str]] = set()
    for at, token in enumerate(tokens):
        path = f"delegation[{at}].token"
        try:
            delegator = PartyId(read(token).delegator)
            own = public_keys(keys[delegator]) if delegator in keys else None
            registered = register(token, own, keys)
        except TrustError as error:
            mistakes.append(Mistake(path, error.detail))
            continue
        name = (registered.claims.delegator, registered.claims.id)
        if name in names:
            mistakes.append(Mistake(path, f"{name[1]!r} of {name[0]!r} is there already"))
        names.add(name)
        found.append(registered)
    if mistakes:
        raise RegistryError(mistakes)
    return tuple(found)
