"""The arithmetic of every algorithm, held against joserfc's."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jws import JWSRegistry

from trust.algorithms import ALGORITHMS
from trust.authority import KeyKind, generate_key
from trust.errors import TrustError
from trust.keys import KeySigner, jose_key

KINDS: dict[str, KeyKind] = {
    "Ed25519": "Ed25519",
    "ES256": "P-256",
    "ES384": "P-384",
    **{name: "RSA-2048" for name in ALGORITHMS if name[0] in "PR"},
}
PRIVATE = {kind: generate_key(kind) for kind in set(KINDS.values())}
SIGNERS = {name: KeySigner(PRIVATE[kind], algorithm=name) for name, kind in KINDS.items()}
MESSAGE = b"what was signed"
NAMES = st.sampled_from(sorted(SIGNERS))


def judged_here(name: str, message: bytes, signature: bytes) -> bool:
    try:
        SIGNERS[name].public_key.verify(message, signature)
    except TrustError as error:
        if error.code != "signature.invalid":
            raise
        return False
    return True


def judged_by_joserfc(name: str, message: bytes, signature: bytes) -> bool:
    model: Any = JWSRegistry.algorithms[name]
    try:
        return bool(model.verify(message, signature, SIGNERS[name].public_key.key))
    except Exception:  # it lets out what the arithmetic raises on odd numbers
        return False


def test_every_algorithm_is_held_against_joserfc() -> None:
    assert set(ALGORITHMS) == set(SIGNERS)


@pytest.mark.parametrize("name", SIGNERS)
def test_joserfc_takes_what_is_signed_here(name: str) -> None:
    assert judged_by_joserfc(name, MESSAGE, SIGNERS[name].sign(MESSAGE))


@pytest.mark.parametrize("name", SIGNERS)
def test_what_joserfc_signs_is_taken_here(name: str) -> None:
    model: Any = JWSRegistry.algorithms[name]

    assert judged_here(name, MESSAGE, model.sign(MESSAGE, jose_key(PRIVATE[KINDS[name]])))


@pytest.mark.parametrize("name", sorted(set(SIGNERS) - {"Ed25519"}))
def test_a_digest_is_signed_and_proved_as_its_message_is(name: str) -> None:
    signer = SIGNERS[name]
    digest = hashlib.new(f"sha{name[2:]}", MESSAGE).digest()

    signer.public_key.verify(MESSAGE, signer.sign_digest(digest))
    signer.public_key.verify_digest(digest, signer.sign(MESSAGE))

    with pytest.raises(TrustError, match=r"signature\.invalid"):
        signer.public_key.verify_digest(digest[::-1], signer.sign(MESSAGE))


def test_ed25519_has_no_digest_to_prove() -> None:
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        SIGNERS["Ed25519"].public_key.verify_digest(b"\0" * 64, b"\0" * 64)


@given(name=NAMES, at=st.integers(0, 2_000), bit=st.integers(0, 7), cut=st.integers(-3, 3))
def test_a_changed_signature_is_judged_as_joserfc_judges_it(
    name: str, at: int, bit: int, cut: int
) -> None:
    changed = bytearray(SIGNERS[name].sign(MESSAGE))
    if at:
        changed[at % len(changed)] ^= 1 << bit
    signature = bytes(changed)[:cut] if cut < 0 else bytes(changed) + bytes(cut)

    here = judged_here(name, MESSAGE, signature)

    assert judged_by_joserfc(name, MESSAGE, signature) == here
    assert here == (not at and not cut)


@given(name=NAMES, signature=st.binary(max_size=300))
def test_any_bytes_are_judged_as_joserfc_judges_them(name: str, signature: bytes) -> None:
    assert not judged_here(name, MESSAGE, signature)
    assert not judged_by_joserfc(name, MESSAGE, signature)


@pytest.mark.parametrize(
    "numbers",
    [(0, 0), (0, 1), (1, 0), (2**256 - 1, 1), (1, 2**256 - 1)],
    ids=["nothing", "r is 0", "s is 0", "r beyond the order", "s beyond the order"],
)
def test_numbers_that_are_no_signature_are_refused(numbers: tuple[int, int]) -> None:
    signature = b"".join(number.to_bytes(32, "big") for number in numbers)

    assert not judged_here("ES256", MESSAGE, signature)


def test_the_numbers_of_a_signature_have_their_length_and_no_other() -> None:
    signature = SIGNERS["ES256"].sign(MESSAGE)
    longer = signature[:32] + b"\0" + signature[32:]

    assert not judged_here("ES256", MESSAGE, longer)
    assert not judged_by_joserfc("ES256", MESSAGE, longer)


@pytest.mark.parametrize("name", SIGNERS)
def test_a_public_key_is_written_once_as_joserfc_writes_it(name: str) -> None:
    key = SIGNERS[name].public_key

    assert key.pem.encode() == key.key.as_pem(private=False)
    assert key.der == key.key.as_der(private=False)
