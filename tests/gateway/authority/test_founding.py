"""The folder of an authority appears whole and keeps its keys; its root may be elsewhere."""

from __future__ import annotations

import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.authority import AuthorityError
from gateway.authority.founding import found, install, renew_issuing
from gateway.authority.holdings import load_holdings
from gateway.authority.ledger import Ledger
from gateway.authority.office import open_office
from gateway.authority.profile import new_profile, read_profile
from tests.gateway.authority.conftest import DAY, NOW, POST, request_of
from trust.authority import (
    Issuer,
    TlsKey,
    Validity,
    generate_tls_key,
    issue_crl,
    issue_intermediate,
    issue_root,
)
from trust.certificates import load_certificates, pem_of


def make(folder: Path, *, root_elsewhere: bool = False) -> Path:
    """A new authority."""
    found(
        folder,
        identifier="luxor",
        title="Test",
        now=NOW,
        key="P-256",
        root_elsewhere=root_elsewhere,
    )
    return folder


def test_private_keys_are_for_their_owner_alone(made: Path) -> None:
    assert 0o700 == stat.S_IMODE((made / "private").stat().st_mode)
    for name in ("private/root.key", "private/issuing.key", "ledger.db"):
        assert 0o600 == stat.S_IMODE((made / name).stat().st_mode), name


@pytest.mark.parametrize(
    ("name", "mode", "told"),
    [
        ("private/issuing.key", 0o640, "others than its owner have access"),
        ("private/issuing.key", 0o604, "others than its owner have access"),
        ("private/root.key", 0o660, "others than its owner have access"),
        ("private", 0o770, "can be written by others"),
        ("ledger.db", 0o620, "can be written by others"),
        ("authority.toml", 0o666, "can be written by others"),
        (".", 0o777, "can be written by others"),
    ],
)
def test_it_does_not_start_when_others_could_have_touched_it(
    folder: Path, name: str, mode: int, told: str
) -> None:
    (folder / name).chmod(mode)

    with pytest.raises(AuthorityError, match=told) as caught:
        load_holdings(folder)
    assert "chmod" in str(caught.value)


def test_nothing_is_made_where_something_is(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    for place in (made, tmp_path / "file"):
        with pytest.raises(AuthorityError, match="is there already"):
            make(place)


def test_a_founding_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.authority.founding.publish_lists", full)
    with pytest.raises(OSError, match="No space"):
        make(tmp_path / "authority")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tls_days = 0", "validity.tls_days"),
        ("tls_day = 3", "tls_day"),
        ('tls_days = "3"', "validity.tls_days"),
    ],
)
def test_a_mistake_in_the_profile_is_named_with_its_place(
    folder: Path, line: str, told: str
) -> None:
    file = folder / "authority.toml"
    file.write_text(file.read_text().replace("tls_days = 90", line))

    with pytest.raises(AuthorityError, match=told):
        load_holdings(folder)


def test_the_profile_that_is_written_reads_back() -> None:
    profile = read_profile(new_profile(identifier="a-b", title='Say "hi" Ä', url="http://x.y:1/"))

    assert ("a-b", 'Say "hi" Ä', "http://x.y:1") == (profile.id, profile.title, profile.url)


@pytest.mark.parametrize("given", [{"url": "ftp://x"}, {"url": "http://a b"}, {"title": ""}])
def test_a_profile_that_cannot_be_is_not_written(given: dict[str, str]) -> None:
    with pytest.raises(AuthorityError):
        new_profile(**{"identifier": "a", "title": "A", "url": "", **given})


def test_a_key_of_another_authority_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    shutil.copy(other / "private/issuing.key", folder / "private/issuing.key")

    with pytest.raises(AuthorityError, match="not the key of"):
        load_holdings(folder)


def test_a_root_of_another_authority_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    (folder / "private/root.key").unlink()
    shutil.copy(other / "root.pem", folder / "root.pem")

    with pytest.raises(AuthorityError, match=r"root\.pem did not issue"):
        load_holdings(folder)


def test_it_works_on_when_the_roots_key_is_taken_away(folder: Path) -> None:
    (folder / "private/root.key").unlink()

    with open_office(folder) as office:
        assert POST == office.enrol(POST, request_of(POST), purpose="tls", now=NOW).entry.party
        assert ["issuing"] == [one.issuer for one in office.publish(now=NOW, anew=True)]
        assert office.seat("root", now=NOW) is None


