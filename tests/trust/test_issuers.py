"""The profile of authorities: what a path could do without, and this network does not."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.trust.town import LONG, NOW, USUAL, Town, der, party
from trust.authenticator import Authenticator
from trust.authority import Issuer, TlsKey, generate_tls_key, issue_tls
from trust.certificates import pem_of
from trust.errors import TrustError
from trust.identity import PartyId
from trust.members import Authority
from trust.party import Registry
from trust.revocation import Revocations

KEY: TlsKey = generate_tls_key("P-256")
NAMES = x509.NameConstraints(permitted_subtrees=[x509.DNSName("localhost")], excluded_subtrees=None)


def intermediate(
    town: Town, *, constraints_critical: bool = True, ski: bool = True, aki: bool = True
) -> Issuer:
    """A CA below the town's root, with what is named left out."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")]))
        .issuer_name(town.root.certificate.subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG.not_before)
        .not_valid_after(LONG.not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(NAMES, critical=constraints_critical)
        .add_extension(
            town.root.certificate.extensions.get_extension_for_class(x509.KeyUsage).value,
            critical=True,
        )
    )
    if ski:
        identifier = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if aki:
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(town.root.key.public_key())
        builder = builder.add_extension(above, critical=False)
    return Issuer(builder.sign(town.root.key, hashes.SHA256()), KEY)


def code(town: Town, issuer: Issuer) -> str:
    """What a gate says that has no lists, of a party's certificate below that issuer."""
    authority = Authority(
        id="luxor",
        certificates=(pem_of(town.root.certificate), pem_of(issuer.certificate)),
    )
    leaf = issue_tls(
        KEY,
        issuer=issuer,
        name="a party",
        party=PartyId("post-a"),
        validity=USUAL,
        hosts=("localhost",),
    )
    registry = Registry(authorities=[authority], parties=[party()])
    gate = Authenticator(registry, Revocations.from_files([authority], {}))
    with pytest.raises(TrustError) as refusal:
        gate.identify(der(leaf), now=NOW)
    return f"{refusal.value.code}: {refusal.value.detail}"


def test_an_authority_as_it_should_be_fails_for_want_of_lists_alone(luxor: Town) -> None:
    assert code(luxor, intermediate(luxor)).startswith("revocation.unavailable")


def test_a_constraint_that_is_not_critical_breaks_the_profile(luxor: Town) -> None:
    found = code(luxor, intermediate(luxor, constraints_critical=False))

    assert "certificate.profile: a constraint of an authority is not critical" == found


def test_an_authority_must_identify_its_key(luxor: Town) -> None:
    found = code(luxor, intermediate(luxor, ski=False))

    assert "certificate.profile: an authority's certificate does not identify its key" == found


def test_a_certificate_without_its_issuers_key_does_not_count(luxor: Town) -> None:
    found = code(luxor, intermediate(luxor, aki=False))

    assert found.startswith("certificate.")
