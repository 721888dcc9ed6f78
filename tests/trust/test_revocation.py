"""Revocation lists: whose they are, when they count, and that they fail hard."""

from __future__ import annotations

from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.trust.town import DAY, NOW, Town
from trust.authority import Issuer, generate_tls_key, issue_crl
from trust.chain import Link, issuer_id
from trust.errors import TrustError
from trust.revocation import Revocations


def lists(town: Town, *files: bytes) -> Revocations:
    """What the town's authority makes of these files."""
    return Revocations.from_files([town.authority], dict(zip("abcdef", files, strict=False)))


def crl(
    town: Town,
    *revoked: int,
    issuer: Issuer | None = None,
    this_update: datetime = NOW - DAY,
    next_update: datetime = NOW + DAY,
    encoding: Encoding = Encoding.PEM,
) -> bytes:
    """The issuing CA's list."""
    return issue_crl(
        issuer or town.issuing,
        number=1,
        revoked=dict.fromkeys(revoked, NOW - DAY),
        this_update=this_update,
        next_update=next_update,
    ).public_bytes(encoding)


def builder(town: Town) -> x509.CertificateRevocationListBuilder:
    """A list that the test finishes itself."""
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(town.issuing.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
    )


def judge(found: Revocations, town: Town, serial: int) -> None:
    """Whether a certificate of the issuing CA still counts."""
    found.judge([Link(issuer_id(town.issuing.certificate), serial)], now=NOW)


def test_a_serial_that_is_not_on_the_list_counts(luxor: Town) -> None:
    judge(lists(luxor, crl(luxor, 7)), luxor, 8)


def test_a_serial_on_the_list_is_revoked(luxor: Town) -> None:
    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, crl(luxor, 7)), luxor, 7)


def test_der_is_read_as_well_as_pem(luxor: Town) -> None:
    content = crl(luxor, 7, encoding=Encoding.DER)

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, content), luxor, 7)


def test_one_file_may_hold_the_lists_of_several_authorities(luxor: Town) -> None:
    found = lists(luxor, b"".join(luxor.crls().values()))

    assert found.problems == ()
    found.judge([Link(issuer_id(luxor.root.certificate), 1)], now=NOW)
    judge(found, luxor, 1)


def test_of_two_lists_the_later_counts(luxor: Town) -> None:
    old = crl(luxor, 7, this_update=NOW - 2 * DAY)

    judge(lists(luxor, crl(luxor), old), luxor, 7)
    judge(lists(luxor, old, crl(luxor)), luxor, 7)


def test_a_revoked_serial_stays_revoked_after_the_list_ran_out(luxor: Town) -> None:
    stale = crl(luxor, 7, next_update=NOW - DAY / 2)

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, stale), luxor, 7)


@pytest.mark.parametrize(
    ("this_update", "next_update"),
    [(NOW - DAY, NOW - DAY / 2), (NOW + DAY / 2, NOW + DAY), (NOW - DAY, NOW)],
    ids=["ran out", "of the future", "runs out now"],
)
def test_a_list_that_is_not_in_force_makes_revocation_unavailable(
    luxor: Town, this_update: datetime, next_update: datetime
) -> None:
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(lists(luxor, crl(luxor, this_update=this_update, next_update=next_update)), luxor, 7)


def test_without_a_list_revocation_is_unavailable(luxor: Town) -> None:
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(lists(luxor), luxor, 7)


def test_a_list_signed_by_another_key_of_the_same_name_does_not_count(luxor: Town) -> None:
    impostor = Issuer(luxor.issuing.certificate, generate_tls_key("P-256"))
    found = lists(luxor, crl(luxor, issuer=impostor))

    assert [str(problem) for problem in found.problems] == ["a: no registered authority signed it"]
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(found, luxor, 7)


def test_a_list_of_one_authority_says_nothing_about_another(luxor: Town, partner: Town) -> None:
    found = Revocations.from_files([luxor.authority, partner.authority], partner.crls())

    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(found, luxor, 7)


CRITICAL = {
    "a delta": x509.DeltaCRLIndicator(1),
    "for users only": x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    ),
}


@pytest.mark.parametrize("extension", CRITICAL.values(), ids=CRITICAL)
def test_a_partial_list_does_not_count(luxor: Town, extension: x509.ExtensionType) -> None:
    partial = builder(luxor).add_extension(extension, critical=True)
    content = partial.sign(luxor.issuing.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(lists(luxor, content), luxor, 7)


def test_a_list_with_an_entry_for_another_issuer_does_not_count(luxor: Town) -> None:
    other = x509.CertificateIssuer([x509.DirectoryName(luxor.root.certificate.subject)])
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(9)
        .revocation_date(NOW)
        .add_extension(other, critical=True)
        .build()
    )
    indirect = (
        builder(luxor).add_revoked_certificate(entry).sign(luxor.issuing.key, hashes.SHA256())
    )

    found = lists(luxor, indirect.public_bytes(Encoding.PEM))

    assert len(found.problems) == 1


def test_a_certificate_on_hold_is_revoked(luxor: Town) -> None:
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(9)
        .revocation_date(NOW)
        .add_extension(x509.CRLReason(x509.ReasonFlags.certificate_hold), critical=False)
        .build()
    )
    held = builder(luxor).add_revoked_certificate(entry).sign(luxor.issuing.key, hashes.SHA256())

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, held.public_bytes(Encoding.PEM)), luxor, 9)


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN X509 CRL-----\n!!"])
def test_a_broken_file_is_a_problem_and_the_others_still_count(luxor: Town, content: bytes) -> None:
    found = lists(luxor, content, crl(luxor))

    assert ["a: not a revocation list"] == [str(problem) for problem in found.problems]
    judge(found, luxor, 7)


def test_the_first_list_to_run_out_is_known(luxor: Town) -> None:
    soon = luxor.crls(next_update=NOW + DAY / 4)["luxor-root.crl"]

    assert lists(luxor, soon, crl(luxor)).next_update() == NOW + DAY / 4
    assert lists(luxor).next_update() is None
