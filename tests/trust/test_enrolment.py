"""A request proves a key and nothing else; what it may become is said by who issues."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from tests.trust.town import DAY, NOW, Town, authenticator, der, party
from trust.authority import Pointers, Validity, generate_key
from trust.certificates import check_profile, check_signing, party_of
from trust.enrolment import (
    MAX_REQUEST_BYTES,
    CertificatePurpose,
    KeyRules,
    Request,
    hosts_of,
    issue,
    key_id,
    key_id_of,
    make_request,
    read_request,
)
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PrivateKey

POST = PartyId("post-a")
RULES = KeyRules()
USUAL = Validity(NOW - DAY, NOW + 90 * DAY)


def read(content: bytes, purpose: CertificatePurpose = "tls", rules: KeyRules = RULES) -> Request:
    """The request of the post."""
    return read_request(content, party=POST, purpose=purpose, rules=rules)


def refused(content: bytes, purpose: CertificatePurpose = "tls", rules: KeyRules = RULES) -> str:
    """Why the request is refused."""
    with pytest.raises(TrustError) as caught:
        read(content, purpose, rules)
    assert "certificate.profile" == caught.value.code
    return caught.value.detail


def asking(*extensions: x509.ExtensionType, hash_: hashes.HashAlgorithm | None = None) -> bytes:
    """A request with these extensions."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    key = ec.generate_private_key(ec.SECP256R1())
    request = builder.sign(key, hash_ or hashes.SHA256())  # type: ignore[arg-type] # weak ones too
    return request.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-3072", "Ed25519"])
def test_a_request_for_signing_gives_its_key(kind: str) -> None:
    key = generate_key(kind)  # type: ignore[arg-type] # one of the kinds

    found = read(make_request(key, party=POST), "signing")

    assert found.key == key.public_key()
    assert found.key_id == key_id(key.public_key())


def test_der_is_read_as_pem_is() -> None:
    pem = make_request(generate_key("P-256"), party=POST, hosts=["gw.example", "192.0.2.1"])
    der_ = x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER)

    assert read(pem) == read(der_)
    assert ("gw.example", "192.0.2.1") == read(pem).names


@pytest.mark.parametrize(
    ("key", "purpose"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "tls"),
        (ec.generate_private_key(ec.SECP521R1()), "tls"),
        (ec.generate_private_key(ec.SECP256K1()), "signing"),
        (ed448.Ed448PrivateKey.generate(), "signing"),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "tls"),
        (dsa.generate_private_key(key_size=2048), "signing"),
    ],
    ids=["ed25519-tls", "p-521", "secp256k1", "ed448", "rsa-2048", "dsa"],
)
def test_a_key_that_the_profile_has_not_is_refused(
    key: PrivateKey, purpose: CertificatePurpose
) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    hash_ = (
        None
        if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        else hashes.SHA256()
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hash_)

    assert f"a key for {purpose} is one of: P-256" in refused(
        request.public_bytes(serialization.Encoding.DER), purpose
    )


def test_a_profile_may_take_other_keys() -> None:
    request = make_request(generate_key("RSA-2048"), party=POST)

    assert read(request, rules=KeyRules(rsa_bits=2048)).key_id
    assert "one of: P-256" in refused(
        make_request(generate_key("P-384"), party=POST), rules=KeyRules(tls=("P-256",))
    )


def test_who_has_not_the_key_gets_no_certificate() -> None:
    mine = generate_key("P-256")
    content = x509.load_pem_x509_csr(make_request(mine, party=POST))
    der_ = bytearray(content.public_bytes(serialization.Encoding.DER))
    stolen = generate_key("P-256").public_key()
    point = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    at = bytes(der_).index(mine.public_key().public_bytes(*point))
    other = stolen.public_bytes(*point)
    der_[at : at + len(other)] = other

    assert "its signature does not hold" in refused(bytes(der_))


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (x509.BasicConstraints(ca=True, path_length=None), "asks to be an authority"),
        (
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            "key usage of an authority",
        ),
        (
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:luxor:party:post-b")]),
            "names another party",
        ),
    ],
)
def test_who_asks_for_more_than_a_party_gets_is_refused(
    extension: x509.ExtensionType, reason: str
) -> None:
    assert reason in refused(asking(extension))


