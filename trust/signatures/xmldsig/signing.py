"""The signing side: what the verifier of this package takes, and other verifiers too.

A signature goes last into its parent. With a certificate it is a XAdES baseline B signature, which
says when it was made and by which certificate's key.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec
from lxml import etree

from trust.errors import TrustError
from trust.keys import Signer
from trust.signatures.xmldsig.canonical import canonical
from trust.signatures.xmldsig.names import (
    DS,
    ENVELOPED,
    EXCLUSIVE,
    METHOD_OF,
    SHA256,
    SIGNATURE,
    SIGNED_PROPERTIES,
    XADES,
    Node,
    ds,
    xades,
)
from trust.signatures.xmldsig.place import Detached, identified, only, own_ids
from trust.signatures.xmldsig.signed_info import FRAGMENT

_SUB = etree.SubElement


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a signature one of XAdES baseline B (ETSI EN 319 132-1, 6.3).

    ``certificate`` (DER) is the signing key's, and goes along. ``signing_time`` has an offset.
    """

    certificate: bytes
    signing_time: datetime


def sign_enveloped(document: Node, *, signer: Signer, baseline: Baseline | None = None) -> Node:
    """Put a signature over the document into it; gives the signature.

    ``document`` is the document element of a parsed document, with its white space. Raises
    ``signature.malformed`` for one that has a signature, a document type, comments or processing
    instructions: no strict verifier would take it.
    """
    _check(document)
    return _sign(document, document, signer=signer, baseline=baseline, enveloped=True)


def sign_detached(
    document: Node, *, place: Detached, signer: Signer, baseline: Baseline | None = None
) -> Node:
    """Put a signature beside what it covers, where the format has it; gives the signature.

    Both places must be there, and the covered element must have an id. Raises as above.
    """
    _check(document)
    if document.tag != place.root:
        raise TrustError("signature.malformed", "the document element is another than expected")
    covered = only(document, place.covered)
    parent = only(document, place.signature)
    if not _name(covered):
        raise TrustError("signature.malformed", "what is to be signed has no Id to refer to it by")
    return _sign(parent, covered, signer=signer, baseline=baseline, enveloped=False)


def _check(document: Node) -> None:
    info: Any = document.getroottree().docinfo
    if document.getparent() is not None or info.doctype:
        raise TrustError("signature.malformed", "a document with a document type is not signed")
    if next(document.iter(SIGNATURE), None) is not None:
        raise TrustError("signature.malformed", "the document has a signature already")
    if next(document.iter(etree.Comment, etree.ProcessingInstruction), None) is not None:
        raise TrustError(
            "signature.malformed",
            "a document with comments or processing instructions is not signed: take them out",
        )


def _sign(
    parent: Node, covered: Node, *, signer: Signer, baseline: Baseline | None, enveloped: bool
) -> Node:
    ids = identified(covered.getroottree().getroot())
    content = _digest(canonical(covered))
    name = _free("signature", ids)
    signature = _SUB(parent, SIGNATURE, nsmap={"ds": DS}, Id=name)
    info = _SUB(signature, ds("SignedInfo"))
    _SUB(info, ds("CanonicalizationMethod"), Algorithm=EXCLUSIVE)
    _SUB(info, ds("SignatureMethod"), Algorithm=METHOD_OF[signer.alg])
    target = _name(covered)
    uri = f"#{target}" if target else ""
    transforms = (ENVELOPED, EXCLUSIVE) if enveloped else (EXCLUSIVE,)
    _refer(info, {"URI": uri}, transforms, content)
    value = _SUB(signature, ds("SignatureValue"))
    if baseline is not None:
        data = _SUB(_SUB(signature, ds("KeyInfo")), ds("X509Data"))
        _SUB(data, ds("X509Certificate")).text = _base64(baseline.certificate)
        own = _free("signed-properties", ids)
        properties = _properties(signature, baseline, name=own)
        given = {"Type": SIGNED_PROPERTIES, "URI": f"#{own}"}
        _refer(info, given, (EXCLUSIVE,), _digest(canonical(properties)))
    value.text = _base64(signer.sign(canonical(info)))
    return signature


def _refer(info: Node, given: dict[str, str], transforms: tuple[str, ...], digest: str) -> None:
    reference = _SUB(info, ds("Reference"), given)
    steps = _SUB(reference, ds("Transforms"))
    for each in transforms:
        _SUB(steps, ds("Transform"), Algorithm=each)
    _SUB(reference, ds("DigestMethod"), Algorithm=SHA256)
    _SUB(reference, ds("DigestValue")).text = digest


def _properties(signature: Node, baseline: Baseline, *, name: str) -> Node:
    """The qualifying properties (ETSI EN 319 132-1, 5.1 and 5.2)."""
    holder = _SUB(signature, ds("Object"))
    whole = _SUB(
        holder,
        xades("QualifyingProperties"),
        nsmap={"xades": XADES},
        Target=f"#{signature.get('Id')}",
    )
    properties = _SUB(whole, xades("SignedProperties"), Id=name)
    own = _SUB(properties, xades("SignedSignatureProperties"))
    time = baseline.signing_time.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    _SUB(own, xades("SigningTime")).text = f"{time.isoformat()}Z"
    named = _SUB(_SUB(own, xades("SigningCertificateV2")), xades("Cert"))
    digest = _SUB(named, xades("CertDigest"))
    _SUB(digest, ds("DigestMethod"), Algorithm=SHA256)
    _SUB(digest, ds("DigestValue")).text = _digest(baseline.certificate)
    return properties


def _name(element: Node) -> str:
    """An id by which a reference can name the element; empty for none."""
    return next((one for one in own_ids(element) if FRAGMENT.fullmatch(f"#{one}")), "")


def _free(name: str, ids: dict[str, Node]) -> str:
    """An id that no element of the document has."""
    number = 1
    while f"{name}-{number}" in ids:
        number += 1
    return f"{name}-{number}"


def _digest(octets: bytes) -> str:
    return _base64(hashlib.sha256(octets).digest())


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
