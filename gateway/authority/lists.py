"""Revocation lists as files: made anew in time, and whenever the ledger knows more than they."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.authority.files import put
from gateway.authority.holdings import ROLES, Holdings
from gateway.authority.ledger import Ledger, Role
from trust.authority import Issuer, issue_crl
from trust.enrolment import REASONS

RENEW_BEFORE = 0.5
"""A list is made anew when less than this share of its time is left."""
_KEPT_AFTER_END = timedelta(days=30)
"""A serial stays on the list so long after its certificate ended (RFC 5280, 3.3: one list more)."""
_CLOCK_SLACK = timedelta(minutes=5)


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A list that was written."""

    issuer: Role
    path: str
    number: int
    entries: int
    next_update: datetime


def publish_lists(
    folder: Path, holdings: Holdings, ledger: Ledger, *, now: datetime, anew: bool = False
) -> tuple[Published, ...]:
    """Write each list that is due, lags behind, or all of them when ``anew``.

    The caller has the folder alone. Lists of an authority whose key is elsewhere are passed over.
    """
    written = []
    for role in ROLES:
        issuer = holdings.issuer(role)
        if issuer is None:
            continue
        path = folder / "crl" / f"{role}.crl"
        old = read_list(path)
        revoked = _standing(ledger, role, now)
        if anew or old is None or _is_due(old, now) or not _holds(old, revoked):
            days = holdings.profile.validity
            lasts = days.root_crl_days if role == "root" else days.crl_days
            written.append(_write(path, role, issuer, ledger, revoked, old, now=now, lasts=lasts))
    return tuple(written)


def read_list(path: Path) -> x509.CertificateRevocationList | None:
    """The list of a file; ``None`` when there is none that can be read."""
    try:
        return x509.load_pem_x509_crl(path.read_bytes())
    except (OSError, ValueError):
        return None


def number_of(crl: x509.CertificateRevocationList) -> int:
    """The number of a list (RFC 5280, 5.2.3); 0 without one."""
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, x509.ExtensionNotFound):
        return 0


def _standing(ledger: Ledger, role: Role, now: datetime) -> dict[int, tuple[datetime, str]]:
    """Serial, date and reason of what belongs on a list now."""
    return {
        int(entry.serial, 16): (entry.revoked_at, entry.reason)
        for entry in ledger.revoked(role)
        if entry.revoked_at is not None
        and entry.parsed().not_valid_after_utc + _KEPT_AFTER_END > now
    }


def _is_due(crl: x509.CertificateRevocationList, now: datetime) -> bool:
    end = crl.next_update_utc
    if end is None or now < crl.last_update_utc:
        return True
    return (end - now) / (end - crl.last_update_utc) < RENEW_BEFORE


def _holds(crl: x509.CertificateRevocationList, revoked: dict[int, tuple[datetime, str]]) -> bool:
    return all(
        crl.get_revoked_certificate_by_serial_number(serial) is not None for serial in revoked
    )


def _write(
    path: Path,
    role: Role,
    issuer: Issuer,
    ledger: Ledger,
    revoked: dict[int, tuple[datetime, str]],
    old: x509.CertificateRevocationList | None,
    *,
    now: datetime,
    lasts: int,
) -> Published:
    with ledger.change():
        number = ledger.next_list(role, now=now, after=0 if old is None else number_of(old))
    this_update = now - _CLOCK_SLACK
    if old is not None and old.last_update_utc < now:  # a later list is dated later
        this_update = max(this_update, old.last_update_utc + timedelta(seconds=1))
    crl = issue_crl(
        issuer,
        number=number,
        revoked={serial: at for serial, (at, _) in revoked.items()},
        reasons={serial: REASONS[reason] for serial, (_, reason) in revoked.items()},
        this_update=this_update,
        next_update=now + timedelta(days=lasts),
    )
    put(path, crl.public_bytes(serialization.Encoding.PEM))
    return Published(
        issuer=role,
        path=str(path),
        number=number,
        entries=len(crl),
        next_update=now + timedelta(days=lasts),
    )