class Elsewhere:
    """A root that is kept somewhere else, and signs what is brought to it."""

    def __init__(self) -> None:
        self.key: TlsKey = generate_tls_key("P-256")
        self.root = issue_root(
            self.key, name="Elsewhere", validity=Validity(NOW - DAY, NOW + 900 * DAY)
        )

    @property
    def pem(self) -> bytes:
        """The root's certificate."""
        return pem_of(self.root.certificate).encode()

    def sign(self, request: bytes) -> bytes:
        """A certificate for an issuing authority, as any CA software makes one."""
        csr = x509.load_pem_x509_csr(request)
        assert csr.is_signature_valid
        constraints = csr.extensions.get_extension_for_class(x509.BasicConstraints).value
        assert constraints.ca
        draft = issue_intermediate(
            generate_tls_key("P-256"),
            issuer=self.root,
            name="draft",
            validity=Validity(NOW - DAY, NOW + 800 * DAY),
        ).certificate
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.root.certificate.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(draft.not_valid_before_utc)
            .not_valid_after(draft.not_valid_after_utc)
            .add_extension(constraints, critical=True)
            .add_extension(
                csr.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        from cryptography.hazmat.primitives import hashes

        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def crl(self, key: TlsKey | None = None) -> bytes:
        """Its list."""
        crl = issue_crl(
            Issuer(self.root.certificate, key or self.key),
            number=1,
            revoked={},
            this_update=NOW,
            next_update=NOW + 90 * DAY,
        )
        return crl.public_bytes(Encoding.DER)


def test_a_root_elsewhere_signs_what_was_asked(tmp_path: Path) -> None:
    folder, elsewhere = make(tmp_path / "authority", root_elsewhere=True), Elsewhere()
    assert not (folder / "private/root.key").exists()
    with pytest.raises(AuthorityError, match="waits for its root"):
        load_holdings(folder)

    issuing = elsewhere.sign((folder / "issuing.csr").read_bytes())
    install(folder, now=NOW, root=elsewhere.pem, issuing=issuing, root_crl=elsewhere.crl())

    with open_office(folder) as office:
        assert POST == office.enrol(POST, request_of(POST), purpose="tls", now=NOW).entry.party
    assert (folder / "crl/root.crl").is_file()
    assert (folder / "crl/issuing.crl").is_file()
    assert not (folder / "issuing.csr").exists()


def test_what_another_signed_is_not_installed(tmp_path: Path) -> None:
    folder, elsewhere = make(tmp_path / "authority", root_elsewhere=True), Elsewhere()
    request = (folder / "issuing.csr").read_bytes()
    issuing, stranger = elsewhere.sign(request), Elsewhere()
    other = make(tmp_path / "other", root_elsewhere=True)

    for root, certificate, told in (
        (stranger.pem, issuing, "did not issue"),
        (elsewhere.pem, elsewhere.sign((other / "issuing.csr").read_bytes()), "is not for private"),
        (elsewhere.pem, b"rubbish", "not a PEM certificate"),
    ):
        with pytest.raises(AuthorityError, match=told):
            install(folder, now=NOW, root=root, issuing=certificate)
    install(folder, now=NOW, root=elsewhere.pem, issuing=issuing)
    for crl, told in ((elsewhere.crl(stranger.key), "did not sign"), (b"x", "no revocation list")):
        with pytest.raises(AuthorityError, match=told):
            install(folder, now=NOW, root_crl=crl)


def test_a_renewed_issuing_authority_keeps_what_it_issued(folder: Path) -> None:
    with open_office(folder) as office:
        entry = office.enrol(POST, request_of(POST), purpose="tls", now=NOW).entry
    before = load_certificates((folder / "issuing.pem").read_bytes())[0]

    assert "issuing.pem" == renew_issuing(folder, now=NOW + 1000 * DAY)

    after = load_holdings(folder).certificates["issuing"]
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert (before.subject, before.public_key()) == (after.subject, after.public_key())
    entry.parsed().verify_directly_issued_by(after)
    with closing(Ledger(folder / "ledger.db")) as ledger:
        assert 3 == len([e for e in ledger.all() if e.purpose == "authority"])


def test_without_the_root_a_renewal_is_asked_for(folder: Path) -> None:
    (folder / "private/root.key").unlink()

    assert "issuing.csr" == renew_issuing(folder, now=NOW)
    assert {"issuing"} == set(load_holdings(folder).keys)  # it goes on meanwhile


def test_what_is_no_ledger_is_said(folder: Path) -> None:
    (folder / "ledger.db").write_bytes(b"rubbish" * 100)

    with pytest.raises(AuthorityError, match="is not a ledger"):
        Ledger(folder / "ledger.db")
