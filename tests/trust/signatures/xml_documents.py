"""What the tests of XML signatures share: keys, documents, and the two oracles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import signxml
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from translators.xml import Node, parse_exactly
from trust.keys import KeySigner, PrivateKey
from trust.signatures.xmldsig.place import Detached

SIGNXML: Any = signxml
XMLSEC: Any = xmlsec
"""Their type hints do not name all that they have."""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

_RSA = rsa.generate_private_key(65537, 2048)
SIGNERS: dict[str, KeySigner] = {
    "ES256": KeySigner(ec.generate_private_key(ec.SECP256R1())),
    "ES384": KeySigner(ec.generate_private_key(ec.SECP384R1())),
    "Ed25519": KeySigner(ed25519.Ed25519PrivateKey.generate()),
    **{
        name: KeySigner(_RSA, kid=name, algorithm=name)
        for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    },
}
"""A key for each algorithm; the RSA ones are one key."""

ENVELOPED = (
    b'<d:Declaration xmlns:d="urn:d" xmlns="urn:e" Id="decl-1">\n'
    b'  <Item no="1" d:kind="x">text &amp; more\xc3\xa9</Item>\n'
    b'  <plain xmlns=""><d:deep/></plain>\n'
    b"</d:Declaration>"
)
DETACHED = (
    b'<s:Envelope xmlns:s="urn:s" xmlns:q="urn:q"><s:Header><s:Security/></s:Header>'
    b'<s:Body><Declaration xmlns="urn:e" Id="decl-1"><Item type="q:one">1</Item>\r\n'
    b"</Declaration></s:Body></s:Envelope>"
)
PLACE = Detached(
    root="{urn:s}Envelope",
    signature=("{urn:s}Header", "{urn:s}Security"),
    covered=("{urn:s}Body", "{urn:e}Declaration"),
)


def private_key(signer: KeySigner) -> PrivateKey:
    """The key of a signer of these tests."""
    key = signer._key
    assert isinstance(key, PrivateKey)
    return key


def certificate(key: Any, *, name: str = "signer") -> x509.Certificate:
    """A certificate that this key gives itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=3650))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


def der(key: Any) -> bytes:
    """Such a certificate in DER."""
    return certificate(key).public_bytes(serialization.Encoding.DER)


def parsed(content: bytes) -> Node:
    """As the gateway parses what is signed."""
    return parse_exactly(content)


def serialised(document: Node) -> bytes:
    """As it would be sent."""
    return etree.tostring(document, encoding="UTF-8", xml_declaration=True)


def private_pem(key: PrivateKey) -> bytes:
    """PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def xmlsec_verifies(content: bytes, key: PrivateKey) -> bool:
    """What xmlsec says of the signature, with ``Id`` for ids and the bare public key."""
    document = etree.fromstring(content)
    XMLSEC.tree.add_ids(document, ["Id"])
    node = XMLSEC.tree.find_node(document, XMLSEC.constants.NodeSignature)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    context = XMLSEC.SignatureContext()
    context.key = XMLSEC.Key.from_memory(pem, XMLSEC.constants.KeyDataFormatPem)
    try:
        context.verify(node)
    except XMLSEC.Error:
        return False
    return True


def signxml_verifies(
    content: bytes, key: Any, *, references: int = 1, schema: bool = True
) -> bytes | None:
    """The octets that signxml says were signed; ``None`` when it refuses."""
    methods = frozenset(SIGNXML.SignatureMethod) - {
        each for each in SIGNXML.SignatureMethod if "SHA1" in each.name or "HMAC" in each.name
    }
    expected = SIGNXML.SignatureConfiguration(
        expect_references=references, signature_methods=methods
    )
    try:
        found = SIGNXML.XMLVerifier().verify(
            content, x509_cert=certificate(key), expect_config=expected, validate_schema=schema
        )
    except signxml.exceptions.SignXMLException:
        return None
    first = found[0] if isinstance(found, list) else found
    return bytes(first.signed_data)
