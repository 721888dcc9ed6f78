"""The profile of TLS certificates, and hostile bytes in their place."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trust.town import DAY, NOW, POST, USUAL, Town, authenticator, der, party
from trust.authority import KeyKind, generate_key, generate_tls_key, issue_signing
from trust.certificates import (
    MAX_CERTIFICATE_BYTES,
    Purpose,
    check_profile,
    check_signing,
    fingerprint,
    is_authority,
    load_certificate,
    load_certificates,
    party_of,
)
from trust.errors import TrustError

CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
USAGE = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


def leaf(
    *extensions: x509.ExtensionType,
    key: object = None,
    digest: hashes.SHA224 | None = None,
) -> x509.Certificate:
    """A certificate with just these extensions, signed by a key that does not matter."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key((key or generate_tls_key("P-256")).public_key())  # type: ignore[attr-defined] # a private key
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), digest or hashes.SHA256())


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_a_client_certificate_has_an_ec_or_rsa_key(kind: str) -> None:
    key = generate_tls_key(kind)  # type: ignore[arg-type] # one of the kinds

    check_profile(leaf(CLIENT, key=key))


BROKEN = {
    "Ed25519 key": leaf(CLIENT, key=ed25519.Ed25519PrivateKey.generate()),
    "P-521 key": leaf(CLIENT, key=ec.generate_private_key(ec.SECP521R1())),
    "short RSA key": leaf(CLIENT, key=rsa.generate_private_key(65537, 1024)),  # noqa: S505 - the point
    "no purpose": leaf(),
    "purpose of a server": leaf(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    "any purpose": leaf(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])),
    "an authority": leaf(CLIENT, x509.BasicConstraints(ca=True, path_length=None)),
    "may sign certificates": leaf(
        CLIENT, x509.KeyUsage(digital_signature=True, key_cert_sign=True, **USAGE)
    ),
    "may not sign handshakes": leaf(
        CLIENT, x509.KeyUsage(digital_signature=False, key_cert_sign=False, **USAGE)
    ),
    "SHA-224": leaf(CLIENT, digest=hashes.SHA224()),
}


@pytest.mark.parametrize("certificate", BROKEN.values(), ids=BROKEN)
def test_what_breaks_the_profile_is_refused(certificate: x509.Certificate) -> None:
    with pytest.raises(TrustError, match=r"certificate\.profile"):
        check_profile(certificate)


def test_each_purpose_is_asked_for_by_itself() -> None:
    server = leaf(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))

    check_profile(server, Purpose.SERVER)


def signing_certificate(town: Town, kind: KeyKind = "P-256") -> x509.Certificate:
    """What the town's issuing CA gives a party for the key with which it signs."""
    key = generate_key(kind).public_key()
    return issue_signing(key, issuer=town.issuing, name="x", party=POST, validity=USUAL)


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_a_signing_certificate_names_its_party_and_signs_only(luxor: Town, kind: KeyKind) -> None:
    certificate = signing_certificate(luxor, kind)

    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert check_signing(certificate) == POST
    assert (constraints.critical, constraints.value.ca) == (True, False)
    assert usage.critical
    assert usage.value == x509.KeyUsage(digital_signature=True, key_cert_sign=False, **USAGE)
    assert not [one for one in extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    assert not is_authority(certificate)


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_a_signing_certificate_is_no_tls_certificate(
    luxor: Town, kind: KeyKind, purpose: Purpose
) -> None:
    with pytest.raises(TrustError, match=r"certificate\.profile"):
        check_profile(signing_certificate(luxor, kind), purpose)


def test_nobody_connects_with_a_signing_certificate(luxor: Town) -> None:
    gate = authenticator([luxor], party())

    with pytest.raises(TrustError, match=r"certificate\.profile"):
        gate.identify(der(signing_certificate(luxor)), now=NOW)


SIGNS = x509.KeyUsage(digital_signature=True, key_cert_sign=False, **USAGE)
NOT_FOR_SIGNING = {
    "for TLS clients": leaf(CLIENT, SIGNS),
    "for TLS servers": leaf(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), SIGNS),
    "for any purpose": leaf(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), SIGNS
    ),
    "an authority": leaf(SIGNS, x509.BasicConstraints(ca=True, path_length=None)),
    "no key usage": leaf(),
    "may not sign": leaf(x509.KeyUsage(digital_signature=False, key_cert_sign=False, **USAGE)),
    "may sign certificates": leaf(
        x509.KeyUsage(digital_signature=True, key_cert_sign=True, **USAGE)
    ),
}


@pytest.mark.parametrize("certificate", NOT_FOR_SIGNING.values(), ids=NOT_FOR_SIGNING)
def test_another_certificate_is_no_signing_certificate(certificate: x509.Certificate) -> None:
    with pytest.raises(TrustError, match=r"certificate\.profile"):
        check_signing(certificate)


def test_a_certificate_without_our_uri_names_nobody() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("urn:luxor:party:post-a")])

    assert party_of(leaf(names)) is None


def test_a_ca_may_issue_and_a_leaf_may_not(luxor: Town) -> None:
    assert is_authority(luxor.issuing.certificate)
    assert not is_authority(luxor.certificate())


def test_the_fingerprint_is_the_sha_256_of_the_der_bytes() -> None:
    assert fingerprint(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("content", [b"", b"0", b"\x30\x80", b"x" * (MAX_CERTIFICATE_BYTES + 1)])
def test_what_is_no_certificate_breaks_the_profile(content: bytes) -> None:
    with pytest.raises(TrustError, match=r"certificate\.profile"):
        load_certificate(content)


def test_a_pem_text_without_a_certificate_breaks_the_profile() -> None:
    with pytest.raises(TrustError, match=r"certificate\.profile"):
        load_certificates(b"nothing")


HOME = Town("luxor")
GATE = authenticator([HOME], party())
GOOD = der(HOME.certificate())


@settings(max_examples=400)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=6
    ),
    end=st.integers(0, len(GOOD)) | st.just(len(GOOD)),
)
def test_mutated_certificates_are_refused_and_nothing_else_is_raised(
    edits: list[tuple[int, int]], end: int
) -> None:
    mutated = bytearray(GOOD)
    for at, value in edits:
        mutated[at] = value
    sent = bytes(mutated[:end])
    if sent == GOOD:
        assert GATE.identify(sent, now=NOW).party == POST
        return
    with pytest.raises(TrustError):
        GATE.identify(sent, now=NOW)


@given(content=st.binary(max_size=2_000))
def test_arbitrary_bytes_are_refused_and_nothing_else_is_raised(content: bytes) -> None:
    with pytest.raises(TrustError):
        GATE.identify(content, now=NOW)
