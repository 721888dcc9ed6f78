"""Who said what, proved again years later from the journal alone."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Journal
from gateway.core.published import PublishedKeys
from gateway.core.records import ProofMethod, State, Stored
from gateway.pipeline.gateway import Gateway
from gateway.pipeline.settings import Limits
from tests import samples
from tests.gateway.pipeline.conftest import FORMATS, JSON, Middle
from translators.canonical import Interchange
from translators.translator import encode
from trust.authenticator import Authenticator
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.keys import KeySigner, PrivateKey, public_key, signing_key
from trust.party import Registry
from trust.revocation import Revocations
from trust.signatures.compact import take_apart
from trust.signatures.jws import sign_detached, verify_detached

FINGERPRINT = "5f" * 32
KEYS: tuple[PrivateKey, ...] = (
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP384R1()),
    ed25519.Ed25519PrivateKey.generate(),
    rsa.generate_private_key(65537, 2048),
)
CONTENT = encode(FORMATS.get(JSON), Interchange(messages=(samples.item(),)))


class Unused:
    """Stands where a test needs nothing."""

    def published(self) -> PublishedKeys:
        raise AssertionError("nobody asks for the gateway's keys here")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody asks for {name} here")


def gateway(middle: Middle) -> Gateway:
    """The service in front of that middle, with the signatures of its registry."""
    authenticator = Authenticator(middle.parties, Revocations.from_files((), {}))
    return Gateway(
        gateway_id="gateway-lx",
        authenticator=lambda: authenticator,
        bench=middle.bench,
        journal=middle.journal,
        inbound=middle.inbound,
        inboxes=Unused(),  # type: ignore[arg-type] # no test here looks into an inbox
        limits=Limits,
        clock=middle.clock,
        signing_keys=Unused().published,
        pinging=Unused(),  # type: ignore[arg-type] # nor asks who it is
    )


def envelope(middle: Middle, signer: KeySigner | None, content: bytes = CONTENT) -> Envelope:
    """What the post sends, signed."""
    signature = (
        None
        if signer is None
        else sign_detached(
            content,
            signer=signer,
            interchange_id="first",
            format=JSON,
            audience="gateway-lx",
            now=middle.now,
        )
    )
    return Envelope(
        interchange_id=InterchangeId("first"),
        format=JSON,
        content=Bytes(content),
        transport=Transport.HTTPS,
        received_at=middle.now,
        signature=signature,
    )


POST = Identity(party=PartyId("post-a"), roles=frozenset({"post"}), fingerprint=FINGERPRINT)


def middle_with(*signers: KeySigner) -> Middle:
    """A middle in whose registry these keys sign for the post."""
    return Middle(signing_keys=tuple(signing_key(s.public_pem, kid=s.kid) for s in signers))


async def received(journal: Journal, stored: Stored) -> bytes:
    """The bytes that the journal kept."""
    slices: list[bytes] = []
    while (piece := await journal.raw(stored.record, len(slices))) is not None:
        slices.append(piece)
    return b"".join(slices)


async def prove_again(journal: Journal, stored: Stored) -> str:
    """Verify what the journal has, with nothing else; the name of the key that signed it."""
    proof = await journal.proof(stored.record)
    assert proof is not None
    assert proof.method is ProofMethod.JWS
    token = proof.signature.decode()
    key = public_key(signing_key(proof.public_key, kid=proof.kid, algorithm=proof.algorithm))
    return verify_detached(
        token,
        await received(journal, stored),
        keys={proof.kid: key},
        interchange_id=stored.interchange_id,
        format=stored.format,
        audience=take_apart(token, max_payload=0).header["aud"],
        now=stored.received_at,
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: type(key).__name__)
async def test_a_stored_interchange_is_proved_again_after_its_key_has_left_the_registry(
    key: PrivateKey,
) -> None:
    signer = KeySigner(key, kid="post-a-1")
    middle = middle_with(signer)
    stored = await gateway(middle).accept(POST, envelope(middle, signer))
    middle.parties = Registry(parties=[])
    assert stored.state is State.ACCEPTED
    assert await prove_again(middle.journal, stored) == "post-a-1"
    proof = await middle.journal.proof(stored.record)
    assert proof is not None
    assert proof.fingerprint == FINGERPRINT


async def test_of_several_keys_the_one_that_signed_is_kept() -> None:
    signers = [KeySigner(key, kid=f"k{n}") for n, key in enumerate(KEYS[:3])]
    middle = middle_with(*signers)
    stored = await gateway(middle).accept(POST, envelope(middle, signers[1]))
    assert await prove_again(middle.journal, stored) == "k1"


async def test_kept_bytes_that_were_changed_prove_nothing() -> None:
    signer = KeySigner(KEYS[0])
    middle = middle_with(signer)
    stored = await gateway(middle).accept(POST, envelope(middle, signer))
    middle.journal._raw[stored.record][0] += b" "
    with pytest.raises(TrustError) as refused:
        await prove_again(middle.journal, stored)
    assert refused.value.code == "signature.invalid"


async def test_what_was_refused_for_its_content_is_proved_too() -> None:
    signer = KeySigner(KEYS[0])
    middle = middle_with(signer)
    content = b'{"messages": [{"type": "Nonsense"}]}'
    stored = await gateway(middle).accept(POST, envelope(middle, signer, content))
    assert stored.state is State.REFUSED
    assert await prove_again(middle.journal, stored) == signer.kid


async def test_a_signature_that_proves_nothing_is_never_kept_as_proof() -> None:
    signer, other = KeySigner(KEYS[0], kid="k"), KeySigner(KEYS[1], kid="k")
    middle = middle_with(signer)
    with pytest.raises(Refused) as refused:
        await gateway(middle).accept(POST, envelope(middle, other))
    assert refused.value.code == "signature.algorithm"
    assert await middle.journal.find(POST.party, InterchangeId("first")) is None


async def test_without_a_signature_there_is_no_proof() -> None:
    middle = middle_with(KeySigner(KEYS[0]))
    stored = await gateway(middle).accept(POST, envelope(middle, None))
    assert await middle.journal.proof(stored.record) is None
