"""The beginning of an authority: its folder, its keys, its two certificates.

A folder appears whole or not at all. The root may be kept elsewhere: then the folder has a request
that the root signs, and begins to work when the certificates are installed.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.authority.faults import AuthorityError
from gateway.authority.files import alone, put, read_private
from gateway.authority.holdings import (
    Holdings,
    check_pair,
    load_holdings,
    load_profile,
    read_authority,
)
from gateway.authority.ledger import Ledger, serial_text
from gateway.authority.lists import publish_lists
from gateway.authority.profile import new_profile, read_profile
from trust.authority import (
    Issuer,
    TlsKey,
    Validity,
    generate_tls_key,
    issue_intermediate,
    issue_root,
    load_tls_key,
    private_key_pem,
    request_authority,
)
from trust.certificates import pem_of
from trust.errors import TrustError

AuthorityKeyKind = Literal["P-256", "P-384", "RSA-3072"]
_CLOCK_SLACK = timedelta(minutes=5)


def found(
    folder: Path,
    *,
    identifier: str,
    title: str,
    now: datetime,
    url: str = "",
    key: AuthorityKeyKind = "P-384",
    root_elsewhere: bool = False,
) -> None:
    """Make the folder of an authority; raises ``AuthorityError`` when it is there already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AuthorityError(f"{folder} is there already and not empty")
    profile = new_profile(identifier=identifier, title=title, url=url)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        (draft / "private").mkdir(mode=0o700)
        put(draft / "authority.toml", profile)
        with closing(Ledger(draft / "ledger.db", create=True)) as ledger:
            issuing_key = _new_key(draft, "issuing", key)
            if root_elsewhere:
                _ask(draft, issuing_key, title)
            else:
                _make_pair(draft, ledger, _new_key(draft, "root", key), issuing_key, now)
        draft.chmod(0o755)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def install(
    folder: Path,
    *,
    now: datetime,
    root: bytes | None = None,
    issuing: bytes | None = None,
    root_crl: bytes | None = None,
) -> None:
    """Put in place what a root elsewhere has signed: both certificates, its list, or a new list.

    Raises ``AuthorityError`` for what does not belong to this authority's key or root.
    """
    load_profile(folder)
    if (root is None) != (issuing is None):
        raise AuthorityError("give root and issuing certificate together")
    with alone(folder):
        if root is not None and issuing is not None:
            _install_pair(folder, root, issuing, now)
        if root_crl is not None:
            _install_list(folder, root_crl)
        with closing(Ledger(folder / "ledger.db")) as ledger:
            publish_lists(folder, load_holdings(folder), ledger, now=now)


def renew_issuing(folder: Path, *, now: datetime) -> str:
    """A new certificate for the key of the issuing authority; says what was written.

    Everything that it issued stays good: an issuer is its name and its key. Where the root is
    elsewhere, the request is written again.
    """
    holdings = load_holdings(folder)
    key = holdings.keys.get("issuing")
    if key is None:
        raise AuthorityError("the key of the issuing authority is not here")
    root = holdings.issuer("root")
    with alone(folder):
        if root is None:
            _ask(folder, key, holdings.profile.title)
            return "issuing.csr"
        with closing(Ledger(folder / "ledger.db")) as ledger:
            issuing = _issue_issuing(holdings.profile.title, folder, root, key, now)
            with ledger.change():
                ledger.add(
                    issuing.certificate, issuer="root", party="", purpose="authority", now=now
                )
            _put_pair(folder, root.certificate, issuing.certificate)
        return "issuing.pem"


def _new_key(folder: Path, role: str, kind: AuthorityKeyKind) -> TlsKey:
    key = generate_tls_key(kind)
    put(folder / "private" / f"{role}.key", private_key_pem(key), private=True)
    return key


def _ask(folder: Path, key: TlsKey, title: str) -> None:
    request = request_authority(key, name=_name(title, "Issuing"))
    put(folder / "issuing.csr", request.public_bytes(serialization.Encoding.PEM))


def _make_pair(
    folder: Path, ledger: Ledger, root_key: TlsKey, issuing_key: TlsKey, now: datetime
) -> None:
    profile = read_profile((folder / "authority.toml").read_bytes())
    validity = Validity(now - _CLOCK_SLACK, now + timedelta(days=profile.validity.root_days))
    root = issue_root(root_key, name=_name(profile.title, "Root"), validity=validity)
    issuing = _issue_issuing(profile.title, folder, root, issuing_key, now)
    with ledger.change():
        for issuer in (root, issuing):
            ledger.add(issuer.certificate, issuer="root", party="", purpose="authority", now=now)
    _put_pair(folder, root.certificate, issuing.certificate)
    holdings = Holdings(
        profile=profile,
        certificates={"root": root.certificate, "issuing": issuing.certificate},
        keys={"root": root_key, "issuing": issuing_key},
    )
    publish_lists(folder, holdings, ledger, now=now)


def _issue_issuing(title: str, folder: Path, root: Issuer, key: TlsKey, now: datetime) -> Issuer:
    profile = read_profile((folder / "authority.toml").read_bytes())
    end = min(
        now + timedelta(days=profile.validity.issuing_days),
        root.certificate.not_valid_after_utc,
    )
    return issue_intermediate(
        key,
        issuer=root,
        name=_name(title, "Issuing"),
        validity=Validity(now - _CLOCK_SLACK, end),
        pointers=profile.pointers("root"),
    )


def _put_pair(folder: Path, root: x509.Certificate, issuing: x509.Certificate) -> None:
    put(folder / "root.pem", pem_of(root).encode())
    put(folder / "issuing.pem", pem_of(issuing).encode())
    put(folder / "chain.pem", f"{pem_of(issuing)}{pem_of(root)}".encode())


def _install_pair(folder: Path, root: bytes, issuing: bytes, now: datetime) -> None:
    with tempfile.TemporaryDirectory() as place:
        files = Path(place) / "root.pem", Path(place) / "issuing.pem"
        for file, content in zip(files, (root, issuing), strict=True):
            file.write_bytes(content)
        above, below = (read_authority(file) for file in files)
    check_pair(above, below)
    try:
        key = load_tls_key(read_private(folder / "private/issuing.key"))
    except TrustError as error:
        raise AuthorityError(f"private/issuing.key: {error.detail}") from error
    if key.public_key() != below.public_key():
        raise AuthorityError("this issuing certificate is not for private/issuing.key")
    with closing(Ledger(folder / "ledger.db")) as ledger, ledger.change():
        for certificate in (above, below):
            if ledger.find(serial_text(certificate.serial_number)) is None:
                ledger.add(certificate, issuer="root", party="", purpose="authority", now=now)
    _put_pair(folder, above, below)
    (folder / "issuing.csr").unlink(missing_ok=True)


def _install_list(folder: Path, content: bytes) -> None:
    root = read_authority(folder / "root.pem")
    try:
        pem = b"-----BEGIN X509 CRL-----" in content
        crl = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
        signed = crl.is_signature_valid(root.public_key())  # type: ignore[arg-type] # a CA key
    except (ValueError, TypeError) as error:
        raise AuthorityError("this is no revocation list") from error
    if not signed or crl.issuer != root.subject:
        raise AuthorityError("the root did not sign this list")
    put(folder / "crl/root.crl", crl.public_bytes(serialization.Encoding.PEM))


def _name(title: str, role: str) -> str:
    return f"{title} {role} CA"
