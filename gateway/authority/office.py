"""What an authority does: enrol, renew, revoke, publish; no crash leaves half of a step.

The ledger comes first. What is given out afterwards (files of certificates, lists) can be made
again from it, and :meth:`Office.publish` does so whenever a list lags behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import msgspec

from gateway.authority.faults import AuthorityError
from gateway.authority.files import alone
from gateway.authority.holdings import Holdings, load_holdings
from gateway.authority.ledger import Entry, Ledger, Role, serial_text
from gateway.authority.lists import Published, publish_lists
from gateway.authority.profile import AuthorityProfile
from trust.authority import Validity, generate_tls_key, issue_responder
from trust.certificates import pem_of
from trust.enrolment import REASONS, CertificatePurpose, Request, hosts_of, issue, read_request
from trust.identity import PartyId
from trust.responder import Good, Revoked, Seat, Standing, Unknown

CLOCK_SLACK = timedelta(minutes=5)  # a certificate is good at once, though clocks differ
NOBODY: Mapping[str, str] = MappingProxyType({})


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that was just issued."""

    entry: Entry
    chain: str
    """PEM: the certificate, the issuing authority's behind it."""
    passed_over: tuple[str, ...] = ()
    """Hosts that the request would have liked, and the certificate does not have."""


class Office:
    """One authority, opened. Times are arguments; every method may block for a disk write."""

    def __init__(self, folder: Path, holdings: Holdings, ledger: Ledger) -> None:
        self.folder = folder
        self.holdings = holdings
        self.ledger = ledger

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()

    def enrol(
        self,
        party: PartyId,
        request: bytes,
        *,
        purpose: CertificatePurpose,
        now: datetime,
        hosts: Sequence[str] = (),
        days: int | None = None,
        owners: Mapping[str, str] = NOBODY,
    ) -> Issued:
        """A certificate for whoever has the key of the request (PKCS #10).

        ``owners`` says to which parties keys belong already (``key_id`` to party), beyond what
        the ledger knows. Raises ``TrustError`` for a request that is refused and
        ``AuthorityError`` for a key that is taken.
        """
        asked = read_request(request, party=party, purpose=purpose, rules=self.profile.keys)
        return self._issue(party, asked, purpose, now, hosts=hosts, days=days, owners=owners)

    def renew(
        self,
        party: PartyId,
        *,
        purpose: CertificatePurpose,
        now: datetime,
        request: bytes | None = None,
        days: int | None = None,
        owners: Mapping[str, str] = NOBODY,
    ) -> Issued:
        """A new certificate in the place of the party's last one, for the same hosts.

        With a request it is for the key of that, otherwise for the same key again. The old one
        stays valid until it ends. Raises as :meth:`enrol`, and ``AuthorityError`` when there is
        nothing to renew.
        """
        last = self._last(party, purpose)
        certificate = last.parsed()
        if request is None:
            if last.revoked_at is not None:
                raise AuthorityError(
                    f"the last {purpose} certificate of {party!r} is revoked; "
                    "a new key is needed: give a request"
                )
            key = certificate.public_key()
            asked = Request(key=key, key_id=last.key_id)  # type: ignore[arg-type] # it was issued
        else:
            asked = read_request(request, party=party, purpose=purpose, rules=self.profile.keys)
        hosts = hosts_of(certificate)
        return self._issue(party, asked, purpose, now, hosts=hosts, days=days, owners=owners)

    def revoke(self, serials: Sequence[str], *, reason: str, now: datetime) -> tuple[Entry, ...]:
        """Revoke certificates and publish the lists that say so; the entries as they are now.

        On return every answer says revoked and the lists are on disk. Raises ``AuthorityError``
        for a serial that was never issued or a reason that there is not.
        """
        if reason not in REASONS:
            raise AuthorityError(f"no reason {reason!r}; there are {', '.join(REASONS)}")
        with alone(self.folder):
            with self.ledger.change():
                for serial in serials:
                    entry = self.ledger.find(serial)
                    if entry is None:
                        raise AuthorityError(f"no certificate {serial} was issued here")
                    if entry.purpose == "authority" and entry.issuer == "root" and _own(entry):
                        raise AuthorityError("a root cannot revoke itself; make another network")
                    self.ledger.revoke(serial, reason=reason, now=now)
            publish_lists(self.folder, self.holdings, self.ledger, now=now)
        return tuple(entry for s in serials if (entry := self.ledger.find(s)) is not None)

    def publish(self, *, now: datetime, anew: bool = False) -> tuple[Published, ...]:
        """Make every list that is due, or lags behind the ledger; all of them when ``anew``."""
        with alone(self.folder):
            return publish_lists(self.folder, self.holdings, self.ledger, now=now, anew=anew)

    def seat(self, role: Role, *, now: datetime) -> Seat | None:
        """A new delegated responder for what ``role`` issues; ``None`` where its key is elsewhere.

        Its key is nowhere but in memory, and nobody but its holder can answer with it.
        """
        issuer = self.holdings.issuer(role)
        if issuer is None:
            return None
        end = min(
            now + timedelta(days=self.profile.validity.responder_days),
            issuer.certificate.not_valid_after_utc,
        )
        key = generate_tls_key("P-256")
        certificate = issue_responder(
            key,
            issuer=issuer,
            name=f"{self.profile.title} OCSP",
            validity=Validity(now - CLOCK_SLACK, end),
        )
        with self.ledger.change():
            self.ledger.add(certificate, issuer=role, party="", purpose="responder", now=now)
        return Seat(issuer=issuer.certificate, responder=certificate, key=key)

    def standing(self, role: Role, serial: int) -> Standing:
        """What is to be said of a serial of that issuer."""
        entry = self.ledger.find(serial_text(serial))
        if entry is None or entry.issuer != role:
            return Unknown()
        if entry.revoked_at is None:
            return Good()
        return Revoked(entry.revoked_at, REASONS[entry.reason])

    @property
    def profile(self) -> AuthorityProfile:
        """How this authority issues."""
        return self.holdings.profile

    def _issue(
        self,
        party: PartyId,
        asked: Request,
        purpose: CertificatePurpose,
        now: datetime,
        *,
        hosts: Sequence[str],
        days: int | None,
        owners: Mapping[str, str],
    ) -> Issued:
        issuer = self.holdings.issuer("issuing")
        if issuer is None:
            raise AuthorityError("the key of the issuing authority is not here")
        validity = self.profile.validity
        usual = validity.tls_days if purpose == "tls" else validity.signing_days
        if days is not None and not 1 <= days <= usual:
            raise AuthorityError(f"a {purpose} certificate lasts 1 to {usual} days here")
        with self.ledger.change():
            self._check_owner(asked.key_id, party, purpose, owners)
            certificate = issue(
                asked,
                issuer=issuer,
                party=party,
                purpose=purpose,
                validity=Validity(now - CLOCK_SLACK, now + timedelta(days=days or usual)),
                hosts=hosts,
                pointers=self.profile.pointers("issuing"),
            )
            entry = self.ledger.add(
                certificate, issuer="issuing", party=party, purpose=purpose, now=now
            )
        given = hosts_of(certificate)
        return Issued(
            entry=entry,
            chain=f"{pem_of(certificate)}{pem_of(issuer.certificate)}",
            passed_over=tuple(name for name in asked.names if name not in given),
        )

    def _check_owner(
        self, key_id: str, party: PartyId, purpose: CertificatePurpose, owners: Mapping[str, str]
    ) -> None:
        """A key stands for one party and one purpose, and never again once it was stolen."""
        for other in self.ledger.of_key(key_id):
            if other.purpose in ("authority", "responder"):
                raise AuthorityError("this is a key of the authority itself")
            if other.party != party:
                raise AuthorityError(f"this key is that of party {other.party!r}")
            if other.purpose != purpose:
                raise AuthorityError(
                    f"this key is one for {other.purpose}; {purpose} needs a key of its own"
                )
            if other.reason == "key-compromise":
                raise AuthorityError("this key was reported as compromised; make a new one")
        registered = owners.get(key_id)
        if registered is not None and registered != party:
            raise AuthorityError(f"the registry has this key for party {registered!r}")
        if registered is not None and purpose == "tls":
            raise AuthorityError(
                "the registry has this key for signing; TLS needs a key of its own"
            )

    def _last(self, party: PartyId, purpose: CertificatePurpose) -> Entry:
        given = [entry for entry in self.ledger.of_party(party) if entry.purpose == purpose]
        if not given:
            raise AuthorityError(f"{party!r} has no {purpose} certificate of this authority")
        return given[-1]


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """The authority of a folder; raises ``AuthorityError`` when others could have touched it."""
    holdings = load_holdings(folder)
    office = Office(folder, holdings, Ledger(folder / "ledger.db"))
    try:
        yield office
    finally:
        office.close()


def _own(entry: Entry) -> bool:
    certificate = entry.parsed()
    return certificate.issuer == certificate.subject
