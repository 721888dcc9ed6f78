"""What lies in the folder of an authority, read and judged before anything is done with it.

authority.toml                        the profile
ledger.db                             everything that was issued and revoked
root.pem issuing.pem chain.pem        the two authorities; both in one file
issuing.csr                           only while a root elsewhere has not signed it
private/root.key private/issuing.key  mode 0600; root.key may be elsewhere
crl/root.crl crl/issuing.crl          the lists, for who has no network to a responder
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from gateway.authority.faults import AuthorityError
from gateway.authority.files import check_writers, read_private
from gateway.authority.ledger import Role
from gateway.authority.profile import AuthorityProfile, read_profile
from trust.authority import Issuer, TlsKey, load_tls_key
from trust.certificates import is_authority, load_certificates
from trust.errors import TrustError

ROLES: tuple[Role, ...] = ("root", "issuing")


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """The profile, both certificates, and the keys that are here."""

    profile: AuthorityProfile
    certificates: Mapping[Role, x509.Certificate]
    keys: Mapping[Role, TlsKey]

    def issuer(self, role: Role) -> Issuer | None:
        """The authority with its key; ``None`` when the key is elsewhere."""
        key = self.keys.get(role)
        return None if key is None else Issuer(self.certificates[role], key)


def load_profile(folder: Path) -> AuthorityProfile:
    """The profile of a folder; raises ``AuthorityError``."""
    file = folder / "authority.toml"
    if not file.is_file():
        raise AuthorityError(f"no authority in {folder}; luxor authority init makes one")
    for path in (folder, file):
        check_writers(path)
    return read_profile(file.read_bytes())


def load_holdings(folder: Path) -> Holdings:
    """Everything of a folder; raises ``AuthorityError`` for what is missing, open or wrong."""
    profile = load_profile(folder)
    for path in (folder / "private", folder / "ledger.db"):
        if path.exists():
            check_writers(path)
    if (folder / "issuing.csr").is_file() and not (folder / "issuing.pem").is_file():
        raise AuthorityError(
            f"{folder / 'issuing.csr'} waits for its root to sign it; "
            "then luxor authority install puts the certificates in place"
        )
    certificates: dict[Role, x509.Certificate] = {
        role: read_authority(folder / f"{role}.pem") for role in ROLES
    }
    check_pair(certificates["root"], certificates["issuing"])
    keys: dict[Role, TlsKey] = {}
    for role in ROLES:
        key = _key(folder / "private" / f"{role}.key")
        if key is None:
            continue
        if key.public_key() != certificates[role].public_key():
            raise AuthorityError(f"private/{role}.key is not the key of {role}.pem")
        keys[role] = key
    return Holdings(profile=profile, certificates=certificates, keys=keys)


def read_authority(file: Path) -> x509.Certificate:
    """The certificate of an authority; raises ``AuthorityError`` for anything else."""
    try:
        certificate = load_certificates(file.read_bytes())[0]
    except TrustError as error:
        raise AuthorityError(f"{file}: {error.detail}") from error
    if not is_authority(certificate):
        raise AuthorityError(f"{file}: this certificate may not issue others")
    return certificate


def check_pair(root: x509.Certificate, issuing: x509.Certificate) -> None:
    """Raise ``AuthorityError`` unless the one is a root and has issued the other."""
    for below in (root, issuing):
        try:
            below.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature) as error:
            what = "root.pem is no root" if below is root else "root.pem did not issue issuing.pem"
            raise AuthorityError(what) from error


def _key(file: Path) -> TlsKey | None:
    if not file.is_file():
        return None
    try:
        return load_tls_key(read_private(file))
    except TrustError as error:
        raise AuthorityError(f"{file}: {error.detail}") from error
