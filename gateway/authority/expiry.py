"""What an authority issued, and itself, as things that end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.authority.holdings import ROLES
from gateway.authority.ledger import Entry
from gateway.authority.office import Office
from trust.expiry import Expiring, Kind, certificate_expiry, of_list

_KINDS: dict[str, Kind] = {"authority": "authority", "tls": "certificate", "signing": "signing"}


def expiring_of_authority(office: Office, *, now: datetime) -> Iterator[Expiring]:
    """Both authorities, their lists, and what parties were given.

    What is revoked has ended; what was renewed for the same hosts is replaced. A party's
    certificate that ended and was not renewed is told for its own lifetime once more, then no
    longer: the party has left.
    """
    for role in ROLES:
        yield certificate_expiry(
            office.holdings.certificates[role],
            kind="authority",
            name=office.profile.id,
            what=f"{role}.pem",
        )
        path = office.folder / "crl" / f"{role}.crl"
        if path.is_file():
            yield from of_list(path.read_bytes(), name=office.profile.id, what=f"crl/{role}.crl")
    given = [e for e in office.ledger.all() if e.purpose in ("tls", "signing") and not e.revoked_at]
    last: dict[object, Entry] = {_place(entry): entry for entry in given}
    for entry in given:
        certificate = entry.parsed()
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now - end > end - start:
            continue
        yield certificate_expiry(
            certificate,
            kind=_KINDS[entry.purpose],
            name=entry.party,
            what=entry.serial,
            replaced=last[_place(entry)] is not entry,
        )


def _place(entry: Entry) -> tuple[str, str, frozenset[str]]:
    """What a renewed certificate has in common with the old one."""
    return entry.party, entry.purpose, frozenset(entry.hosts())
