"""XAdES baseline B properties (ETSI EN 319 132-1, 5 and 6.3): when it was signed, by whose key.

Of the signed properties, time and certificate are judged. Roles, places and formats may stand
there: they are signed claims, and nothing here goes by them. Signature policies and properties
that are not signed (timestamps, the higher levels) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trust.errors import TrustError
from trust.keys import PublicKey
from trust.signatures.xmldsig.names import DIGESTS, Node, ds, xades
from trust.signatures.xmldsig.parts import Parts
from trust.signatures.xmldsig.structure import (
    attributes,
    children,
    digest_value,
    local,
    malformed,
    text,
)

MAX_AGE = timedelta(days=400)
"""For so long a signature may be used that says when it was made; so long repeats are known."""
AHEAD = timedelta(seconds=300)
"""How far the signer's clock may be before ours."""
MAX_CERTIFICATE_IDS = 8

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


class Properties:
    """The signed properties of one signature."""

    __slots__ = ("_certificates", "element", "id", "signing_time")

    def __init__(self, parts: Parts, qualifying: Node) -> None:
        """Read them; raises ``signature.malformed`` or ``signature.algorithm``."""
        target = attributes(qualifying, required=("Target",), optional=("Id",))["Target"]
        if not parts.id or target != f"#{parts.id}":
            raise malformed("the properties are those of another signature")
        (self.element,) = children(qualifying, [xades("SignedProperties")])
        self.id = attributes(self.element, required=("Id",))["Id"]
        own, *_ = children(
            self.element,
            [xades("SignedSignatureProperties")],
            optional=[xades("SignedDataObjectProperties")],
        )
        attributes(own, optional=("Id",))
        time, certificates, *_ = children(
            own,
            [xades("SigningTime"), _certificate_name(own)],
            optional=[
                xades(name)
                for name in (
                    "SignatureProductionPlace",
                    "SignatureProductionPlaceV2",
                    "SignerRole",
                    "SignerRoleV2",
                )
            ],
        )
        attributes(time)
        self.signing_time = _instant(text(time, 40).strip())
        self._certificates = _digests(certificates)

    def judge_time(self, now: datetime) -> None:
        """Raise ``signature.stale`` unless it was signed before now, and not too long before."""
        if self.signing_time > now + AHEAD:
            raise TrustError("signature.stale", "it says that it will be signed in the future")
        if self.signing_time < now - MAX_AGE:
            raise TrustError("signature.stale", f"it was signed over {MAX_AGE.days} days ago")

    def judge_certificate(self, certificates: Sequence[bytes], key: PublicKey) -> None:
        """Raise ``signature.invalid`` unless the named certificate is that of the proving key.

        The certificate comes with the signature; its being there proves nothing. The key is the
        registered one, and what is refused is a contradiction between the two.
        """
        name, digest = self._certificates[0]  # 5.2.2: the first is the signing certificate's
        for der in certificates:
            if _digest(name, der) == digest:
                if public_bytes(der) != key.der:
                    break
                return
        raise TrustError("signature.invalid", "the signing certificate is not that of the key")


def public_bytes(der: bytes) -> bytes:
    """The public key (SubjectPublicKeyInfo) of a certificate; raises ``signature.malformed``."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception as error:  # whatever a parser raises on foreign bytes means no
        raise malformed("a certificate that came along can not be read") from error


def _certificate_name(own: Node) -> str:
    """Version 2 of the element, or the first (ETSI TS 101 903), which older signers write."""
    first = xades("SigningCertificate")
    return first if own.find(first) is not None else xades("SigningCertificateV2")


def _digests(certificates: Node) -> list[tuple[str, bytes]]:
    attributes(certificates)
    found = list(certificates)
    if not 1 <= len(found) <= MAX_CERTIFICATE_IDS:
        raise malformed(f"{local(certificates)} names 1 to {MAX_CERTIFICATE_IDS} certificates")
    children(certificates, [xades("Cert")] * len(found))
    digests = []
    for each in found:
        attributes(each)
        value, *_ = children(
            each,
            [xades("CertDigest")],
            optional=[xades("IssuerSerial"), xades("IssuerSerialV2")],
        )
        attributes(value)
        digests.append(digest_value(*children(value, [ds("DigestMethod"), ds("DigestValue")])))
    return digests


def _digest(method: str, content: bytes) -> bytes:
    return DIGESTS[method](content).digest()


def _instant(written: str) -> datetime:
    """An XML Schema ``dateTime`` with its offset; without one it would be no instant."""
    if _TIME.fullmatch(written) is None:
        raise malformed("SigningTime is a date and time with an offset")
    # Python takes six digits of a second's fraction.
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", written))
    except ValueError as error:
        raise malformed("SigningTime is no date and time") from error
