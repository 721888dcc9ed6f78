"""The structural verifier of XML signatures: what it takes, and all that it does not."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from tests.trust.signatures.xml_documents import (
    DETACHED,
    ENVELOPED,
    NOW,
    PLACE,
    SIGNERS,
    der,
    parsed,
    private_key,
    serialised,
)
from translators.xml import Node, XmlError
from trust.errors import TrustError
from trust.keys import KeySigner, PublicKey
from trust.signatures.xmldsig.canonical import canonical
from trust.signatures.xmldsig.names import SIGNATURE, ds
from trust.signatures.xmldsig.place import Detached
from trust.signatures.xmldsig.signing import Baseline, sign_detached, sign_enveloped
from trust.signatures.xmldsig.verifying import VerifiedXml, verify_xml

SIGNER = SIGNERS["ES256"]
KEYS = {SIGNER.kid: SIGNER.public_key}
BASELINE = Baseline(certificate=der(private_key(SIGNER)), signing_time=NOW)
MUTATIONS = 1500
PART = b'<ds:X xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
PROPERTIES = b"</xades:SignedProperties>"


def enveloped(*, baseline: Baseline | None = None, content: bytes = ENVELOPED) -> bytes:
    """A signed document."""
    document = parsed(content)
    sign_enveloped(document, signer=SIGNER, baseline=baseline)
    return serialised(document)


def detached() -> bytes:
    """A document in an envelope, with its signature in the header."""
    document = parsed(DETACHED)
    sign_detached(document, place=PLACE, signer=SIGNER)
    return serialised(document)


def verified(
    content: bytes,
    *,
    keys: dict[str, PublicKey] = KEYS,
    place: Detached | None = None,
    late: timedelta = timedelta(0),
) -> VerifiedXml:
    """What the verifier takes for signed."""
    return verify_xml(parsed(content), keys=keys, now=NOW + late, place=place)


def refused(content: bytes, **given: object) -> TrustError:
    """Why it refuses."""
    with pytest.raises(TrustError) as caught:
        verified(content, **given)  # type: ignore[arg-type] # arguments of verified
    return caught.value


def test_the_verified_octets_are_the_document_without_its_signature() -> None:
    found = verified(enveloped())

    assert found.content == etree.tostring(parsed(ENVELOPED), method="c14n", exclusive=True)
    assert (found.key.kid, found.signing_time) == (SIGNER.kid, None)


def test_text_around_the_signature_stays() -> None:
    content = enveloped().replace(b"<ds:Signature ", b"before<ds:Signature ")
    content = content.replace(b"</ds:Signature>", b"</ds:Signature>behind")
    assert refused(content).code == "signature.invalid"

    signed = enveloped(content=b"<a><b/></a>")
    assert verified(signed).content == b"<a><b></b></a>"


def test_the_verified_octets_of_a_detached_signature_are_the_signed_element() -> None:
    found = verified(detached(), place=PLACE)

    assert found.content.startswith(b'<Declaration xmlns="urn:e" Id="decl-1">')
    assert b"Envelope" not in found.content


def test_what_stands_in_the_envelope_is_not_covered_and_not_given_out() -> None:
    content = detached().replace(b"<s:Body>", b"<s:Body><Other/>")
    assert b"Other" not in verified(content, place=PLACE).content


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: c.replace(b"text &amp;", b"text"), "signature.invalid"),
        (lambda c: c.replace(b'no="1"', b'no="2"'), "signature.invalid"),
        (lambda c: c.replace(b"<Item", b"<!-- --><Item"), "signature.malformed"),
        (lambda c: c.replace(b"<Item", b"<?a b?><Item"), "signature.malformed"),
        (lambda c: c.replace(b"#sha256", b"#sha1"), "signature.algorithm"),
        (lambda c: c.replace(b"#ecdsa-sha256", b"#ecdsa-sha384"), "signature.algorithm"),
        (lambda c: c.replace(b"#ecdsa-sha256", b"#hmac-sha256"), "signature.algorithm"),
        (lambda c: c.replace(b'"#decl-1"', b'""'), "signature.invalid"),
        (lambda c: c.replace(b'"#decl-1"', b'"#signature-1"'), "signature.malformed"),
        (lambda c: c.replace(b'"#decl-1"', b'"other.xml#decl-1"'), "signature.malformed"),
        (lambda c: c.replace(b'"#decl-1"', b'"#xpointer(/)"'), "signature.malformed"),
        (lambda c: c.replace(b'no="1"', b'no="1" id="decl-1"'), "signature.malformed"),
        (lambda c: c.replace(b'no="1"', b'no="1" xml:id="decl-1"'), "signature.malformed"),
        (
            lambda c: c.replace(b"xml-exc-c14n#", b"xml-exc-c14n#WithComments"),
            "signature.malformed",
        ),
        (
            lambda c: c.replace(b"</ds:SignatureValue>", b"=</ds:SignatureValue>"),
            "signature.malformed",
        ),
        (
            lambda c: c.replace(b"</ds:SignedInfo>", b"</ds:SignedInfo>text"),
            "signature.malformed",
        ),
        (
            lambda c: c.replace(b"</ds:Signature>", b"<ds:Object/></ds:Signature>"),
            "signature.malformed",
        ),
        (
            lambda c: c.replace(b"<plain ", PART + b"<plain "),
            "signature.malformed",
        ),
    ],
)  # fmt: skip
def test_one_change_and_it_is_refused(change: Callable[[bytes], bytes], code: str) -> None:
    content = enveloped()
    assert change(content) != content
    assert refused(change(content)).code == code


def test_a_signature_elsewhere_than_the_format_has_it_is_refused() -> None:
    moved = re.sub(rb"(<s:Security>)(.*)(</s:Security>)(</s:Header>)", rb"\1\3\2\4", detached())
    assert refused(moved, place=PLACE).code == "signature.malformed"
    assert refused(detached()).code == "signature.malformed"
    assert refused(enveloped(), place=PLACE).code == "signature.malformed"


def test_keys_are_those_of_the_registry_whatever_comes_along() -> None:
    other = KeySigner(ec.generate_private_key(ec.SECP256R1()))
    stranger = {other.kid: other.public_key}

    assert refused(enveloped(baseline=BASELINE), keys=stranger).code == "signature.invalid"
    assert refused(enveloped(), keys={}).code == "signature.key-unknown"
    assert verified(enveloped(), keys={**stranger, **KEYS}).key.kid == SIGNER.kid


def test_a_certificate_of_another_key_is_refused() -> None:
    other = Baseline(certificate=der(ec.generate_private_key(ec.SECP256R1())), signing_time=NOW)
    assert refused(enveloped(baseline=other)).code == "signature.invalid"


def test_a_key_signs_in_its_time_alone() -> None:
    ended = msgspec.structs.replace(SIGNER.public_key, not_after=NOW - timedelta(days=1))
    begins = msgspec.structs.replace(SIGNER.public_key, not_before=NOW - timedelta(hours=1))
    before = Baseline(certificate=BASELINE.certificate, signing_time=NOW - timedelta(days=2))

    assert refused(enveloped(), keys={"k": ended}).code == "signature.key-expired"
    assert verified(enveloped(baseline=BASELINE), keys={"k": begins}).signing_time == NOW
    signed = enveloped(baseline=before)
    assert refused(signed, keys={"k": begins}).code == "signature.key-expired"


@pytest.mark.parametrize("late", [timedelta(days=-1), timedelta(seconds=-301), timedelta(days=401)])
def test_a_signing_time_far_from_now_is_refused(late: timedelta) -> None:
    assert refused(enveloped(baseline=BASELINE), late=late).code == "signature.stale"


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.replace(b"2026-11-22T12:00:00Z", b"2026-11-22T12:00:01Z"),
        lambda c: re.sub(rb"(<xades:CertDigest>.*?<ds:DigestValue>)..", rb"\1AA", c),
        lambda c: re.sub(rb'<ds:Reference Type=.*?</ds:Reference>', b"", c),
        lambda c: re.sub(rb"<ds:Object>.*</ds:Object>", b"", c),
        lambda c: re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", c),
        lambda c: c.replace(PROPERTIES, PROPERTIES + b"<xades:UnsignedProperties/>"),
        lambda c: c.replace(b'Target="#signature-1"', b'Target="#decl-1"'),
    ],
)  # fmt: skip
def test_xades_properties_are_proved_like_the_content(change: Callable[[bytes], bytes]) -> None:
    content = enveloped(baseline=BASELINE)
    assert change(content) != content
    assert refused(change(content)).code in ("signature.invalid", "signature.malformed")


@pytest.mark.parametrize("prefixes", ["#default", "", "nowhere", "d d", "d " * 20, "a:b"])
def test_a_prefix_list_is_read_strictly(prefixes: str) -> None:
    listed = (
        '<x:InclusiveNamespaces xmlns:x="http://www.w3.org/2001/10/xml-exc-c14n#" '
        f'PrefixList="{prefixes}"/></ds:CanonicalizationMethod>'
    )
    content = re.sub(
        rb"(<ds:CanonicalizationMethod [^>]*)/>", rb"\1>" + listed.encode(), enveloped()
    )
    assert refused(content).code == "signature.malformed"


def test_any_of_its_ids_names_what_is_signed_but_none_of_another_namespace() -> None:
    twice = ENVELOPED.replace(b' Id="decl-1"', b' id="a" Id="decl-1"')
    signed = enveloped(content=twice)
    by_second = resigned(signed.replace(b'URI="#a"', b'URI="#decl-1"'))
    by_other = resigned(enveloped().replace(b' Id="decl-1"', b' d:Id="decl-1"'))

    assert verified(signed).content == verified(by_second).content
    assert refused(by_other).code == "signature.malformed"


def test_an_id_that_no_reference_can_name_is_not_used() -> None:
    assert b'URI=""' in enveloped(content=b'<a Id="1 2"/>')
    assert verified(enveloped(content=b'<a Id="1 2"/>')).content == b'<a Id="1 2"></a>'


def resigned(content: bytes) -> bytes:
    """The same with another value of the signature, for what its SignedInfo says now."""
    document = parsed(content)
    info = document.find(f".//{ds('SignedInfo')}")
    value = document.find(f".//{ds('SignatureValue')}")
    assert info is not None
    assert value is not None
    value.text = base64.b64encode(SIGNER.sign(canonical(info))).decode()
    return serialised(document)


def test_namespaces_around_a_signature_are_few() -> None:
    declared = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(65)).encode()
    content = enveloped().replace(b"<d:Declaration ", b"<d:Declaration " + declared + b" ")

    assert refused(content).code == "signature.malformed"
    # Further down they cost nothing, and count like any other content.
    inside = ENVELOPED.replace(b"<Item ", b"<Item " + declared + b" ")
    assert verified(enveloped(content=inside)).key.kid == SIGNER.kid


def test_a_second_encoding_of_a_signature_states_the_same() -> None:
    content = enveloped()
    wrapped = content.replace(b"</ds:SignatureValue>", b"\n</ds:SignatureValue>")
    assert verified(content).statement == verified(wrapped).statement


@pytest.mark.parametrize(
    "content",
    [b"<a><!-- --></a>", b"<a/>", b'<a><b Id="x"/><c ID="x"/></a>'],
)
def test_what_no_strict_verifier_takes_is_not_signed(content: bytes) -> None:
    document = parsed(content)
    if content == b"<a/>":
        sign_enveloped(document, signer=SIGNER)
    with pytest.raises(TrustError, match=r"signature\.malformed"):
        sign_enveloped(document, signer=SIGNER)


@pytest.mark.parametrize("place", [None, PLACE], ids=["enveloped", "detached"])
def test_whatever_is_done_to_a_document_only_what_was_signed_is_given_out(
    place: Detached | None,
) -> None:
    original = detached() if place else enveloped(baseline=BASELINE)
    signed = verified(original, place=place).content
    chance = random.Random(20261122)
    taken = 0
    for _ in range(MUTATIONS):
        content = mutated(original, chance)
        try:
            found = verified(content, place=place)
        except (TrustError, XmlError):
            continue
        taken += 1
        assert found.content == signed, content
    assert 0 < taken < MUTATIONS / 2


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The document with one to three changes of its tree, or of a byte."""
    if chance.random() < 0.2:
        at = chance.randrange(len(content))
        return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
    document = parsed(content)
    for _ in range(chance.randint(1, 3)):
        chance.choice(CHANGES)(document, chance)
    return serialised(document)


