"""Who a signed request is from, judged with a real registry and a real journal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization

from gateway.core.envelope import Bytes, Envelope, SignedBy, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.records import ProofMethod, State
from gateway.pipeline.signed import REMEMBERED_LONGER, Signatures, Signed, proof_of
from gateway.store.memory import MemoryJournal
from tests import samples
from tests.gateway.pipeline.conftest import ALL, FORMATS, JSON, Middle
from tests.gateway.pipeline.test_proofs import gateway
from tests.signed import NAMES, NOW, changed, fetched, nonce, parameters_of, posted, sign
from translators.canonical import Interchange
from translators.translator import encode
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.identity import Identity, Method, PartyId
from trust.keys import KeySigner, load_public_key, public_keys, signing_key, verifying_key
from trust.members import Party, SigningKey
from trust.party import Registry
from trust.revocation import Revocations
from trust.signatures.http.evidence import prove_evidence
from trust.signatures.http.offer import read_offer
from trust.signatures.http.signature_base import Message
from trust.signatures.jws import sign_detached

KEYS = {
    name: KeySigner(generate_key("Ed25519"), kid=f"{name}-1")
    for name in ("shop", "post-a", "closed", "old", "early", "both")
}
HOUR = timedelta(hours=1)


def row(name: str, **times: Any) -> SigningKey:
    """The registered key of a party."""
    return signing_key(KEYS[name].public_pem, kid=KEYS[name].kid, **times)


def party(name: str, *by: str, keys: tuple[SigningKey, ...] = (), **more: Any) -> Party:
    """A party that is identified so."""
    return Party(
        id=PartyId(name),
        roles=frozenset({"platform"}),
        signing_keys=keys or (row(name),),
        identified_by=by,  # type: ignore[arg-type] # literals
        **more,
    )


PARTIES = (
    party("shop", "signature"),
    party("post-a", "certificate"),
    party("both", "certificate", "signature"),
    party("closed", "signature", suspended=True),
    party("old", "signature", keys=(row("old", not_after=NOW - HOUR),)),
    party("early", "signature", keys=(row("early", not_before=NOW + HOUR),)),
)


class Desk:
    """Signatures over one journal, at a time that a test may change."""

    def __init__(self) -> None:
        self.now = NOW
        self.journal = MemoryJournal(gateway=1, clock=lambda: self.now)
        authenticator = Authenticator(Registry(parties=PARTIES), Revocations.from_files((), {}))
        self.signatures = Signatures(
            authenticator=lambda: authenticator,
            journal=self.journal,
            clock=lambda: self.now,
            max_age=lambda: timedelta(seconds=300),
        )

    async def prove(
        self, message: Message, *, content: bool = True, beside: Identity | None = None
    ) -> Signed:
        """The signed request, or ``Refused``."""
        return await self.signatures.prove(message, content=content, names=NAMES, beside=beside)

    async def code(self, message: Message, **more: Any) -> tuple[str, str]:
        """Code and detail of the refusal."""
        with pytest.raises(Refused) as caught:
            await self.prove(message, **more)
        return caught.value.code, caught.value.detail


@pytest.fixture
def desk() -> Desk:
    return Desk()


def signed(name: str, message: Message | None = None, **parameters: Any) -> Message:
    """A request that this party signed."""
    key = KEYS[name]
    return sign(message or posted(), key, parameters=parameters_of(key, name, **parameters))


@pytest.mark.parametrize("name", ["shop", "both"])
async def test_a_signature_identifies_who_may_identify_itself_so(desk: Desk, name: str) -> None:
    found = await desk.prove(signed(name))

    assert (
        Identity(party=PartyId(name), roles=frozenset({"platform"}), method="http-signature")
        == found.identity
    )


async def test_a_party_of_certificates_is_not_identified_by_its_signature(desk: Desk) -> None:
    assert "party.identification" == (await desk.code(signed("post-a")))[0]


async def test_beside_its_certificate_its_signature_counts(desk: Desk) -> None:
    identity = Identity(party=PartyId("post-a"), fingerprint="ab" * 32)

    assert identity == (await desk.prove(signed("post-a"), beside=identity)).identity


async def test_beside_a_certificate_no_other_party_signs(desk: Desk) -> None:
    identity = Identity(party=PartyId("post-a"), fingerprint="ab" * 32)

    assert "party.ambiguous" == (await desk.code(signed("shop"), beside=identity))[0]


async def test_a_party_that_is_not_known_and_a_key_that_is_not_known_look_the_same(
    desk: Desk,
) -> None:
    nobody = sign(posted(), KEYS["shop"], parameters=parameters_of(KEYS["shop"], "nobody"))
    no_key = signed("shop", keyid="shop/shop-2")

    assert await desk.code(nobody) == await desk.code(no_key)
    assert "signature.key-unknown" == (await desk.code(nobody))[0]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("closed", "party.suspended"),
        ("old", "signature.key-expired"),
        ("early", "signature.key-expired"),
        ("post-a", "party.identification"),
    ],
)
async def test_how_a_party_stands_is_told_to_the_holder_of_its_key_alone(
    desk: Desk, name: str, code: str
) -> None:
    assert code == (await desk.code(signed(name)))[0]
    forged = sign(posted(), KEYS["shop"], parameters=parameters_of(KEYS[name], name))

    assert "signature.invalid" == (await desk.code(forged))[0]


async def test_a_signature_counts_once(desk: Desk) -> None:
    message = signed("shop")
    await desk.prove(message)

    assert "signature.replayed" == (await desk.code(message))[0]


async def test_another_signature_with_the_same_nonce_does_not_count(desk: Desk) -> None:
    same = nonce()
    await desk.prove(signed("shop", nonce=same))

    other = signed("shop", fetched(), nonce=same)
    assert "signature.replayed" == (await desk.code(other, content=False))[0]


async def test_a_nonce_is_the_partys_own(desk: Desk) -> None:
    same = nonce()
    await desk.prove(signed("shop", nonce=same))

    await desk.prove(signed("both", nonce=same))


async def test_what_is_refused_uses_no_nonce_up(desk: Desk) -> None:
    """Otherwise a stranger who guesses or sees a nonce could spoil a request."""
    message = signed("shop")
    for spoilt in (
        changed(message, "luxor-interchange-id", "i-2"),
        changed(message, "signature", "luxor=:AAAA:"),
        sign(posted(), KEYS["both"], parameters=parameters_of(KEYS["shop"], "shop")),
    ):
        await desk.code(spoilt)

    await desk.prove(message)


async def test_a_nonce_is_remembered_for_as_long_as_its_signature_could_count(
    desk: Desk,
) -> None:
    message = signed("shop")
    await desk.prove(message)

    codes = []
    for seconds in (1, 299, 300, 301, 300 + REMEMBERED_LONGER.total_seconds() + 1):
        desk.now = NOW + timedelta(seconds=seconds)
        codes.append((await desk.code(message))[0])

    assert ["signature.replayed"] * 3 + ["signature.stale"] * 2 == codes


async def test_what_is_kept_proves_it_with_the_key_that_is_kept(desk: Desk) -> None:
    found = await desk.prove(signed("shop"))
    keys = {KEYS["shop"].kid: KEYS["shop"].public_key}

    proof = proof_of(found.by, found.identity, keys, now=NOW)

    assert (ProofMethod.HTTP_SIGNATURE, "shop-1", "Ed25519", "") == (
        proof.method,
        proof.kid,
        proof.algorithm,
        proof.fingerprint,
    )
    load_public_key(proof.public_key.encode())
    key = verifying_key(serialization.load_pem_public_key(proof.public_key.encode()))
    values = prove_evidence(proof.signature, key)
    assert "i-1" == values["luxor-interchange-id"]


def submission(*, jws: bool = False) -> Envelope:
    """What ``both`` sent in a signed request, perhaps with a JWS beside it."""
    content, key = encode(FORMATS.get(JSON), Interchange(messages=(samples.item(),))), KEYS["both"]
    evidence = read_offer(signed("both"), content=True, names=NAMES, now=NOW).evidence
    token = sign_detached(
        content,
        signer=key,
        interchange_id="first",
        format=JSON,
        audience="gateway-lx",
        now=samples.NOW,
    )
    return Envelope(
        interchange_id=InterchangeId("first"),
        format=JSON,
        content=Bytes(content),
        transport=Transport.HTTPS,
        received_at=samples.NOW,
        signature=token if jws else None,
        signed=SignedBy(
            kid=key.kid,
            public_key=key.public_pem.decode(),
            method=ProofMethod.HTTP_SIGNATURE,
            evidence=evidence,
        ),
    )


@pytest.mark.parametrize(
    ("forms", "jws", "kept"),
    [
        (("jws", "http"), False, ProofMethod.HTTP_SIGNATURE),
        (("http",), False, ProofMethod.HTTP_SIGNATURE),
        (("jws", "http"), True, ProofMethod.JWS),
        (("http",), True, ProofMethod.HTTP_SIGNATURE),
    ],
)
async def test_a_signed_request_is_the_signature_of_who_must_sign(
    forms: tuple[str, ...], *, jws: bool, kept: ProofMethod
) -> None:
    middle = Middle()
    middle.parties = middle.parties.with_party(
        party("both", "certificate", must_sign=True, grants=(ALL,), signatures=forms)
    )
    sender = Identity(party=PartyId("both"), fingerprint="5f" * 32)

    stored = await gateway(middle).accept(sender, submission(jws=jws))

    assert State.ACCEPTED == stored.state
    proof = await middle.journal.proof(stored.record)
    assert proof is not None
    assert (kept, "5f" * 32) == (proof.method, proof.fingerprint)


async def test_a_form_that_does_not_count_is_no_signature() -> None:
    middle = Middle()
    middle.parties = middle.parties.with_party(
        party("both", "certificate", must_sign=True, grants=(ALL,), signatures=("jws",))
    )

    with pytest.raises(Refused, match=r"signature\.missing"):
        await gateway(middle).accept(Identity(party=PartyId("both")), submission())


async def test_a_key_that_was_taken_away_in_between_keeps_nothing(desk: Desk) -> None:
    found = await desk.prove(signed("shop"))

    with pytest.raises(Refused, match=r"signature\.key-unknown"):
        proof_of(found.by, found.identity, {}, now=NOW)


async def test_another_key_under_the_same_name_keeps_nothing(desk: Desk) -> None:
    """What is kept is proved by the key that is kept, or it proves nothing."""
    found = await desk.prove(signed("shop"))
    replaced = public_keys([msgspec.structs.replace(row("both"), kid="shop-1")])

    with pytest.raises(Refused, match=r"signature\.key-unknown"):
        proof_of(found.by, found.identity, replaced, now=NOW)


async def test_a_key_that_is_over_when_its_content_has_come_keeps_nothing(desk: Desk) -> None:
    found = await desk.prove(signed("shop"))
    over = public_keys([row("shop", not_after=NOW - HOUR)])

    with pytest.raises(Refused, match=r"signature\.key-expired"):
        proof_of(found.by, found.identity, over, now=NOW)


@pytest.mark.parametrize(
    ("method", "change", "code"),
    [
        ("mtls", {"suspended": True}, "party.suspended"),
        ("http-signature", {"suspended": True}, "party.suspended"),
        ("folder", {"suspended": True}, "party.suspended"),
        ("mtls", {"identified_by": ("signature",)}, "party.identification"),
        ("http-signature", {"identified_by": ("certificate",)}, "party.identification"),
    ],
)
async def test_what_was_withdrawn_while_the_content_came_counts(
    method: Method, change: dict[str, Any], code: str
) -> None:
    """A body may take minutes; who is suspended meanwhile is refused all the same."""
    middle = Middle()
    both = party("both", "certificate", "signature", grants=(ALL,))
    middle.parties = middle.parties.with_party(msgspec.structs.replace(both, **change))
    service = gateway(middle)
    sender = Identity(party=PartyId("both"), method=method)

    with pytest.raises(Refused) as caught:
        await service.accept(sender, submission())
    assert code == caught.value.code
    assert await middle.journal.find(PartyId("both"), InterchangeId("first")) is None
