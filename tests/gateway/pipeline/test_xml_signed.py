"""Signatures inside XML content: what they are good for, and what they are not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.records import ProofMethod, State, Stored
from gateway.pipeline.xml_signed import MAX_BYTES, XmlSignatures
from tests import samples
from tests.gateway.pipeline.acting import KEYS, Acting
from tests.gateway.pipeline.conftest import FORMATS, Middle
from tests.gateway.pipeline.test_proofs import POST, gateway, received
from translators.canonical import Header, Interchange
from translators.layout import LayoutTranslator, compile_layout
from translators.registry import Registry as Formats
from translators.translator import FormatId, decode, encode
from translators.xml import parse_exactly
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.keys import KeySigner, public_key, signing_key
from trust.revocation import Revocations
from trust.signatures.jws import sign_detached
from trust.signatures.xmldsig.place import Detached
from trust.signatures.xmldsig.signing import sign_detached as sign_beside
from trust.signatures.xmldsig.signing import sign_enveloped
from trust.signatures.xmldsig.verifying import verify_xml

ITMATT = FormatId("upu.itmatt.1")
SIGNER = KeySigner(generate_key("P-256"))
HEADER = Header(sender="FRA", recipient="USA", control_reference="one", prepared_at=samples.NOW)
PLAIN = encode(FORMATS.get(ITMATT), Interchange(header=HEADER, messages=(samples.item(),)))


def signed(content: bytes = PLAIN, signer: KeySigner = SIGNER) -> bytes:
    """A document with a signature over it inside."""
    document = parse_exactly(content)
    sign_enveloped(document, signer=signer)
    return etree.tostring(document, encoding="UTF-8", xml_declaration=True)


SIGNED = signed()


def middle(**post: Any) -> Middle:
    """A middle in which the post must sign, unless it is said otherwise."""
    keys = (signing_key(SIGNER.public_pem, kid=SIGNER.kid),)
    return Middle(**{"signing_keys": keys, "must_sign": True, **post})


async def send(
    place: Middle, content: bytes, *, identifier: str = "first", jws: KeySigner | None = None
) -> Stored:
    """What the gateway makes of content of the post's."""
    token = None
    if jws is not None:
        token = sign_detached(
            content,
            signer=jws,
            interchange_id=identifier,
            format=ITMATT,
            audience="gateway-lx",
            now=place.now,
        )
    envelope = Envelope(
        interchange_id=InterchangeId(identifier),
        format=ITMATT,
        content=Bytes(content),
        transport=Transport.HTTPS,
        received_at=place.now,
        signature=token,
    )
    return await gateway(place).accept(POST, envelope)


async def refused(place: Middle, content: bytes, **given: Any) -> str:
    """The code with which it is refused."""
    with pytest.raises(Refused) as caught:
        await send(place, content, **given)
    return caught.value.code


async def test_who_must_sign_may_sign_in_the_document() -> None:
    place = middle()

    stored = await send(place, SIGNED)

    assert (stored.state, stored.accepted) == (State.ACCEPTED, 1)
    assert await refused(middle(), PLAIN) == "signature.missing"


async def test_the_journal_alone_proves_it_again() -> None:
    place = middle()
    stored = await send(place, SIGNED)

    proof = await place.journal.proof(stored.record)
    raw = await received(place.journal, stored)

    assert proof is not None
    assert (proof.method, proof.signature) == (ProofMethod.XML_SIGNATURE, b"")
    key = public_key(signing_key(proof.public_key, kid=proof.kid, algorithm=proof.algorithm))
    found = verify_xml(parse_exactly(raw), keys={proof.kid: key}, now=stored.received_at)
    assert raw == SIGNED
    assert decode(FORMATS.get(ITMATT), found.content) == decode(FORMATS.get(ITMATT), PLAIN)


@pytest.mark.parametrize("must_sign", [True, False])
async def test_a_signature_that_does_not_hold_refuses_whoever_sends_it(must_sign: bool) -> None:
    forged = SIGNED.replace(b"</ds:DigestValue>", b"</ds:DigestValue><!-- -->")
    other = signed(signer=KeySigner(generate_key("P-256")))

    assert await refused(middle(must_sign=must_sign), forged) == "signature.malformed"
    assert await refused(middle(must_sign=must_sign), other) == "signature.invalid"


async def test_a_signature_counts_for_one_interchange() -> None:
    place = middle()
    first = await send(place, SIGNED)

    assert await refused(place, SIGNED, identifier="second") == "signature.replayed"
    place.now += timedelta(days=3000)
    assert await refused(place, SIGNED, identifier="third") == "signature.replayed"
    again = await send(place, SIGNED)
    assert (again.repeated, again.receipt) == (True, first.receipt)


async def test_of_many_at_once_one_is_accepted() -> None:
    place = middle()
    sending = (send(place, SIGNED, identifier=f"i-{number}") for number in range(10))

    answers = await asyncio.gather(*sending, return_exceptions=True)

    assert 1 == sum(isinstance(answer, Stored) for answer in answers)
    assert {"signature.replayed"} == {one.code for one in answers if isinstance(one, Refused)}


async def test_who_was_refused_may_send_the_same_again_under_its_id() -> None:
    wrong = signed(PLAIN.replace(b"<", b"<", 1).replace(b"EUR", b"EURO"))
    place = middle()
    first = await send(place, wrong)

    again = await send(place, wrong)

    assert [State.REFUSED] * 2 == [first.state, again.state]
    assert again.attempt == first.attempt + 1