def _any(document: Node, chance: random.Random) -> Node:
    return chance.choice([one for one in document.iter("*") if one is not document] or [document])


def _copy(node: Node) -> Node:
    return etree.fromstring(etree.tostring(node, with_tail=False))


def _duplicate(document: Node, chance: random.Random) -> None:
    copy = _copy(_any(document, chance))
    chance.choice(list(document.iter("*"))).append(copy)


def _remove(document: Node, chance: random.Random) -> None:
    node = _any(document, chance)
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)


def _wrap(document: Node, chance: random.Random) -> None:
    """The document, or the signed element, inside of another: signature wrapping."""
    node = _any(document, chance)
    etree.SubElement(node, "Wrapper").append(_copy(document))


def _rewrite(document: Node, chance: random.Random) -> None:
    node = chance.choice(list(document.iter("*")))
    node.text = chance.choice(["", "x", "1", f"{node.text or ''} "])


def _relabel(document: Node, chance: random.Random) -> None:
    node = chance.choice(list(document.iter("*")))
    node.set(
        chance.choice(["Id", "id", "ID", "x", *node.attrib]), chance.choice(["decl-1", "x", ""])
    )


def _move_signature(document: Node, chance: random.Random) -> None:
    for signature in list(document.iter(SIGNATURE)):
        places = [one for one in document.iter("*") if signature not in (one, *one.iterancestors())]
        chance.choice(places or [document]).insert(0, signature)


CHANGES = (_duplicate, _remove, _wrap, _rewrite, _relabel, _move_signature)
