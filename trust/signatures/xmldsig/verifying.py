"""Verifying a signature in a document, strictly; and giving out what was signed, nothing more.

A reader that goes back to the document after its signature was verified reads what somebody else
may have put there (signature wrapping). So the result is the canonical octets that were digested,
without the signature; the document was used up on the way, and nothing else of it is to be read.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from lxml import etree

from trust.errors import TrustError
from trust.keys import PublicKey
from trust.signatures.xmldsig.canonical import canonical
from trust.signatures.xmldsig.names import DIGESTS, SIGNATURE, Node
from trust.signatures.xmldsig.parts import Parts
from trust.signatures.xmldsig.place import Detached, identified, locate, own_ids
from trust.signatures.xmldsig.properties import Properties, public_bytes
from trust.signatures.xmldsig.signed_info import Reference, SignedInfo

MAX_KEYS = 32
"""Registered keys of one algorithm that are tried."""

_NOT_CONTENT = (etree.Comment, etree.ProcessingInstruction, etree.Entity)


class VerifiedXml(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature proves.

    ``content`` is what was signed, in its canonical form (UTF-8): a document of its own, the
    signature not in it. ``key`` made the signature ``value``. ``statement`` is the SHA-256 of what
    the signature was made over: two signatures with the same one say the same, however they are
    encoded (of an ECDSA signature anyone can make a second one). ``signing_time`` is what XAdES
    says, already judged.
    """

    content: bytes
    key: PublicKey
    value: bytes
    statement: str
    signing_time: datetime | None = None


def is_signed(document: Node) -> bool:
    """True when there is a signature anywhere in the document."""
    return next(document.iter(SIGNATURE), None) is not None


def verify_xml(
    document: Node,
    *,
    keys: Mapping[str, PublicKey],
    now: datetime,
    place: Detached | None = None,
) -> VerifiedXml:
    """What the one signature of a document proves; raises ``TrustError`` (``signature.*``).

    ``document`` is the document element of a whole document, parsed without a document type and
    with its comments and white space; it is changed, and not to be read afterwards. ``keys`` are
    the registered ones of the sender. Without a ``place`` the signature is enveloped.
    """
    try:
        return _verified(document, keys=keys, now=now, place=place)
    except TrustError:
        raise
    except Exception as error:  # whatever lxml or the arithmetic raises on hostile input means no
        raise TrustError("signature.malformed", "it can not be read as a signature") from error


def _verified(
    document: Node, *, keys: Mapping[str, PublicKey], now: datetime, place: Detached | None
) -> VerifiedXml:
    _check_plain(document)
    signature, covered = locate(document, place)
    ids = identified(document)
    parts = Parts(signature)
    info = parts.info
    _check_target(info.content, covered, document, ids, enveloped=place is None)
    key = _proving(info, parts.value, keys)
    key.judge_time(now)
    _check_hints(parts.certificates, key)
    signing_time = _judged(parts, key, ids, now)
    if place is None:
        _take_out(signature)
    content = canonical(covered, info.content.prefixes)
    _check_digest(info.content, content)
    return VerifiedXml(
        content=content,
        key=key,
        value=parts.value,
        statement=hashlib.sha256(info.statement).hexdigest(),
        signing_time=signing_time,
    )


def _check_plain(document: Node) -> None:
    """No document type, and neither comments nor instructions, which canonical forms leave out."""
    info: Any = document.getroottree().docinfo
    if document.getparent() is not None or info.doctype or info.internalDTD is not None:
        raise TrustError("signature.malformed", "a signed document has no document type")
    if next(document.iter(*_NOT_CONTENT), None) is not None:
        raise TrustError(
            "signature.malformed", "a signed document has no comments or processing instructions"
        )


def _check_target(
    reference: Reference,
    covered: Node,
    document: Node,
    ids: Mapping[str, Node],
    *,
    enveloped: bool,
) -> None:
    """The reference names the element that the format means, and transforms it as it must."""
    if reference.enveloped is not enveloped:
        raise TrustError("signature.malformed", "the transforms are not those of this signature")
    if reference.id:
        named = ids.get(reference.id)
        if named is not covered or reference.id not in own_ids(covered):
            raise TrustError("signature.malformed", "it covers another element than it should")
    elif covered is not document:
        raise TrustError("signature.malformed", "it covers the whole document, not its content")


def _proving(info: SignedInfo, value: bytes, keys: Mapping[str, PublicKey]) -> PublicKey:
    """The registered key that made the signature; what the document says of keys is not asked."""
    if not keys:
        raise TrustError("signature.key-unknown", "this party has no registered key")
    fitting = [key for key in keys.values() if key.algorithm.name == info.method]
    if not fitting:
        raise TrustError("signature.algorithm", f"no registered key is for {info.method}")
    for key in fitting[:MAX_KEYS]:
        with suppress(TrustError):
            key.verify(info.statement, value)
            return key
    raise TrustError("signature.invalid", "none of the registered keys has made it")


def _check_hints(certificates: Iterable[bytes], key: PublicKey) -> None:
    """A certificate that came along belongs to the key, or to nobody who has signed here."""
    found = list(certificates)
    if found and key.der not in [public_bytes(der) for der in found]:
        raise TrustError("signature.invalid", "the certificate is not that of the registered key")


def _judged(
    parts: Parts, key: PublicKey, ids: Mapping[str, Node], now: datetime
) -> datetime | None:
    """The signing time of XAdES, when there is one, proved like the content."""
    if parts.qualifying is None or parts.info.properties is None:
        return None
    reference = parts.info.properties
    found = Properties(parts, parts.qualifying)
    if reference.enveloped or reference.id != found.id or ids.get(found.id) is not found.element:
        raise TrustError("signature.malformed", "it refers to other properties than its own")
    _check_digest(reference, canonical(found.element, reference.prefixes))
    found.judge_time(now)
    key.judge_time(found.signing_time)
    found.judge_certificate(parts.certificates, key)
    return found.signing_time


def _check_digest(reference: Reference, content: bytes) -> None:
    found = DIGESTS[reference.method](content).digest()
    if not hmac.compare_digest(found, reference.digest):
        raise TrustError("signature.invalid")


def _take_out(signature: Node) -> None:
    """Remove the signature and leave the text behind it (XML Signature 1.1, 6.6.4)."""
    parent, before = signature.getparent(), signature.getprevious()
    if parent is None:
        raise TrustError("signature.malformed", "the signature is the document")
    behind = signature.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + behind
    else:
        parent.text = (parent.text or "") + behind
    parent.remove(signature)
