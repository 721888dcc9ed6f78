"""RFC 9421, appendix B: the messages, signature bases and signatures that it prints.

Signatures that a registered key can make are verified by the product's own arithmetic. HMAC is
none of ours: there the base is computed here, and the published key is applied in the test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from trust.errors import TrustError
from trust.keys import PublicKey, public_key, signing_key
from trust.signatures.http.digest import check_content, read_content_digest
from trust.signatures.http.offer import verify_base
from trust.signatures.http.signature_base import Message, signature_base
from trust.signatures.http.structured import read_signature, read_signature_input

pytestmark = pytest.mark.conformance("RFC 9421")

# B.2: the two messages
REQUEST_DIGEST = (
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXv"
    "Jwew==:"
)
RESPONSE_DIGEST = (
    "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGg"
    "fLQ==:"
)
REQUEST = Message(
    method="POST",
    authority="example.com",
    target="/foo?param=Value&Pet=dog",
    fields=(
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-digest", REQUEST_DIGEST),
        ("content-length", "18"),
    ),
)
RESPONSE = Message(
    status=200,
    fields=(
        ("date", "Tue, 20 Apr 2021 02:07:56 GMT"),
        ("content-type", "application/json"),
        ("content-digest", RESPONSE_DIGEST),
        ("content-length", "23"),
    ),
)
# B.3: what the proxy sends on, with the certificate that it saw
CLIENT_CERT = (
    ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAM"
    "MEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFk"
    "wEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1"
    "M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DA"
    "OBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAo"
    "GCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmP"
    "k0wmuydBVoU4hBVZ1yhk=:"
)
PROXIED = Message(
    method="POST",
    authority="service.internal.example",
    target="/foo?param=Value&Pet=dog",
    fields=(
        ("host", "service.internal.example"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
        ("client-cert", CLIENT_CERT),
    ),
)
# B.4: the message that is transformed
DEMO = Message(
    method="GET",
    authority="example.org",
    target="/demo?name1=Value1&Name2=value2",
    fields=(
        ("host", "example.org"),
        ("date", "Fri, 15 Jul 2022 14:24:55 GMT"),
        ("accept", "application/json"),
        ("accept", "*/*"),
    ),
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A message, the fields of its signature, and the printed base but for its last line."""

    message: Message
    label: str
    input: str
    signature: str
    lines: tuple[str, ...]


B21 = Case(
    message=REQUEST,
    label="sig-b21",
    input='();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
    signature="d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxb"
    "tRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjB"
    "qJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s"
    "++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
    lines=(),
)
B22 = Case(
    message=REQUEST,
    label="sig-b22",
    input='("@authority" "content-digest" "@query-param";name="Pet");created=1618884473'
    ';keyid="test-key-rsa-pss";tag="header-example"',
    signature="LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJ"
    "yE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhp"
    "TlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVk"
    "SFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==",
    lines=(
        '"@authority": example.com',
        f'"content-digest": {REQUEST_DIGEST}',
        '"@query-param";name="Pet": dog',
    ),
)
B23 = Case(
    message=REQUEST,
    label="sig-b23",
    input='("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" '
    '"content-length");created=1618884473;keyid="test-key-rsa-pss"',
    signature="bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+q"
    "RpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh"
    "/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+Q"
    "IF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
    lines=(
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@query": ?param=Value&Pet=dog',
        '"@authority": example.com',
        '"content-type": application/json',
        f'"content-digest": {REQUEST_DIGEST}',
        '"content-length": 18',
    ),
)
B24 = Case(
    message=RESPONSE,
    label="sig-b24",
    input='("@status" "content-type" "content-digest" "content-length");created=1618884473'
    ';keyid="test-key-ecc-p256"',
    signature="wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw"
    "==",
    lines=(
        '"@status": 200',
        '"content-type": application/json',
        f'"content-digest": {RESPONSE_DIGEST}',
        '"content-length": 23',
    ),
)
B25 = Case(
    message=REQUEST,
    label="sig-b25",
    input='("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    signature="pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    lines=(
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@authority": example.com',
        '"content-type": application/json',
    ),
)
B26 = Case(
    message=REQUEST,
    label="sig-b26",
    input='("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"',
    signature="wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw"
    "==",
    lines=(
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
    ),
)
B3 = Case(
    message=PROXIED,
    label="ttrp",
    input='("@path" "@query" "@method" "@authority" "client-cert");created=1618884473'
    ';keyid="test-key-ecc-p256"',
    signature="xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw"
    "==",
    lines=(
        '"@path": /foo',
        '"@query": ?param=Value&Pet=dog',
        '"@method": POST',
        '"@authority": service.internal.example',
        f'"client-cert": {CLIENT_CERT}',
    ),
)
B4 = Case(
    message=DEMO,
    label="transform",
    input='("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
    signature="ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA"
    "==",
    lines=(
        '"@method": GET',
        '"@path": /demo',
        '"@authority": example.org',
        '"accept": application/json, */*',
    ),
)
CASES = {
    "B.2.1": B21,
    "B.2.2": B22,
    "B.2.3": B23,
    "B.2.4": B24,
    "B.2.5": B25,
    "B.2.6": B26,
    "B.3": B3,
    "B.4": B4,
}

# B.1.5; an example, printed for everybody
SHARED_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)


