"""HTTP message signatures, XML signatures, delegations, successors: what proves who said it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree

from tests.fuzz.target import Broken, Prepared, Target
from tests.fuzz.targets.signatures import CONTENT, FOREIGN, NOW, signer
from translators.xml import XmlError, parse_exactly
from trust import delegation, successor
from trust.delegation import Delegation
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.members import Party, SigningKey
from trust.signatures.compact import unpadded_encode
from trust.signatures.http.digest import check_content, read_content_digest, write_content_digest
from trust.signatures.http.offer import Offer, prove_offer, read_offer
from trust.signatures.http.sign import sign_request
from trust.signatures.http.signature_base import Message
from trust.signatures.http.structured import read_signature, read_signature_input
from trust.signatures.xmldsig.signing import sign_enveloped
from trust.signatures.xmldsig.verifying import verify_xml
from trust.successor import Announcement

POST = PartyId("post-a")
NAMES = frozenset({"gateway.example"})
DIGEST = write_content_digest(hashlib.sha256(CONTENT).digest())
HTTP_WORDS = (
    *(b'"@method"', b'"@authority"', b'"@target-uri"', b'"content-digest"', b'"content-type"'),
    *(b'"@path"', b'"@query"', b'"@query-param";name="a"', b'"@status"', b"luxor=", b";req"),
    *(b";created=", b";expires=", b";nonce=", b";keyid=", b";alg=", b";tag=", b"?1", b"@1", b";sf"),
    *(b"sha-256=", b"sha-512=", b"md5=", b"hmac-sha256", b"1e9", b"-0", b"9" * 15, b":AA==:"),
)


def _request(signature_input: str = "", signature: str = "") -> Message:
    fields = [
        ("host", "gateway.example"),
        ("content-type", "application/json"),
        ("content-digest", DIGEST),
        ("luxor-interchange-id", "i-1"),
    ]
    if signature_input:
        fields += [("signature-input", signature_input), ("signature", signature)]
    return Message(
        fields=tuple(fields), method="POST", authority="gateway.example", target="/v1/interchanges"
    )


def _signed() -> dict[str, str]:
    return sign_request(_request(), signer=signer(), party=POST, nonce="n" * 22, now=NOW)


def _judged(message: Message) -> Offer:
    offer = read_offer(message, content=True, names=NAMES, now=NOW)
    registered = {POST: {signer().kid: signer().public_key}}
    prove_offer(offer, registered.get(offer.party, {}))
    check_content(offer.digests, lambda: [CONTENT])
    return offer


def _http_target() -> Prepared:
    """A request whose every line is the fuzzer's: method, target and fields."""
    good = _signed()
    whole = _request(good["Signature-Input"], good["Signature"])
    lines = [whole.method, whole.authority, whole.target, *(f"{n}:{v}" for n, v in whole.fields)]
    base = _judged(whole).base

    def judge(data: bytes) -> bool:
        text = data.decode("latin-1").split("\n")
        method, authority, target, *fields = [*text, "", "", ""][: max(len(text), 3)]
        pairs = (line.partition(":") for line in fields)
        message = Message(
            fields=tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs),
            method=method,
            authority=authority,
            target=target,
        )
        try:
            offer = _judged(message)
        except TrustError:
            return False
        if offer.base != base:
            raise Broken("another request than the one that was signed holds")
        return True

    return Prepared(judge=judge, seeds=["\n".join(lines).encode()], words=HTTP_WORDS)


def _http_input_target() -> Prepared:
    """Signature-Input fields that the key really signed."""
    key = signer()
    good = _signed()["Signature-Input"]

    def judge(data: bytes) -> bool:
        given = data.decode("latin-1")
        label = given.partition("=")[0]
        blank = f"{label}=:{base64.b64encode(bytes(64)).decode()}:"
        try:
            offer = read_offer(_request(given, blank), content=True, names=NAMES, now=NOW)
            proof = base64.b64encode(key.sign(offer.base)).decode()
            found = _judged(_request(given, f"{label}=:{proof}:"))
        except TrustError:
            return False
        covered = {line.partition(b": ")[0] for line in found.base.splitlines()}
        needed = {b'"@method"', b'"@authority"', b'"@target-uri"', b'"content-digest"',
                  b'"content-type"', b'"luxor-interchange-id"'}  # fmt: skip
        if not (
            needed <= covered
            and found.party == POST
            and found.created <= found.expires <= found.created + 300
            and abs(found.created - NOW.timestamp()) <= 300
            and len(found.nonce) >= 16
        ):
            raise Broken("a signature that covers too little, or too long, holds")
        return True

    return Prepared(judge=judge, seeds=[good.encode()], words=HTTP_WORDS)


def _fields_target() -> Prepared:
    """Structured fields alone (RFC 9651)."""
    good = _signed()

    def judge(data: bytes) -> bool:
        text, taken = data.decode("latin-1"), False
        for read in (read_signature_input, read_signature, read_content_digest):
            try:
                read(text)
            except TrustError:
                continue
            taken = True
        return taken

    seeds = [good["Signature-Input"], good["Signature"], DIGEST]
    return Prepared(judge=judge, seeds=[seed.encode() for seed in seeds], words=HTTP_WORDS)


