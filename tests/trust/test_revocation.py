"""Revocation lists: whose they are, when they count, and that they fail hard."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.trust.town import DAY, LONG, NOW, Town
from trust.authority import Issuer, generate_tls_key, issue_crl, issue_intermediate
from trust.certificates import pem_of
from trust.chain import Path, anchor, build_paths
from trust.errors import TrustError
from trust.members import Authority
from trust.revocation import Revocations


@pytest.fixture(scope="module")
def held(luxor: Town) -> x509.Certificate:
    """The certificate that is judged."""
    return luxor.certificate()


def lists(town: Town, *files: bytes) -> Revocations:
    """What the town's authority makes of these files, beside a fresh list of its root."""
    named = dict(zip("abcdef", files, strict=False))
    return Revocations.from_files([town.authority], {**named, "root": crl(town, issuer=town.root)})


def crl(
    town: Town,
    *revoked: x509.Certificate,
    issuer: Issuer | None = None,
    this_update: datetime = NOW - DAY,
    next_update: datetime = NOW + DAY,
    encoding: Encoding = Encoding.PEM,
) -> bytes:
    """The issuing CA's list."""
    return issue_crl(
        issuer or town.issuing,
        number=1,
        revoked={certificate.serial_number: NOW - DAY for certificate in revoked},
        this_update=this_update,
        next_update=next_update,
    ).public_bytes(encoding)


def builder(town: Town, *, number: int = 1) -> x509.CertificateRevocationListBuilder:
    """A list that the test finishes itself."""
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(town.issuing.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
        .add_extension(x509.CRLNumber(number), critical=False)
    )


def signed(town: Town, unsigned: x509.CertificateRevocationListBuilder) -> bytes:
    """The finished list, signed by the issuing CA."""
    return unsigned.sign(town.issuing.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def entry(
    certificate: x509.Certificate,
    *extensions: x509.ExtensionType,
    critical: bool = False,
    when: datetime = NOW,
) -> x509.RevokedCertificate:
    """An entry about the certificate."""
    unfinished = (
        x509.RevokedCertificateBuilder()
        .serial_number(certificate.serial_number)
        .revocation_date(when)
    )
    for extension in extensions:
        unfinished = unfinished.add_extension(extension, critical=critical)
    return unfinished.build()


def path_of(authority: Authority, certificate: x509.Certificate) -> Path:
    """The one path of a certificate."""
    (path,) = build_paths(certificate, [anchor(authority)], now=NOW)
    return path


def judge(
    found: Revocations, town: Town, certificate: x509.Certificate, *, now: datetime = NOW
) -> None:
    """Whether a certificate of the issuing CA still counts."""
    found.judge(path_of(town.authority, certificate), now=now)


def test_a_certificate_that_is_not_on_the_list_counts(luxor: Town, held: x509.Certificate) -> None:
    judge(lists(luxor, crl(luxor, luxor.certificate())), luxor, held)


def test_a_certificate_on_the_list_is_revoked(luxor: Town, held: x509.Certificate) -> None:
    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, crl(luxor, held)), luxor, held)


def test_an_authority_on_the_list_takes_its_certificates_along(
    luxor: Town, held: x509.Certificate
) -> None:
    files = {
        "root": crl(luxor, luxor.issuing.certificate, issuer=luxor.root),
        "issuing": crl(luxor),
    }

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(Revocations.from_files([luxor.authority], files), luxor, held)


def test_der_is_read_as_well_as_pem(luxor: Town, held: x509.Certificate) -> None:
    content = crl(luxor, held, encoding=Encoding.DER)

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, content), luxor, held)


def test_one_file_may_hold_the_lists_of_several_authorities(
    luxor: Town, held: x509.Certificate
) -> None:
    found = Revocations.from_files([luxor.authority], {"all": b"".join(luxor.crls().values())})

    assert found.problems == ()
    judge(found, luxor, held)


def test_of_two_lists_the_later_counts(luxor: Town, held: x509.Certificate) -> None:
    old = crl(luxor, held, this_update=NOW - 2 * DAY)

    judge(lists(luxor, crl(luxor), old), luxor, held)
    judge(lists(luxor, old, crl(luxor)), luxor, held)


