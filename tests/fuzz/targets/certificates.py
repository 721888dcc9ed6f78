"""Certificates and revocation lists, as they came and with a signature that holds.

A parser behind a signature is reached by signing what the fuzzer made of the signed part, as an
authority that lost its mind would. Nothing that it makes may raise anything but ``TrustError``.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fuzz.target import Broken, Prepared, Target
from tests.trust.town import NOW, POST, Town, authenticator, der, party
from trust.authority import TlsKey
from trust.certificates import load_certificates
from trust.errors import TrustError
from trust.revocation import Revocations

ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
"""AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758, 3.2)."""
TAGS = (
    *map(
        bytes.fromhex,
        (
            "0603551d11",  # subjectAltName
            "0603551d0f",  # keyUsage
            "0603551d13",  # basicConstraints
            "0603551d25",  # extKeyUsage
            "0603551d23",  # authorityKeyIdentifier
            "0603551d1e",  # nameConstraints
            "0603551d20",  # certificatePolicies
            "0101ff",  # critical
            "3000",
            "0400",
            "3080",
            "170d3530303130313030303030305a",  # UTCTime of 1950
            "180f39393939313233313233353935395a",  # the end of time (RFC 5280, 4.1.2.5)
        ),
    ),
    b"urn:luxor:party:",
    b"urn:luxor:party:post-b",
)


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    text = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(text)]) + text


def tlv(tag: int, content: bytes) -> bytes:
    """One DER value."""
    return bytes([tag]) + _length(len(content)) + content


def signed(part: bytes, key: TlsKey) -> bytes:
    """The signed part with the signature of ``key``: a certificate or a list."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(part, ec.ECDSA(SHA256()))
    return tlv(0x30, part + ECDSA_SHA256 + tlv(0x03, b"\0" + signature))


def _issuing_key(town: Town) -> TlsKey:
    return town.issuing.key


def refusing(read: Callable[[bytes], object]) -> Callable[[bytes], bool]:
    """A judge of something that takes bytes or raises ``TrustError``."""

    def judge(data: bytes) -> bool:
        try:
            read(data)
        except TrustError:
            return False
        return True

    return judge


def _certificate_target() -> Prepared:
    """The way of a client certificate that TLS handed over, from its bytes to a party."""
    town = Town("luxor")
    good = der(town.certificate())
    proves = authenticator([town], party())

    def read(data: bytes) -> None:
        identity = proves.identify(data, now=NOW)
        if data != good or identity.party != POST:
            raise Broken("bytes that no authority signed name a party")

    return Prepared(judge=refusing(read), seeds=[good], words=TAGS)


def _issued_target() -> Prepared:
    """Certificates whose signature holds and whose content nobody checked."""
    town = Town("luxor")
    other = Town("partner")
    proves = authenticator([town, other], party(), party("post-b", "partner"))
    seeds = [
        town.certificate().tbs_certificate_bytes,
        town.certificate(None, uris=["urn:luxor:party:post-b"]).tbs_certificate_bytes,
    ]
    key = _issuing_key(town)

    def read(data: bytes) -> None:
        identity = proves.identify(signed(data, key), now=NOW)
        if identity.party != POST:
            raise Broken("one authority made a certificate for another's party")

    return Prepared(judge=refusing(read), seeds=seeds, words=TAGS)


def _pem_target() -> Prepared:
    town = Town("luxor")
    pem = town.certificate().public_bytes(Encoding.PEM)
    chain = town.authority.certificates[0].encode()
    return Prepared(
        judge=refusing(load_certificates),
        seeds=[pem, pem + chain],
        words=[b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----", b"\r\n", b"="],
    )


def _crl_target() -> Prepared:
    """Files of revocation lists: usable or a problem, never an exception; none unrevokes."""
    town = Town("luxor")
    revoked = town.certificate()
    files = town.crls(revoked)
    proves = authenticator([town], party(), crls=files)
    one = der(revoked)

    def judge(data: bytes) -> bool:
        found = Revocations.from_files([town.authority], {"list": data})
        both = Revocations.from_files([town.authority], {**files, "list": data})
        try:
            proves.with_revocations(both).identify(one, now=NOW)
        except TrustError as refusal:
            if refusal.code != "certificate.revoked":
                raise Broken("a file beside the lists hides them") from refusal
        else:
            raise Broken("a list that no authority signed counts")
        return found.next_update() is not None

    return Prepared(
        judge=judge,
        seeds=[*files.values()],
        words=[*TAGS, b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"],
    )


def _issued_list_target() -> Prepared:
    """Lists whose signature holds and whose content nobody checked; judged by as well."""
    town = Town("luxor")
    key = _issuing_key(town)
    crls = town.crls(town.certificate())
    issuing = next(content for name, content in crls.items() if "issuing" in name)
    part = _list_part(issuing)
    root = {name: content for name, content in crls.items() if "root" in name}
    proves = authenticator([town], party())
    good = der(town.certificate())

    def read(data: bytes) -> None:
        files = {**root, "issuing": signed(data, key)}
        proves.with_revocations(Revocations.from_files([town.authority], files)).identify(
            good, now=NOW
        )

    return Prepared(judge=refusing(read), seeds=[part], words=TAGS)


def _list_part(pem: bytes) -> bytes:
    return x509.load_pem_x509_crl(pem).tbs_certlist_bytes


TARGETS = (
    Target(name="certificate", prepare=_certificate_target),
    Target(name="certificate-issued", prepare=_issued_target, share=0.5),
    Target(name="certificate-pem", prepare=_pem_target),
    Target(name="crl", prepare=_crl_target, share=0.3),
    Target(name="crl-issued", prepare=_issued_list_target, share=0.3),
)
