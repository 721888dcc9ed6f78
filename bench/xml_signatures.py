"""What a signature inside of XML costs: verifying 2 KB, beside xmlsec and signxml on the same.

``python -m bench.xml_signatures [TIMES]``. Microseconds of CPU for one document, the best of five
rounds: parsed, its signature proved, its signed octets given out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import signxml
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from lxml import etree

from bench.timing import each
from translators.xml import parse, parse_exactly
from trust.keys import KeySigner, PrivateKey
from trust.signatures.xmldsig.signing import sign_enveloped
from trust.signatures.xmldsig.verifying import verify_xml

NOW = datetime.now(UTC)
USUAL = 300
"""Times."""
ITEM = b"<Item><HS>420222</HS><Value currency='EUR'>10.00</Value></Item>"
SIGNXML: Any = signxml
XMLSEC: Any = xmlsec
"""Their type hints do not name all that they have."""


def cpu(work: Callable[[], object], times: int) -> float:
    """Microseconds of CPU of one call."""
    return each(work, times=times, rounds=5)


def signed(key: PrivateKey, items: int) -> tuple[bytes, KeySigner]:
    """A signed document of so many items."""
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else ""
    signer = KeySigner(key, algorithm=algorithm)
    document = parse_exactly(
        b'<Declaration xmlns="urn:x" Id="d">' + ITEM * items + b"</Declaration>"
    )
    sign_enveloped(document, signer=signer)
    return etree.tostring(document), signer


def certificate(key: Any) -> x509.Certificate:
    """signxml wants the key in a certificate."""
    name = x509.Name([])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


def by_us(content: bytes, signer: KeySigner) -> Callable[[], object]:
    """What a gateway does."""
    known = {signer.kid: signer.public_key}
    return lambda: verify_xml(parse_exactly(content), keys=known, now=NOW)


def by_xmlsec(content: bytes, key: PrivateKey) -> Callable[[], object]:
    """The same by xmlsec."""
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    loaded = XMLSEC.Key.from_memory(public, XMLSEC.constants.KeyDataFormatPem)

    def verify() -> None:
        document = etree.fromstring(content)
        XMLSEC.tree.add_ids(document, ["Id"])
        context = XMLSEC.SignatureContext()
        context.key = loaded
        context.verify(XMLSEC.tree.find_node(document, XMLSEC.constants.NodeSignature))

    return verify


def by_signxml(content: bytes, key: Any) -> Callable[[], object]:
    """The same by signxml, without the schema."""
    known = certificate(key)
    verifier = SIGNXML.XMLVerifier()
    return lambda: verifier.verify(content, x509_cert=known, validate_schema=False)


def run(times: int) -> None:
    """Print the figures."""
    keys: dict[str, PrivateKey] = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    for name, key in keys.items():
        content, signer = signed(key, 12)
        line = f"{name:8} {len(content):5} bytes: {cpu(by_us(content, signer), times):6.0f} µs"
        if name != "Ed25519":
            line += f", xmlsec {cpu(by_xmlsec(content, key), times):6.0f}"
            line += f", signxml {cpu(by_signxml(content, key), times):6.0f}"
        print(line)
    content, signer = signed(keys["ES256"], 16_000)
    whole, parsing = cpu(by_us(content, signer), 1), cpu(lambda: parse(content), 1)
    size = len(content) >> 10
    print(f"ES256    {size:5} KiB:   {whole / 1000:6.1f} ms, parsing alone {parsing / 1000:.1f}")


def show() -> None:
    """Print the figures of the usual size."""
    run(USUAL)


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL)
