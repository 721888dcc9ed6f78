"""Keys: which may sign, and for which algorithm."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x25519

from trust.algorithms import ALGORITHMS
from trust.authority import KeyKind, generate_key, private_key_pem
from trust.errors import CODES, TrustError
from trust.keys import (
    KeySigner,
    load_private_key,
    load_public_key,
    public_key_pem,
    signing_key,
    thumbprint_kid,
)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("P-256", "ES256"), ("P-384", "ES384"), ("Ed25519", "Ed25519"), ("RSA-2048", "PS256")],
)
def test_a_key_knows_its_algorithm(kind: KeyKind, algorithm: str) -> None:
    assert signing_key(public_key_pem(generate_key(kind))).algorithm == algorithm


def test_a_keys_default_name_is_its_rfc_7638_thumbprint() -> None:
    # RFC 8037, appendix A.3: the thumbprint of the Ed25519 key of RFC 8032
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    pem = b"-----BEGIN PUBLIC KEY-----\n" + _base64(b"0*0\x05\x06\x03+ep\x03!\x00" + raw)

    key = signing_key(pem + b"\n-----END PUBLIC KEY-----\n")

    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def _base64(content: bytes) -> bytes:
    import base64

    return base64.b64encode(content)


def test_both_halves_have_the_same_thumbprint() -> None:
    key = generate_key("P-256")

    assert thumbprint_kid(key) == thumbprint_kid(key.public_key()) == KeySigner(key).kid


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - the point
        dsa.generate_private_key(2048),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["P-521", "secp256k1", "RSA-1024", "DSA", "X25519"],
)
def test_other_keys_are_refused(key: object) -> None:
    public = key.public_key()  # type: ignore[attr-defined] # a private key of some kind
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        load_public_key(pem)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES384", "Ed25519", "EdDSA", "ES512"])
def test_a_key_is_not_registered_for_an_algorithm_that_it_does_not_fit(algorithm: str) -> None:
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        signing_key(public_key_pem(generate_key("P-256")), algorithm=algorithm)


@pytest.mark.parametrize("pem", [b"", b"nothing", b"-----BEGIN PUBLIC KEY-----\n!"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        load_public_key(pem)
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        load_private_key(pem)


def test_a_private_key_survives_its_file() -> None:
    key = generate_key("Ed25519")

    assert KeySigner.from_pem(private_key_pem(key)).kid == thumbprint_kid(key)


def test_a_signers_public_pem_is_what_a_registry_takes() -> None:
    signer = KeySigner(generate_key("P-256"))

    assert signing_key(signer.public_pem).kid == signer.kid


def test_ed25519_signs_no_digest() -> None:
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        KeySigner(generate_key("Ed25519")).sign_digest(b"\0" * 32)


def test_no_algorithm_uses_a_shared_secret_or_a_weak_hash() -> None:
    assert not [name for name in ALGORITHMS if name.startswith("HS") or name in {"none", "EdDSA"}]


def test_a_code_that_is_not_in_the_table_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        TrustError("signature.odd")
    assert all(CODES.values())