def test_a_revoked_certificate_stays_revoked_after_the_list_ran_out(
    luxor: Town, held: x509.Certificate
) -> None:
    stale = crl(luxor, held, next_update=NOW - DAY / 2)

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, stale), luxor, held)


@pytest.mark.parametrize(
    ("this_update", "next_update"),
    [(NOW - DAY, NOW - DAY / 2), (NOW + DAY / 2, NOW + DAY), (NOW - DAY, NOW)],
    ids=["ran out", "of the future", "runs out now"],
)
def test_a_list_that_is_not_in_force_makes_revocation_unavailable(
    luxor: Town, held: x509.Certificate, this_update: datetime, next_update: datetime
) -> None:
    content = crl(luxor, this_update=this_update, next_update=next_update)

    with pytest.raises(TrustError, match=r"revocation\.unavailable.*not in force"):
        judge(lists(luxor, content), luxor, held)


def test_what_was_found_holds_no_longer_than_what_it_rests_on(
    luxor: Town, held: x509.Certificate
) -> None:
    soon = NOW + DAY / 4
    later = crl(luxor, held, this_update=NOW + DAY / 8)
    found, ending = lists(luxor, crl(luxor), later), lists(luxor, crl(luxor, next_update=soon))

    judge(ending, luxor, held)
    judge(ending, luxor, held, now=soon - DAY / 1000)
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(ending, luxor, held, now=soon)
    judge(found, luxor, held)
    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(found, luxor, held, now=NOW + DAY / 8)


def test_without_a_list_revocation_is_unavailable(luxor: Town, held: x509.Certificate) -> None:
    for found in (lists(luxor), Revocations()):
        with pytest.raises(TrustError, match=r"revocation\.unavailable"):
            judge(found, luxor, held)


def test_a_list_signed_by_another_key_of_the_same_name_does_not_count(
    luxor: Town, held: x509.Certificate
) -> None:
    impostor = Issuer(luxor.issuing.certificate, generate_tls_key("P-256"))
    found = lists(luxor, crl(luxor, issuer=impostor))

    assert [str(problem) for problem in found.problems] == ["a: no registered authority signed it"]
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(found, luxor, held)


def test_a_list_of_one_authority_says_nothing_about_another(
    luxor: Town, partner: Town, held: x509.Certificate
) -> None:
    found = Revocations.from_files([luxor.authority, partner.authority], partner.crls())

    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(found, luxor, held)


def test_a_list_of_a_sister_authority_says_nothing(luxor: Town, held: x509.Certificate) -> None:
    """The engine of stage two alone would take it as said about the parent's certificates."""
    sister = issue_intermediate(
        generate_tls_key("P-256"), issuer=luxor.root, name="sister", validity=LONG
    )
    with_sister = Authority(
        id="luxor",
        certificates=(*luxor.authority.certificates, pem_of(sister.certificate)),
    )
    files = {"sister": crl(luxor, issuer=sister), "issuing": crl(luxor)}
    found = Revocations.from_files([with_sister], files)

    assert found.problems == ()
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        found.judge(path_of(with_sister, held), now=NOW)


def point(*, indirect: bool = False, **only: bool) -> x509.IssuingDistributionPoint:
    """For what part of the certificates a list is."""
    return x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=only.get("users", False),
        only_contains_ca_certs=only.get("authorities", False),
        only_some_reasons=None,
        indirect_crl=indirect,
        only_contains_attribute_certs=only.get("attributes", False),
    )


def test_a_list_for_users_speaks_of_users(luxor: Town, held: x509.Certificate) -> None:
    users = builder(luxor).add_extension(point(users=True), critical=True)

    judge(lists(luxor, signed(luxor, users)), luxor, held)
    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, signed(luxor, users.add_revoked_certificate(entry(held)))), luxor, held)


@pytest.mark.parametrize("kind", ["authorities", "attributes"])
def test_a_list_for_others_does_not_speak_of_users(
    luxor: Town, held: x509.Certificate, kind: str
) -> None:
    others = builder(luxor).add_extension(point(**{kind: True}), critical=True)

    with pytest.raises(TrustError, match=r"revocation\.unavailable.*do not cover"):
        judge(lists(luxor, signed(luxor, others)), luxor, held)


