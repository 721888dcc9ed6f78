"""OCSP: asking whether one certificate is revoked, and reading the answer (RFC 6960).

Here an answer is read and held against the question; whether its signer may give it, and what it
then means, is judged in ``trust.pkix``. What is asked and where is for the registry to say: an
address in a certificate is never used.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import msgspec
from asn1crypto import keys as asn1_keys  # type: ignore[import-untyped] # it has no types
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from pyhanko_certvalidator.revinfo.archival import OCSPContainer

from trust.lists import allowed
from trust.pkix import SKEW, STRICT, Strictness

MAX_ANSWER_BYTES = 64 * 1024
NONCE_BYTES = 32
"""RFC 9654, 2.1: a client sends 32."""
WITHOUT_NEXT: Final = timedelta(seconds=300)
"""How long an answer serves that does not say when there is a newer one."""

_DIGESTS: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
}
"""What may name the issuer in an answer. It is no signature: SHA-1 will do (RFC 5019, 2.1.1)."""


class Unanswered(ValueError):
    """Why a response is no answer to the question; ``nothing`` of the sender's is repeated."""


class Status(Enum):
    """What an answer says."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


_STATUSES: Final = {
    ocsp.OCSPCertStatus.GOOD: Status.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Status.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Status.UNKNOWN,
}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer about one certificate, in force from ``this_update`` until before ``until``."""

    status: Status
    this_update: datetime
    until: datetime
    response: OCSPContainer
    """For stage two."""
    edges: tuple[datetime, ...]
    """When certificates that came with it begin and end."""
    serials: frozenset[int]
    """Of the certificates that came with it."""

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.this_update - SKEW <= now < self.until


def write_question(
    certificate: x509.Certificate, issuer: x509.Certificate, *, nonce: bytes | None = None
) -> bytes:
    """The DER request about one certificate (RFC 6960, 4.1), names hashed as RFC 5019 says."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate,
        issuer,
        hashes.SHA1(),  # noqa: S303 - it names the issuer, nobody signs it (RFC 5019, 2.1.1)
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def read_answer(
    content: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    nonce: bytes | None = None,
    strictness: Strictness = STRICT,
) -> Answer:
    """What a response says about the certificate; raises ``Unanswered``.

    With a ``nonce`` the response must have that one (RFC 9654). Nothing is said yet about who
    signed it, nor whether it is in force.
    """
    if len(content) > MAX_ANSWER_BYTES:
        raise Unanswered("the response is too large")
    try:
        response = ocsp.load_der_ocsp_response(content)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise Unanswered(f"the responder says {response.response_status.name.lower()}")
        _check_whole(response, nonce, strictness)
        singles = list(response.responses)
        at, single = _find(singles, certificate, issuer)
        this_update = single.this_update_utc
        until = single.next_update_utc or this_update + WITHOUT_NEXT
        if until <= this_update:
            raise Unanswered("it ends before it begins")
        if response.produced_at_utc + SKEW < this_update:
            raise Unanswered("it was made before what it says")
        whole = asn1_ocsp.OCSPResponse.load(content, strict=True)
        found = OCSPContainer.load_multi(whole)[at]
        _check_extensions(found)
        return Answer(
            status=_STATUSES[single.certificate_status],
            this_update=this_update,
            until=until,
            response=found,
            edges=tuple(
                edge
                for held in response.certificates
                for edge in (held.not_valid_before_utc, held.not_valid_after_utc)
            ),
            serials=frozenset(held.serial_number for held in response.certificates),
        )
    except Unanswered:
        raise
    except Exception as error:  # hostile responses raise many things, and each means no
        raise Unanswered("not an OCSP response") from error


def _check_whole(response: ocsp.OCSPResponse, nonce: bytes | None, strictness: Strictness) -> None:
    if not allowed(response.signature_hash_algorithm, response.signature_algorithm_oid, strictness):
        raise Unanswered("it is signed with a hash below SHA-256")
    if any(each.critical and each.oid != x509.OCSPNonce.oid for each in response.extensions):
        raise Unanswered("it has a critical extension that is not understood")
    if nonce is not None:
        try:
            found = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        except x509.ExtensionNotFound as error:
            raise Unanswered("it does not repeat the nonce of the question") from error
        if not hmac.compare_digest(found, nonce):
            raise Unanswered("it has another nonce than the question")


def _check_extensions(found: OCSPContainer) -> None:
    single = found.extract_single_response()
    if single is None or any(each["critical"].native for each in single["single_extensions"] or ()):
        raise Unanswered("it has a critical extension that is not understood")


def _find(
    singles: Sequence[ocsp.OCSPSingleResponse],
    certificate: x509.Certificate,
    issuer: x509.Certificate,
) -> tuple[int, ocsp.OCSPSingleResponse]:
    """The one that is about the certificate; several that are make the response useless."""
    found = [
        (at, single)
        for at, single in enumerate(singles)
        if single.serial_number == certificate.serial_number and _names(single, issuer)
    ]
    if not found:
        raise Unanswered("it is not about this certificate")
    if len(found) > 1:
        raise Unanswered("it says several things about this certificate")
    return found[0]


def _names(single: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
    kind = _DIGESTS.get(single.hash_algorithm.name)
    if kind is None:
        return False
    return single.issuer_name_hash == _digest(
        kind, issuer.subject.public_bytes()
    ) and single.issuer_key_hash == _digest(kind, _key_bits(issuer))


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The content of the subjectPublicKey bit string (RFC 6960, 4.1.1)."""
    spki = asn1_keys.PublicKeyInfo.load(
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    bits: bytes = spki["public_key"].contents[1:]
    return bits


def _digest(kind: type[hashes.HashAlgorithm], content: bytes) -> bytes:
    digest = hashes.Hash(kind())
    digest.update(content)
    return digest.finalize()
