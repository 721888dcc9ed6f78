"""Kept signatures of requests, forged by whoever keeps them: a gateway may not be believed."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.signed import NAMES, NOW, fetched, parameters_of, posted, sign
from trust.authority import generate_key
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.signatures.http.digest import write_content_digest
from trust.signatures.http.evidence import prove_evidence
from trust.signatures.http.offer import read_offer
from trust.signatures.http.signature_base import Message
from trust.signatures.jws import sign_detached

KEY = KeySigner(generate_key("P-256"), kid="shop-1")
SHOP = PartyId("shop")
NEVER_SAID = b"pay everything to the bearer"


def kept(message: Message | None = None, party: str = "shop") -> bytes:
    """What a gateway keeps of a signed request."""
    signed = sign(message or posted(), KEY, parameters=parameters_of(KEY, party))
    content = signed.method == "POST"
    return read_offer(signed, content=content, names=NAMES, now=NOW).evidence


def by_hand(base: bytes) -> bytes:
    """What would be kept if the key had signed these bytes as a request."""
    return b"%s\n%s" % (base, base64.b64encode(KEY.sign(base)))


def code(evidence: bytes, party: PartyId | None = SHOP) -> str:
    """The code with which it is refused."""
    with pytest.raises(TrustError) as caught:
        prove_evidence(evidence, KEY.public_key, party=party)
    return caught.value.code


def test_a_jws_over_content_with_the_right_lines_is_no_signed_request() -> None:
    """Content is its sender's, but lines in it may be anybody's: a description, an address."""
    digest = write_content_digest(hashlib.sha256(NEVER_SAID).digest())
    lines = ('"@method": POST', f'"content-digest": {digest}', '"luxor-interchange-id": i-1')
    content = "\n".join(["<items>", *lines, "</items>"]).encode()
    token = sign_detached(
        content,
        signer=KEY,
        interchange_id="i-2",
        format="luxor.json.1",
        audience="gateway-lx",
        now=NOW,
    )
    header, _, signature = token.split(".")
    written = base64.b64encode(base64.urlsafe_b64decode(signature + "=="))

    assert "signature.malformed" == code(b"%s.%s\n%s" % (header.encode(), content, written))


def test_every_line_is_one_of_the_components_that_the_signature_names() -> None:
    base = kept().rpartition(b"\n")[0]
    digest = write_content_digest(hashlib.sha256(NEVER_SAID).digest()).encode()

    for changed in (
        b'"content-digest": %s\n%s' % (digest, base),  # one more, before
        base + b'\n"content-digest": ' + digest,  # one more, behind
        base.replace(b'"luxor-format": luxor.json.1\n', b""),  # one less
        base.replace(b'"luxor-format": ', b'"luxor-other": '),
        base.partition(b"\n")[2],
        base.replace(b"nonce=", b"once="),
        base.replace(b'tag="luxor"', b'tag="other"'),
        b"\n",
        b'"@signature-params": ()',
    ):
        assert changed != base
        assert "signature.malformed" == code(by_hand(changed)), changed


def test_another_partys_request_is_not_the_partys_own() -> None:
    assert "signature.malformed" == code(kept(party="post-a"))
    assert "/v1/interchanges" in prove_evidence(kept(), KEY.public_key, party=SHOP)["@target-uri"]


def test_a_question_is_kept_as_what_it_is() -> None:
    values = prove_evidence(kept(fetched()), KEY.public_key, party=SHOP)

    assert "GET" == values["@method"]
    assert "content-digest" not in values
