"""Whose signing key it was at a time, by certificates and lists alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.trust.town import DAY, LONG, NOW, USUAL, Town
from trust.authority import KeyKind, Validity, generate_key, issue_signing
from trust.errors import TrustError
from trust.identity import PartyId
from trust.signing_path import MAX_CERTIFICATES, SigningPath, judge_revocation, prove_signer

GATEWAY = PartyId("gateway-lx")
HOUR = timedelta(hours=1)


def signing(town: Town, *, kind: KeyKind = "P-256", validity: Validity = USUAL) -> x509.Certificate:
    return issue_signing(
        generate_key(kind).public_key(),
        issuer=town.issuing,
        name="nobody reads this",
        party=GATEWAY,
        validity=validity,
    )


@pytest.fixture(scope="module")
def leaf(luxor: Town) -> x509.Certificate:
    return signing(luxor)


def refused(code: str, *args: object, **more: object) -> str:
    with pytest.raises(TrustError) as found:
        prove_signer(*args, **more)  # type: ignore[arg-type] # as the test has them
    assert found.value.code == code
    return found.value.detail


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048", "Ed25519"])
def test_a_path_leads_from_the_key_to_the_root(luxor: Town, kind: KeyKind) -> None:
    leaf = signing(luxor, kind=kind)
    issuing, root = luxor.issuing.certificate, luxor.root.certificate

    path = prove_signer((leaf, issuing), (root,), at=NOW)

    assert path == SigningPath(GATEWAY, (leaf, issuing, root))
    assert prove_signer((leaf,), (root, issuing), at=NOW) == path


def test_an_authority_that_is_no_root_may_be_where_trust_ends(
    luxor: Town, leaf: x509.Certificate
) -> None:
    path = prove_signer((leaf,), (luxor.issuing.certificate,), at=NOW)

    assert path.chain == (leaf, luxor.issuing.certificate)


def test_what_is_presented_is_not_what_is_trusted(
    luxor: Town, partner: Town, leaf: x509.Certificate
) -> None:
    issuing, root = luxor.issuing.certificate, luxor.root.certificate

    refused("certificate.untrusted", (leaf, issuing, root), (partner.root.certificate,), at=NOW)
    refused("certificate.untrusted", (leaf,), (root,), at=NOW)
    refused("certificate.untrusted", (), (root,), at=NOW)
    refused("certificate.untrusted", (leaf,), (), at=NOW)


def test_the_time_of_the_statement_counts(luxor: Town, leaf: x509.Certificate) -> None:
    trusted = (luxor.root.certificate, luxor.issuing.certificate)

    refused("certificate.expired", (leaf,), trusted, at=USUAL.not_after + HOUR)
    refused("certificate.not-yet-valid", (leaf,), trusted, at=USUAL.not_before - HOUR)
    assert prove_signer((leaf,), trusted, at=USUAL.not_after - HOUR).party == GATEWAY


def test_a_tls_certificate_signs_nothing(luxor: Town) -> None:
    detail = refused(
        "certificate.profile",
        (luxor.certificate("gateway-lx"),),
        (luxor.root.certificate, luxor.issuing.certificate),
        at=NOW,
    )

    assert "TLS" in detail


def test_an_end_entity_vouches_for_nobody(luxor: Town, leaf: x509.Certificate) -> None:
    refused("certificate.untrusted", (leaf,), (leaf,), at=NOW)


def test_a_certificate_without_a_party_is_nobodys(luxor: Town) -> None:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(luxor.issuing.certificate.subject)
        .public_key(generate_key("P-256").public_key())
        .serial_number(7)
        .not_valid_before(USUAL.not_before)
        .not_valid_after(USUAL.not_after)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    anonymous = builder.sign(luxor.issuing.key, hashes.SHA256())

    refused("certificate.profile", (anonymous,), (luxor.root.certificate,), at=NOW)


def test_a_heap_of_certificates_is_not_looked_through(luxor: Town, leaf: x509.Certificate) -> None:
    heap = [luxor.issuing.certificate] * MAX_CERTIFICATES

    refused("certificate.profile", (leaf, *heap), (luxor.root.certificate,), at=NOW)


# Revocation


@pytest.fixture(scope="module")
def path(luxor: Town, leaf: x509.Certificate) -> SigningPath:
    return prove_signer((leaf,), (luxor.root.certificate, luxor.issuing.certificate), at=NOW)


def crl(
    town: Town,
    role: str,
    *,
    at: datetime,
    revoked: x509.Certificate | None = None,
    since: datetime = NOW,
    reason: x509.ReasonFlags | None = None,
    invalid: datetime | None = None,
) -> bytes:
    """A list of one of the town's CAs."""
    issuer = town.root if role == "root" else town.issuing
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at)
        .next_update(at + DAY)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    if revoked is not None:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(revoked.serial_number)
            .revocation_date(since)
        )
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        if invalid is not None:
            entry = entry.add_extension(x509.InvalidityDate(invalid), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def lists(town: Town, issuing: bytes, *, at: datetime = NOW + HOUR) -> dict[str, bytes]:
    return {"root.crl": crl(town, "root", at=at), "issuing.crl": issuing}


def judged(path: SigningPath, files: dict[str, bytes], *, at: datetime = NOW) -> str:
    try:
        judge_revocation(path, files, at=at)
    except TrustError as error:
        return error.code
    return "good"


def test_a_later_list_that_names_nobody_is_good(luxor: Town, path: SigningPath) -> None:
    good = lists(luxor, crl(luxor, "issuing", at=NOW + HOUR))
    both = {"all.crl": good["root.crl"] + good["issuing.crl"]}
    der = {
        name: x509.load_pem_x509_crl(content).public_bytes(Encoding.DER)
        for name, content in good.items()
    }

    assert ["good"] * 3 == [judged(path, files) for files in (good, both, der)]


@pytest.mark.parametrize(
    ("since", "reason", "invalid", "expected"),
    [
        (-HOUR, None, None, "certificate.revoked"),
        (timedelta(), None, None, "certificate.revoked"),
        (HOUR, None, None, "good"),
        (HOUR, x509.ReasonFlags.superseded, None, "good"),
        (HOUR, x509.ReasonFlags.key_compromise, None, "certificate.revoked"),
        (HOUR, x509.ReasonFlags.ca_compromise, None, "certificate.revoked"),
        (HOUR, x509.ReasonFlags.cessation_of_operation, -HOUR, "certificate.revoked"),
        (HOUR, x509.ReasonFlags.cessation_of_operation, HOUR / 2, "good"),
    ],
)
def test_what_was_revoked_afterwards_counted_then_unless_the_key_was_compromised(
    luxor: Town,
    path: SigningPath,
    since: timedelta,
    reason: x509.ReasonFlags | None,
    invalid: timedelta | None,
    expected: str,
) -> None:
    issuing = crl(
        luxor,
        "issuing",
        at=NOW + 2 * HOUR,
        revoked=path.chain[0],
        since=NOW + since,
        reason=reason,
        invalid=None if invalid is None else NOW + invalid,
    )

    assert judged(path, lists(luxor, issuing)) == expected


def test_a_revoked_authority_takes_its_certificates_along(luxor: Town, path: SigningPath) -> None:
    root = crl(luxor, "root", at=NOW + HOUR, revoked=path.chain[1], since=NOW - DAY)
    files = {"root.crl": root, "issuing.crl": crl(luxor, "issuing", at=NOW + HOUR)}

    assert judged(path, files) == "certificate.revoked"


def test_an_entry_in_any_list_counts(luxor: Town, path: SigningPath) -> None:
    old = crl(luxor, "issuing", at=NOW - HOUR, revoked=path.chain[0], since=NOW - DAY)
    files = {**lists(luxor, crl(luxor, "issuing", at=NOW + HOUR)), "old.crl": old}

    assert judged(path, files) == "certificate.revoked"


def test_lists_that_say_nothing_about_it_are_not_enough(
    luxor: Town, partner: Town, path: SigningPath
) -> None:
    good = lists(luxor, crl(luxor, "issuing", at=NOW + HOUR))
    cases = {
        "before": lists(luxor, crl(luxor, "issuing", at=NOW - HOUR)),
        "of one CA alone": {"issuing.crl": good["issuing.crl"]},
        "none": {},
        "foreign": {**good, "x.crl": crl(partner, "root", at=NOW + HOUR)},
        "no list": {**good, "x.crl": b"nothing"},
        "an end of it": {**good, "x.crl": b"-----BEGIN X509 CRL-----\n"},
    }

    assert dict.fromkeys(cases, "revocation.unavailable") == {
        name: judged(path, files) for name, files in cases.items()
    }


def test_a_list_from_after_the_end_of_the_certificate_may_have_forgotten_it(
    luxor: Town, path: SigningPath
) -> None:
    late = USUAL.not_after + DAY
    files = lists(luxor, crl(luxor, "issuing", at=late), at=late)

    assert judged(path, files) == "revocation.unavailable"


def test_a_list_for_a_part_is_no_complete_list(luxor: Town, path: SigningPath) -> None:
    part = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    issuer = luxor.issuing
    partial = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW + HOUR)
        .next_update(NOW + DAY)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(part, critical=True)
        .sign(issuer.key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )

    assert judged(path, lists(luxor, partial)) == "revocation.unavailable"


def test_the_town_is_valid_for_all_of_this() -> None:
    assert LONG.not_before < NOW < USUAL.not_after < LONG.not_after