async def test_an_id_that_was_used_does_not_use_up_a_signature() -> None:
    place = middle()
    await send(place, PLAIN, identifier="taken", jws=SIGNER)

    other = signed(PLAIN.replace(b"<control-ref>one", b"<control-ref>two"))

    assert await refused(place, other, identifier="taken") == "interchange.conflict"
    assert (await send(place, other, identifier="free")).state is State.ACCEPTED


async def test_signatures_inside_and_beside_must_both_hold() -> None:
    forged = SIGNED.replace(b'Id="signature-1"', b'Id="signature-2" x="y"')
    stranger = KeySigner(generate_key("P-256"), kid=SIGNER.kid)
    place = middle()

    assert await refused(place, forged, jws=SIGNER) == "signature.malformed"
    assert await refused(place, SIGNED, jws=stranger) == "signature.invalid"
    stored = await send(place, SIGNED, jws=SIGNER)

    proof = await place.journal.proof(stored.record)
    assert proof is not None
    assert proof.method is ProofMethod.JWS


async def test_a_registration_says_which_forms_count() -> None:
    beside, inside = middle(signatures=("jws",)), middle(signatures=("xml",))

    assert await refused(beside, SIGNED) == "signature.missing"
    assert await refused(inside, PLAIN, jws=SIGNER) == "signature.missing"
    both = await send(inside, SIGNED, jws=SIGNER)
    proof = await inside.journal.proof(both.record)
    assert proof is not None
    assert proof.method is ProofMethod.XML_SIGNATURE


async def test_without_xml_a_signature_inside_is_content_like_any_other() -> None:
    place = middle(must_sign=False, signatures=("jws", "http"))

    stored = await send(place, SIGNED)

    assert stored.state is State.REFUSED
    assert b"element.unknown" in (stored.outcomes or b"")


async def test_large_content_is_signed_beside() -> None:
    large = SIGNED.replace(b"</ds:Signature>", b"</ds:Signature>" + b" " * MAX_BYTES)
    assert await refused(middle(), large) == "signature.malformed"
    unsigned = PLAIN + b" " * MAX_BYTES
    assert (await send(middle(), unsigned, jws=SIGNER)).state is State.ACCEPTED


async def test_what_only_speaks_of_signatures_has_none() -> None:
    mention = PLAIN.replace(b"</", b"<!-- SignatureValue --></", 1)
    assert (await send(middle(must_sign=False), mention)).state is State.ACCEPTED


LAYOUT = """
layout = "test.enveloped.1"
title = "A document in an envelope"
carries = "GoodsDeclaration"
root = "Declaration"
detached-signature = "e:Envelope/e:Header/ds:Signature"
detached-content = "e:Envelope/e:Body/Declaration"

[namespaces]
default = "urn:d"
e = "urn:e"
ds = "http://www.w3.org/2000/09/xmldsig#"

[document]
"." = "messages ! : declaration"

[declaration]
"@Id" = "lrn ! : text 22"

[unsaid.declaration]
function  = "original"
type_code = "none"
"""
WRAPPED = (
    b'<e:Envelope xmlns:e="urn:e"><e:Header/><e:Body>'
    b'<Declaration xmlns="urn:d" Id="one"/></e:Body></e:Envelope>'
)


def layout() -> LayoutTranslator:
    """A format whose documents may come in an envelope."""
    return compile_layout(LAYOUT, name="test.enveloped.1.toml")


async def test_of_an_envelope_what_was_signed_is_read_and_nothing_else() -> None:
    document = parse_exactly(WRAPPED)
    path = Detached(
        root="{urn:e}Envelope",
        signature=("{urn:e}Header",),
        covered=("{urn:e}Body", "{urn:d}Declaration"),
    )
    sign_beside(document, place=path, signer=SIGNER)
    content = etree.tostring(document)
    place, format_ = middle(), layout()
    formats = Formats((format_,))
    proving = XmlSignatures(
        authenticator=lambda: Authenticator(place.parties, Revocations.from_files((), {})),
        formats=lambda: formats,
        journal=place.journal,
        clock=place.clock,
    )
    envelope = Envelope(
        interchange_id=InterchangeId("first"),
        format=format_.id,
        content=Bytes(content),
        transport=Transport.HTTPS,
        received_at=place.now,
    )

    found = await proving.prove(place.sender("post-a"), envelope)

    assert found is not None
    assert found.content == b'<Declaration xmlns="urn:d" Id="one"></Declaration>'
    assert [format_] == list(formats.by_root(content))
    second = content.replace(b"<e:Body>", b'<e:Body><Declaration xmlns="urn:d"/>')
    moved = msgspec.structs.replace(envelope, content=Bytes(second))
    with pytest.raises(Refused, match=r"signature\.malformed"):
        await proving.prove(place.sender("post-a"), moved)


async def test_in_whose_name_it_is_sent_stands_in_no_xml_signature() -> None:
    must, may = (Acting(Middle(), must_sign=one) for one in (True, False))
    content = signed(signer=KEYS["broker"])

    with pytest.raises(Refused, match=r"signature\.principal"):
        await must.send(content=content, format_id=ITMATT, on_behalf_of="post-a")
    beside = await must.send(
        content=content,
        format_id=ITMATT,
        on_behalf_of="post-a",
        signer=KEYS["broker"],
        signed_for="post-a",
    )
    inside = await may.send(content=content, format_id=ITMATT, on_behalf_of="post-a")

    assert [State.ACCEPTED] * 2 == [beside.state, inside.state]