def test_a_list_with_an_unknown_critical_extension_does_not_count(luxor: Town) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
    content = signed(luxor, builder(luxor).add_extension(unknown, critical=True))

    assert ["a: it has a critical extension that is not understood"] == [
        str(problem) for problem in lists(luxor, content).problems
    ]


def freshest() -> x509.FreshestCRL:
    """A list that has this says that delta lists go on from it."""
    name = x509.UniformResourceIdentifier("http://crl.example/delta")
    return x509.FreshestCRL([x509.DistributionPoint([name], None, None, None)])


def delta(town: Town, *revoked: x509.Certificate, base: int, number: int) -> bytes:
    """A list of what changed since the list of number ``base``."""
    unsigned = builder(town, number=number).add_extension(
        x509.DeltaCRLIndicator(base), critical=True
    )
    for certificate in revoked:
        unsigned = unsigned.add_revoked_certificate(entry(certificate))
    return signed(town, unsigned)


def test_a_delta_list_goes_on_from_the_complete_one(luxor: Town, held: x509.Certificate) -> None:
    complete = signed(luxor, builder(luxor, number=5).add_extension(freshest(), critical=False))

    judge(lists(luxor, complete, delta(luxor, base=5, number=6)), luxor, held)
    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, complete, delta(luxor, held, base=5, number=6)), luxor, held)


@pytest.mark.parametrize(
    ("base", "number"), [(6, 7), (3, 4)], ids=["what lies between is missing", "it is older"]
)
def test_a_delta_list_of_another_complete_one_does_not_count(
    luxor: Town, held: x509.Certificate, base: int, number: int
) -> None:
    complete = signed(luxor, builder(luxor, number=5).add_extension(freshest(), critical=False))

    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(lists(luxor, complete, delta(luxor, base=base, number=number)), luxor, held)


def test_a_delta_list_alone_is_not_enough(luxor: Town, held: x509.Certificate) -> None:
    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        judge(lists(luxor, delta(luxor, base=5, number=6)), luxor, held)


def test_a_revocation_whose_date_lies_ahead_counts_now(luxor: Town, held: x509.Certificate) -> None:
    ahead = builder(luxor).add_revoked_certificate(entry(held, when=NOW + DAY))

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(lists(luxor, signed(luxor, ahead)), luxor, held)


def test_a_list_with_an_entry_for_another_issuer_does_not_count(
    luxor: Town, held: x509.Certificate
) -> None:
    other = x509.CertificateIssuer([x509.DirectoryName(luxor.root.certificate.subject)])
    direct = builder(luxor).add_revoked_certificate(entry(held, other, critical=True))

    assert ["a: an entry is for another issuer, and the list is not indirect"] == [
        str(problem) for problem in lists(luxor, signed(luxor, direct)).problems
    ]


def test_a_certificate_on_hold_is_revoked(luxor: Town, held: x509.Certificate) -> None:
    on_hold = entry(held, x509.CRLReason(x509.ReasonFlags.certificate_hold))

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        judge(
            lists(luxor, signed(luxor, builder(luxor).add_revoked_certificate(on_hold))),
            luxor,
            held,
        )


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN X509 CRL-----\n!!"])
def test_a_broken_file_is_a_problem_and_the_others_still_count(
    luxor: Town, held: x509.Certificate, content: bytes
) -> None:
    found = lists(luxor, content, crl(luxor))

    assert ["a: not a revocation list"] == [str(problem) for problem in found.problems]
    judge(found, luxor, held)


def test_the_first_list_to_run_out_is_known(luxor: Town) -> None:
    soon = luxor.crls(next_update=NOW + DAY / 4)["luxor-root.crl"]
    files = {"root": soon, "issuing": crl(luxor)}

    assert Revocations.from_files([luxor.authority], files).next_update() == NOW + DAY / 4
    assert Revocations().next_update() is None


def test_a_path_counts_only_under_a_policy_that_the_authority_demands(
    luxor: Town, held: x509.Certificate
) -> None:
    demanding = msgspec.structs.replace(luxor.authority, policies=("1.3.6.1.4.1.99999.7",))
    found = Revocations.from_files([demanding], luxor.crls())

    with pytest.raises(TrustError, match=r"certificate\.untrusted"):
        found.judge(path_of(demanding, held), now=NOW)
