"""Who expires when: certificates, keys, delegations and lists, and how near their end is.

Three warnings come before the end, at 60, 30 and 7 days. What lives shorter than that by design
(revocation lists, responders) is warned about when half, a third and a sixth of its time is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

import msgspec
from cryptography import x509

from trust.binding import Binding
from trust.certificates import load_certificates
from trust.errors import TrustError
from trust.inventory import Holding
from trust.members import Party, SigningKey
from trust.party import Registry

Kind = Literal[
    "tls", "signing", "authority", "key", "pinned", "delegation", "crl", "certificate", "client"
]
Level = Literal["ok", "notice", "warning", "urgent", "expired"]
LEVELS: tuple[Level, ...] = ("ok", "notice", "warning", "urgent", "expired")
"""From the best to the worst."""

WARNINGS: Mapping[Level, tuple[timedelta, float]] = MappingProxyType(
    {
        "urgent": (timedelta(days=7), 1 / 6),
        "warning": (timedelta(days=30), 1 / 3),
        "notice": (timedelta(days=60), 1 / 2),
    }
)
"""The time that is left, and the share of its time for what lives short."""


class Expiring(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that ends: what it is, whose, which, and when.

    ``replaced``: something that lasts longer does its work already, so that its end is no news.
    """

    kind: Kind
    name: str
    """Whose it is: the id of a party, authority, destination or gateway."""
    what: str
    """Which one: a file, the name of a key, a serial."""
    until: datetime
    since: datetime | None = None
    short_lived: bool = False
    replaced: bool = False

    def left(self, now: datetime) -> timedelta:
        """Until it ends; negative afterwards."""
        return self.until - now

    def days(self, now: datetime) -> int:
        """Whole days until it ends; -1 on the first day after."""
        return self.left(now) // timedelta(days=1)

    def level(self, now: datetime) -> Level:
        """How near its end is."""
        if self.replaced:
            return "ok"
        left = self.left(now)
        if left <= timedelta(0):
            return "expired"
        for level, (days, share) in WARNINGS.items():
            bound = days
            if self.short_lived and self.since is not None:
                bound = min(days, (self.until - self.since) * share)
            if left <= bound:
                return level
        return "ok"


def worst(found: Iterable[Expiring], *, now: datetime) -> Level:
    """The worst level among them; ``ok`` of none."""
    return max((one.level(now) for one in found), key=LEVELS.index, default="ok")


def in_order(found: Iterable[Expiring], *, now: datetime) -> list[Expiring]:
    """The worst first, and of one level what ends first."""
    return sorted(found, key=lambda one: (-LEVELS.index(one.level(now)), one.until, one.what))


def of_certificate(pem: bytes, *, kind: Kind, name: str, what: str) -> Iterator[Expiring]:
    """The first certificate of a PEM text; nothing of a text without one."""
    try:
        found = load_certificates(pem)[0]
    except TrustError:
        return
    yield certificate_expiry(found, kind=kind, name=name, what=what)


def of_chain(pem: bytes, *, kind: Kind, name: str, what: str) -> Iterator[Expiring]:
    """Every certificate of a PEM text: what is presented ends with the first of them that ends."""
    try:
        first, *others = load_certificates(pem)
    except TrustError:
        return
    yield certificate_expiry(first, kind=kind, name=name, what=what)
    for other in others:
        more = f"{what}: {other.subject.rfc4514_string()}"
        yield certificate_expiry(other, kind=kind, name=name, what=more)


def certificate_expiry(
    certificate: x509.Certificate, *, kind: Kind, name: str, what: str, replaced: bool = False
) -> Expiring:
    """When a certificate ends."""
    return Expiring(
        kind=kind,
        name=name,
        what=what,
        until=certificate.not_valid_after_utc,
        since=certificate.not_valid_before_utc,
        replaced=replaced,
    )


def of_list(content: bytes, *, name: str, what: str) -> Iterator[Expiring]:
    """When a revocation list runs out; nothing of what is none."""
    try:
        pem = b"-----BEGIN X509 CRL-----" in content
        crl = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
        end = crl.next_update_utc
    except Exception:  # whatever a parser raises on foreign bytes means no
        return
    if end is not None:
        yield Expiring(
            kind="crl",
            name=name,
            what=what,
            until=end,
            since=crl.last_update_utc,
            short_lived=True,
        )


def of_registry(registry: Registry) -> Iterator[Expiring]:
    """Authorities, keys of parties, and delegations, as far as they end."""
    for authority in registry.authorities.values():
        certificates = [load_certificates(pem.encode())[0] for pem in authority.certificates]
        for certificate in certificates:
            yield certificate_expiry(
                certificate,
                kind="authority",
                name=authority.id,
                what=certificate.subject.rfc4514_string(),
                replaced=any(_replaces(other, certificate) for other in certificates),
            )
    for party in registry.parties.values():
        yield from _keys(party)
    for registered in registry.delegations:
        claims = registered.claims
        if not registered.void:
            yield Expiring(
                kind="delegation",
                name=claims.delegator,
                what=f"{claims.id} for {claims.delegate}",
                until=datetime.fromtimestamp(claims.not_after, UTC),
                since=datetime.fromtimestamp(claims.not_before, UTC),
            )


def of_clients(seen: Iterable[Binding]) -> Iterator[Expiring]:
    """Client certificates that were shown; of each party the one that lasts longest counts."""
    longest: dict[str, datetime] = {}
    held = tuple(seen)
    for binding in held:
        party = binding.party.id
        longest[party] = max(binding.not_after, longest.get(party, binding.not_after))
    for binding in held:
        yield Expiring(
            kind="client",
            name=binding.party.id,
            what=binding.identity.fingerprint,
            until=binding.not_after,
            since=binding.not_before,
            replaced=binding.not_after < longest[binding.party.id],
        )


def of_holdings(holdings: Iterable[Holding]) -> Iterator[Expiring]:
    """What lies in a folder; what is revoked has ended already."""
    for holding in holdings:
        if not holding.revoked:
            yield Expiring(
                kind=holding.kind,
                name=holding.party or holding.subject.removeprefix("CN="),
                what=holding.path,
                until=holding.not_after,
                since=holding.not_before,
                short_lived=holding.kind == "crl",
            )


def _keys(party: Party) -> Iterator[Expiring]:
    """A key that ends is no news while another of the party begins before and ends after it."""
    for key in party.signing_keys:
        if key.not_after is None:
            continue
        yield Expiring(
            kind="key",
            name=party.id,
            what=key.kid,
            until=key.not_after,
            since=key.not_before,
            replaced=any(_outlasts(other, key) for other in party.signing_keys),
        )


def _outlasts(other: SigningKey, key: SigningKey) -> bool:
    assert key.not_after is not None  # asked of nothing else
    later = other.not_after is None or other.not_after > key.not_after
    return later and (other.not_before is None or other.not_before <= key.not_after)


def _replaces(other: x509.Certificate, one: x509.Certificate) -> bool:
    """The same authority, name and key, with a later end."""
    return (
        other.subject == one.subject
        and other.public_key() == one.public_key()
        and other.not_valid_after_utc > one.not_valid_after_utc
    )