def number(text: str) -> int:
    """A number in base64url, as JWK write it (RFC 7518, 2)."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def registered(key: Any, kid: str, algorithm: str) -> PublicKey:
    """A key as the registry has it."""
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public_key(signing_key(pem, kid=kid, algorithm=algorithm))


def published_keys() -> dict[str, PublicKey]:
    """The public halves of B.1.2 to B.1.4, from the numbers that they are made of."""
    modulus = (
        "r4tmm3r20Wd_PbqvP1s2-QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct-Lh1GH45x28Rw3Ry53mm-oAXjyQ86"
        "OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL-Wokq"
        "ltd11nqqzi-bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4"
        "aOT9v6d-nb4bnNkQVklLQ3fVAvJm-xdDOp9LCNCN48V2pnDOkFV6-U9nV5oyc6XI2w"
    )
    p256 = ec.EllipticCurvePublicNumbers(
        number("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA"),
        number("Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"),
        ec.SECP256R1(),
    )
    x = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
    return {
        "test-key-rsa-pss": registered(
            rsa.RSAPublicNumbers(65537, number(modulus)).public_key(), "test-key-rsa-pss", "PS512"
        ),
        "test-key-ecc-p256": registered(p256.public_key(), "test-key-ecc-p256", "ES256"),
        "test-key-ed25519": registered(
            ed25519.Ed25519PublicKey.from_public_bytes(x), "test-key-ed25519", "Ed25519"
        ),
    }


@pytest.fixture(scope="module")
def keys() -> dict[str, PublicKey]:
    return published_keys()


def base_of(case: Case, message: Message | None = None) -> bytes:
    """The signature base of a message under the case's signature."""
    given = read_signature_input(f"{case.label}={case.input}")
    return signature_base(message or case.message, given)


def prove(case: Case, keys: dict[str, PublicKey], message: Message | None = None) -> None:
    """Raise ``signature.invalid`` unless the printed signature is that of the message."""
    given = read_signature_input(f"{case.label}={case.input}")
    label, signature = read_signature(f"{case.label}=:{case.signature}:")
    assert label == given.label
    base = base_of(case, message)
    if given.parameters["keyid"] != "test-shared-secret":
        verify_base(base, signature, keys[given.parameters["keyid"]])
    elif not hmac.compare_digest(hmac.digest(SHARED_SECRET, base, hashlib.sha256), signature):
        raise TrustError("signature.invalid")


@pytest.mark.parametrize("name", CASES)
def test_the_signature_base_is_the_one_that_is_printed(name: str) -> None:
    case = CASES[name]
    printed = "\n".join((*case.lines, f'"@signature-params": {case.input}'))

    assert printed.encode() == base_of(case)


@pytest.mark.parametrize("name", CASES)
def test_the_printed_signature_is_valid(name: str, keys: dict[str, PublicKey]) -> None:
    prove(CASES[name], keys)


@pytest.mark.parametrize("name", CASES)
def test_another_byte_of_the_base_makes_it_invalid(name: str, keys: dict[str, PublicKey]) -> None:
    case = CASES[name]
    other = msgspec.structs.replace(case, input=case.input.replace("1618884473", "1618884474"))

    with pytest.raises(TrustError, match=r"signature\.invalid"):
        prove(other, keys)


@pytest.mark.parametrize(
    ("message", "content"),
    [(REQUEST, b'{"hello": "world"}'), (RESPONSE, b'{"message": "good dog"}')],
    ids=["request", "response"],
)
def test_the_printed_digest_is_that_of_the_printed_content(
    message: Message, content: bytes
) -> None:
    digests = read_content_digest(message.lines("content-digest")[0])

    check_content(digests, lambda: [content])
    with pytest.raises(TrustError, match=r"signature\.digest"):
        check_content(digests, lambda: [content, b"\n"])


def demo(**changes: Any) -> Message:
    """The message of B.4, changed on its way."""
    return msgspec.structs.replace(DEMO, **changes)


HOST, DATE = DEMO.fields[:2]
UNHARMED = {
    "a parameter and a field added": demo(
        target="/demo?name1=Value1&Name2=value2&param=added",
        fields=(*DEMO.fields, ("accept-language", "en-US,en;q=0.5")),
    ),
    "a date removed and values combined": demo(
        fields=(
            HOST,
            ("referer", "https://developer.example.org/demo"),
            ("accept", "application/json, */*"),
        )
    ),
    "fields in another order": demo(
        fields=(("accept", "application/json"), ("accept", "*/*"), DATE, HOST)
    ),
}
BROKEN = {
    "another method and authority": demo(
        method="POST", authority="example.com", fields=(("host", "example.com"), *DEMO.fields[1:])
    ),
    "values of one field in another order": demo(
        fields=(HOST, DATE, ("accept", "*/*"), ("accept", "application/json"))
    ),
}


@pytest.mark.parametrize("name", UNHARMED)
def test_a_transformation_of_what_is_not_covered_does_no_harm(
    name: str, keys: dict[str, PublicKey]
) -> None:
    prove(B4, keys, UNHARMED[name])


@pytest.mark.parametrize("name", BROKEN)
def test_a_transformation_of_what_is_covered_is_seen(name: str, keys: dict[str, PublicKey]) -> None:
    with pytest.raises(TrustError, match=r"signature\.invalid"):
        prove(B4, keys, BROKEN[name])
