from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.client import Credentials, CredentialsError, development, peer
from tests.pki import Pki
from trust.authority import generate_key
from trust.development import development_network
from trust.keys import public_key_pem, thumbprint_kid
from trust.profile import default_profile, read_profile


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    files = development_network(read_profile(default_profile()), now=datetime.now(UTC))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_party_finds_its_files_and_its_gateway(certs: Path) -> None:
    credentials, gateway = development(certs, "post-a")
    assert credentials == Credentials(
        certificate=certs / "luxor/parties/post-a/tls.pem",
        key=certs / "luxor/parties/post-a/tls.key",
        authority=certs / "luxor/root.pem",
        signing_key=certs / "luxor/parties/post-a/signing.key",
    )
    assert credentials.party() == "post-a"
    assert gateway.id == "gateway-lx"
    assert credentials.signer() is not None


def test_the_gateways_keys_are_the_registered_ones(certs: Path) -> None:
    _, gateway = development(certs, "customs-pn")
    own, _ = development(certs, "gateway-pn")
    signer = own.signer()
    assert signer is not None
    assert set(gateway.keys) == {signer.kid}


def test_a_party_can_speak_to_the_gateway_of_another_network(certs: Path) -> None:
    credentials, gateway = development(certs, "gateway-pn", gateway="gateway-lx")
    assert credentials.certificate == certs / "partner/parties/gateway-pn/tls.pem"
    assert credentials.authority == certs / "luxor/root.pem"
    assert gateway.id == "gateway-lx"


def test_an_unknown_party_is_told_who_is_known(certs: Path) -> None:
    with pytest.raises(CredentialsError, match=r"no certificate of post-x.*post-a"):
        development(certs, "post-x")


def test_a_missing_folder_is_told_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="luxor certs dev"):
        development(tmp_path / "none", "post-a")


def test_a_party_of_two_networks_must_say_which(certs: Path, tmp_path: Path) -> None:
    for network in ("one", "two"):
        folder = tmp_path / network / "parties" / "post-a"
        folder.mkdir(parents=True)
        content = (certs / "luxor/parties/post-a/tls.pem").read_bytes()
        (folder / "tls.pem").write_bytes(content)
    with pytest.raises(CredentialsError, match=r"several networks.*one, two"):
        development(tmp_path, "post-a")


def test_a_registry_that_cannot_be_read_is_named(certs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "luxor/parties/post-a"
    folder.mkdir(parents=True)
    (folder / "tls.pem").write_bytes((certs / "luxor/parties/post-a/tls.pem").read_bytes())
    with pytest.raises(CredentialsError, match=r"registry\.toml"):
        development(tmp_path, "post-a")
    (tmp_path / "luxor/registry.toml").write_text("version = 'one'")
    with pytest.raises(CredentialsError, match=r"registry\.toml"):
        development(tmp_path, "post-a")


def test_a_gateway_can_be_known_by_its_key_alone(tmp_path: Path) -> None:
    key = generate_key("P-256")
    file = tmp_path / "gateway.pub"
    file.write_bytes(public_key_pem(key))
    known = peer("gateway-x", file)
    assert (known.id, set(known.keys)) == ("gateway-x", {thumbprint_kid(key)})
    after = generate_key("Ed25519")
    (tmp_path / "next.pub").write_bytes(public_key_pem(after))
    both = peer("gateway-x", file, tmp_path / "next.pub")
    assert set(both.keys) == {thumbprint_kid(key), thumbprint_kid(after)}


def test_files_that_are_none_are_named(pki: Pki, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("rubbish")
    certificate, key = pki.issue("post-a")
    wrong = Credentials(
        certificate=rubbish, key=key, authority=pki.authority_file, signing_key=rubbish
    )
    with pytest.raises(CredentialsError, match="rubbish"):
        wrong.party()
    with pytest.raises(CredentialsError, match="rubbish"):
        wrong.signer()
    with pytest.raises(CredentialsError, match="rubbish"):
        peer("gateway-x", rubbish)
    assert Credentials(certificate=certificate, key=key, authority=rubbish).signer() is None


def test_a_certificate_that_names_nobody_has_no_party(pki: Pki) -> None:
    certificate, key = pki.issue(None)
    nobody = Credentials(certificate=certificate, key=key, authority=pki.authority_file)
    assert nobody.party() is None