DOCUMENT = b"""<itmatt xmlns="urn:luxor:layout:upu.itmatt.1" xmlns:x="urn:x" id="a">
 <interchange><from>FRA</from><to x:y="1">LUA</to></interchange>
</itmatt>"""
_DSIG = b"http://www.w3.org/2000/09/xmldsig#"
XML_WORDS = (
    *(b"<ds:Object>", b"</ds:Object>", b'URI=""', b'URI="#a"', b'Id="a"', b'xml:id="a"', b'ID="a"'),
    *(b"<ds:Transform Algorithm=", b"<ds:Reference ", b"<ds:Manifest>", b"<!---->", b"<?x?>"),
    *(_DSIG + b"enveloped-signature", _DSIG + b"hmac-sha1", _DSIG + b"sha1"),
    *(b"http://www.w3.org/2001/10/xml-exc-c14n#", b"http://www.w3.org/TR/1999/REC-xpath-19991116"),
    *(b"http://www.w3.org/TR/1999/REC-xslt-19991116", b"<ds:HMACOutputLength>0"),
    *(b"<!DOCTYPE x>", b"&#13;", b" xmlns:ds='urn:other'", b"<ds:Signature>", b"</ds:Signature>"),
)


def _xml_target() -> Prepared:
    """Documents with a signature: refused, or exactly the octets that were signed."""
    keys = {signer().kid: signer().public_key}
    document = parse_exactly(DOCUMENT)
    sign_enveloped(document, signer=signer())
    good = etree.tostring(document)
    content = verify_xml(parse_exactly(good), keys=keys, now=NOW).content

    def judge(data: bytes) -> bool:
        try:
            found = verify_xml(parse_exactly(data), keys=keys, now=NOW)
        except (TrustError, XmlError):
            return False
        if found.content != content:
            raise Broken("other content than what was signed holds")
        return True

    return Prepared(judge=judge, seeds=[good], words=XML_WORDS)


def _tokens(type_: str, seed: bytes, verify: Callable[[str], object], *words: bytes) -> Prepared:
    """Payloads that a registered key signed under the type of the token."""
    key = signer()
    header = unpadded_encode(msgspec.json.encode({"alg": key.alg, "kid": key.kid, "typ": type_}))

    def judge(data: bytes) -> bool:
        payload = unpadded_encode(data)
        proof = unpadded_encode(key.sign(f"{header}.{payload}".encode()))
        try:
            verify(f"{header}.{payload}.{proof}")
        except TrustError:
            return False
        return True

    return Prepared(judge=judge, seeds=[seed], words=[*words, *FOREIGN, b"null", b"-1", b"9" * 30])


def _seconds(days: int = 0) -> int:
    return int((NOW + timedelta(days=days)).timestamp())


def _delegation_target() -> Prepared:
    claims = Delegation(
        id="d-1",
        delegator=POST,
        delegate=PartyId("platform-shop"),
        gateways=(PartyId("gateway-lx"),),
        issued_at=_seconds(),
        not_before=_seconds(),
        not_after=_seconds(30),
        kinds=("ItemDeclaration",),
    )
    keys = {signer().kid: signer().public_key}

    def verify(token: str) -> None:
        found = delegation.verify(token, keys)
        if delegation.read(token) != found or found.delegate == found.delegator:
            raise Broken("a delegation to oneself, or one that says two things")
        found.holds(gateway="gateway-lx", at=NOW)
        found.covers(format="upu.itmatt.1", kind="ItemDeclaration", country=None)

    return _tokens(delegation.TYPE, msgspec.json.encode(claims), verify, b'"aud"', b'["*"]', b"[]")


def _successor_target() -> Prepared:
    """Announcements that both keys signed: the inner token is the new key's."""
    old = signer()
    new = KeySigner(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))), kid="key-2")
    registered = SigningKey(kid=old.kid, public_key=old.public_pem.decode(), algorithm=old.alg)
    party = Party(id=POST, authorities=("luxor",), signing_keys=(registered,))
    told = Announcement(
        party=POST,
        issued_at=_seconds(),
        replaces=old.kid,
        kid=new.kid,
        algorithm=new.alg,
        public_key=new.public_pem.decode(),
        key_from=_seconds(1),
        old_until=_seconds(10),
    )
    heads = [
        unpadded_encode(msgspec.json.encode({"alg": one.alg, "kid": one.kid, "typ": type_}))
        for one, type_ in ((new, successor.PROOF_TYPE), (old, successor.TYPE))
    ]

    def judge(data: bytes) -> bool:
        token = data
        for one, head in zip((new, old), heads, strict=True):
            body = f"{head}.{unpadded_encode(token)}"
            token = f"{body}.{unpadded_encode(one.sign(body.encode()))}".encode()
        try:
            found = successor.verify(token.decode(), party, now=NOW)
        except TrustError:
            return False
        if found.party != POST or found.replaces != old.kid:
            raise Broken("a successor of somebody else's key")
        return True

    words = [b'"key_from"', b'"old_until"', b'"key_until"', b"EdDSA", b"ES256", *FOREIGN]
    return Prepared(judge=judge, seeds=[msgspec.json.encode(told)], words=words)


TARGETS = (
    Target(name="http-signature", prepare=_http_target),
    Target(name="http-signature-input", prepare=_http_input_target),
    Target(name="structured-fields", prepare=_fields_target),
    Target(name="xml-signature", prepare=_xml_target),
    Target(name="delegation", prepare=_delegation_target),
    Target(name="successor", prepare=_successor_target, share=0.5),
)