def test_a_weak_hash_is_refused() -> None:
    assert "below SHA-256" in refused(asking(hash_=hashes.SHA224()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        b"\x30\x80\x00",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n",
        b"\x00" * 99,
    ],
)
def test_what_is_no_request_is_refused(content: bytes) -> None:
    assert "not a certificate signing request" in refused(content)


def test_two_requests_in_one_file_are_refused() -> None:
    assert "more than one" in refused(asking() + asking())


def test_a_large_file_is_refused_unread() -> None:
    assert "too large" in refused(asking() + b"\n" * MAX_REQUEST_BYTES)


def test_a_damaged_request_is_refused_whatever_is_damaged() -> None:
    whole = x509.load_pem_x509_csr(make_request(generate_key("P-256"), party=POST, hosts=["a.b"]))
    content = whole.public_bytes(serialization.Encoding.DER)
    generator = random.Random(7)
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        if bytes(damaged) != content:
            assert refused(bytes(damaged))


def test_the_certificate_is_what_a_gateway_lets_in(luxor: Town) -> None:
    asked = read(make_request(generate_key("P-256"), party=POST, hosts=["evil.example"]))

    certificate = issue(
        asked,
        issuer=luxor.issuing,
        party=POST,
        purpose="tls",
        validity=USUAL,
        hosts=["gw.post-a.example", "192.0.2.7"],
        pointers=Pointers(crl="http://a/crl", ocsp="http://a/ocsp", issuer="http://a/ca"),
    )

    check_profile(certificate)
    assert POST == party_of(certificate)
    assert ("gw.post-a.example", "192.0.2.7") == hosts_of(certificate)
    assert asked.key_id == key_id_of(certificate)
    assert authenticator([luxor], party()).identify(der(certificate), now=NOW).party == POST
    assert "http://a/ocsp" in str(
        certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    )


def test_a_signing_certificate_is_none_for_tls(luxor: Town) -> None:
    asked = read(make_request(generate_key("Ed25519"), party=POST), "signing")

    certificate = issue(asked, issuer=luxor.issuing, party=POST, purpose="signing", validity=USUAL)

    assert POST == check_signing(certificate)
    with pytest.raises(TrustError):
        check_profile(certificate)


def test_no_certificate_outlives_its_issuer(luxor: Town) -> None:
    asked = read(make_request(generate_key("P-256"), party=POST))
    end = luxor.issuing.certificate.not_valid_after_utc

    certificate = issue(
        asked,
        issuer=luxor.issuing,
        party=POST,
        purpose="tls",
        validity=Validity(NOW, end + timedelta(days=1)),
    )

    assert end == certificate.not_valid_after_utc
    with pytest.raises(TrustError, match="expired"):
        issue(
            asked,
            issuer=luxor.issuing,
            party=POST,
            purpose="tls",
            validity=Validity(end + DAY, end + 2 * DAY),
        )


@pytest.mark.parametrize(
    "host",
    ["", "a b", "*.example", "ä.example", "-a", "a-", "a..b", "a.", "x" * 64, "1.2.3.4/8", "a\n"],
)
def test_what_is_no_host_is_refused(luxor: Town, host: str) -> None:
    asked = read(make_request(generate_key("P-256"), party=POST))

    with pytest.raises(TrustError, match="is no host"):
        issue(asked, issuer=luxor.issuing, party=POST, purpose="tls", validity=USUAL, hosts=[host])
    with pytest.raises(TrustError, match="is no host"):
        make_request(generate_key("P-256"), party=POST, hosts=[host])


@pytest.mark.parametrize("host", ["a", "gw.post-a.example", "192.0.2.1", "2001:db8::1", "x" * 63])
def test_what_is_a_host_is_taken(host: str) -> None:
    request = make_request(generate_key("P-256"), party=POST, hosts=[host])

    assert (host,) == read(request).names


def test_a_signing_certificate_names_no_host(luxor: Town) -> None:
    asked = read(make_request(generate_key("P-256"), party=POST), "signing")

    with pytest.raises(TrustError, match="no host"):
        issue(
            asked,
            issuer=luxor.issuing,
            party=POST,
            purpose="signing",
            validity=USUAL,
            hosts=["gw.example"],
        )
