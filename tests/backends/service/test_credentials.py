"""Credentials: the registry is read again when it changes, and a broken one changes nothing."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backends.service.configuration import (
    ConfigurationError,
    GatewaySettings,
    LimitSettings,
    ServiceSettings,
    Settings,
)
from backends.service.credentials import Credentials
from trust.development import revoke
from trust.errors import TrustError
from trust.profile import default_profile, read_profile


@pytest.fixture
def folder(certs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(certs.parent, tmp_path / "certs")) / "luxor"


def credentials(folder: Path, **changes: str) -> Credentials:
    names = {
        "registry": "registry.toml",
        "certificate": "parties/customs-risk/tls.pem",
        "key": "parties/customs-risk/tls.key",
        "signing_key": "parties/customs-risk/signing.key",
        **changes,
    }
    return Credentials(
        Settings(
            folder=folder,
            service=ServiceSettings(party="customs-risk", ledger="l", **names),
            gateway=GatewaySettings(party="gateway-lx", address="localhost:1"),
            limits=LimitSettings(),
        )
    )


def change(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new, 1))
    later = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(later, later))


def test_nothing_is_read_again_while_nothing_changes(folder: Path) -> None:
    assert credentials(folder).refresh() is False


def test_a_suspension_counts_at_the_next_look(folder: Path) -> None:
    found = credentials(folder)
    identifier = 'id = "gateway-lx"\n'
    change(folder / "registry.toml", identifier, identifier + "suspended = true\n")
    assert found.refresh() is True
    with pytest.raises(TrustError, match="suspended"):
        found.authenticator.configured(found.gateway)


def test_a_broken_registry_leaves_the_last_good_one(folder: Path) -> None:
    found = credentials(folder)
    change(folder / "registry.toml", "version = 1", "version = none")
    with pytest.raises(ConfigurationError):
        found.refresh()
    assert found.authenticator.configured(found.gateway).party == "gateway-lx"


def test_a_revocation_counts_at_the_next_look(folder: Path) -> None:
    found = credentials(folder)
    files = {
        str(path.relative_to(folder.parent)): path.read_bytes()
        for path in folder.parent.rglob("*")
        if path.is_file()
    }
    now = datetime.now(UTC)
    profile = read_profile(default_profile())
    for name, content in revoke(
        files, network="luxor", party="gateway-lx", profile=profile, now=now
    ).items():
        (folder.parent / name).write_bytes(content)
    assert found.refresh() is True
    der = _der(folder / "parties" / "gateway-lx" / "tls.pem")
    with pytest.raises(TrustError, match="revoked"):
        found.authenticator.identify(der, now=now)


def _der(path: Path) -> bytes:
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    return certificate.public_bytes(Encoding.DER)


def test_a_key_that_cannot_sign_is_told(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"service\.signing_key"):
        credentials(folder, signing_key="parties/customs-risk/tls.pem")


def test_a_gateway_without_keys_is_told(folder: Path) -> None:
    change(folder / "registry.toml", 'public_key = "parties/gateway-lx', 'public_key = "gone')
    with pytest.raises(ConfigurationError, match="public_key"):
        credentials(folder)
