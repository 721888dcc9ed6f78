"""XML signatures against two other implementations: what one signs, the others verify."""

from __future__ import annotations

import pytest
from lxml import etree

from tests.trust.signatures.xml_documents import (
    DETACHED,
    ENVELOPED,
    NOW,
    PLACE,
    SIGNERS,
    SIGNXML,
    XMLSEC,
    certificate,
    der,
    parsed,
    private_key,
    private_pem,
    serialised,
    signxml_verifies,
    xmlsec_verifies,
)
from translators.xml import Node
from trust.keys import KeySigner
from trust.signatures.xmldsig.names import METHOD_OF
from trust.signatures.xmldsig.signing import Baseline, sign_detached, sign_enveloped
from trust.signatures.xmldsig.verifying import VerifiedXml, verify_xml

BY_XMLSEC = ("ES256", "ES384", "RS256", "RS384", "RS512")
"""What the xmlsec binding has names for: neither PSS nor Ed25519."""
BY_SIGNXML = (*BY_XMLSEC, "PS256", "PS384", "PS512")


def verified(content: bytes, signer: KeySigner, *, detached: bool = False) -> VerifiedXml:
    """What we take for signed."""
    return verify_xml(
        parsed(content),
        keys={signer.kid: signer.public_key},
        now=NOW,
        place=PLACE if detached else None,
    )


def ours(algorithm: str, *, detached: bool, baseline: bool) -> bytes:
    """A document that we have signed."""
    signer = SIGNERS[algorithm]
    xades = Baseline(certificate=der(private_key(signer)), signing_time=NOW) if baseline else None
    document = parsed(DETACHED if detached else ENVELOPED)
    if detached:
        sign_detached(document, place=PLACE, signer=signer, baseline=xades)
    else:
        sign_enveloped(document, signer=signer, baseline=xades)
    return serialised(document)


@pytest.mark.parametrize("baseline", [False, True], ids=["plain", "xades"])
@pytest.mark.parametrize("detached", [False, True], ids=["enveloped", "detached"])
@pytest.mark.parametrize("algorithm", list(SIGNERS))
def test_what_we_sign_the_others_verify(algorithm: str, detached: bool, baseline: bool) -> None:
    signer = SIGNERS[algorithm]
    content = ours(algorithm, detached=detached, baseline=baseline)

    found = verified(content, signer, detached=detached)

    assert found.signing_time == (NOW if baseline else None)
    if algorithm in BY_XMLSEC:
        assert xmlsec_verifies(content, private_key(signer))
    if algorithm in BY_SIGNXML:
        references = 2 if baseline else 1
        signed = signxml_verifies(content, private_key(signer), references=references)
        assert found.content == signed


@pytest.mark.parametrize("algorithm", BY_SIGNXML)
def test_what_signxml_signs_we_verify(algorithm: str) -> None:
    signer = SIGNERS[algorithm]
    key = private_key(signer)
    oracle = SIGNXML.XMLSigner(
        method=SIGNXML.methods.enveloped,
        signature_algorithm=SIGNXML.SignatureMethod(METHOD_OF[algorithm]),
        c14n_algorithm=SIGNXML.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = oracle.sign(parsed(ENVELOPED), key=private_pem(key), cert=[certificate(key)])
    content = serialised(signed)

    found = verified(content, signer)

    assert found.content == signxml_verifies(content, key)


@pytest.mark.parametrize("prefixes", [None, "q s"])
@pytest.mark.parametrize("detached", [False, True], ids=["enveloped", "detached"])
@pytest.mark.parametrize("algorithm", BY_XMLSEC)
def test_what_xmlsec_signs_we_verify(algorithm: str, detached: bool, prefixes: str | None) -> None:
    signer = SIGNERS[algorithm]
    content = _signed_by_xmlsec(algorithm, detached=detached, prefixes=prefixes)

    found = verified(content, signer, detached=detached)

    assert found.content == signxml_verifies(content, private_key(signer), schema=False)
    assert (b'xmlns:q="urn:q"' in found.content.partition(b">")[0]) is (prefixes is not None)


def _signed_by_xmlsec(algorithm: str, *, detached: bool, prefixes: str | None) -> bytes:
    more = b' xmlns:q="urn:q" xmlns:s="urn:s" Id='
    document = parsed(DETACHED if detached else ENVELOPED.replace(b" Id=", more))
    methods = {
        "ES256": XMLSEC.Transform.ECDSA_SHA256,
        "ES384": XMLSEC.Transform.ECDSA_SHA384,
        "RS256": XMLSEC.Transform.RSA_SHA256,
        "RS384": XMLSEC.Transform.RSA_SHA384,
        "RS512": XMLSEC.Transform.RSA_SHA512,
    }
    template = XMLSEC.template.create(document, XMLSEC.Transform.EXCL_C14N, methods[algorithm])
    reference = XMLSEC.template.add_reference(template, XMLSEC.Transform.SHA384, uri="#decl-1")
    if not detached:
        XMLSEC.template.add_transform(reference, XMLSEC.Transform.ENVELOPED)
    last = XMLSEC.template.add_transform(reference, XMLSEC.Transform.EXCL_C14N)
    if prefixes is not None:
        _list_prefixes(last, prefixes)
        _list_prefixes(template[0][0], prefixes)
    parent = document.find("{urn:s}Header/{urn:s}Security") if detached else document
    assert parent is not None
    parent.append(template)
    XMLSEC.tree.add_ids(document, ["Id"])
    context = XMLSEC.SignatureContext()
    pem = private_pem(private_key(SIGNERS[algorithm]))
    context.key = XMLSEC.Key.from_memory(pem, XMLSEC.constants.KeyDataFormatPem)
    context.sign(template)
    return serialised(document)


def _list_prefixes(node: Node, prefixes: str) -> None:
    name = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
    etree.SubElement(node, name, PrefixList=prefixes)
