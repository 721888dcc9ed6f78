"""A certificate request for a signing key, wherever that key is kept (RFC 2986).

The request is put together here and signed by the ``Signer``, so that the key of a token asks for
its certificate without leaving it.
"""

from __future__ import annotations

from typing import Any

from asn1crypto import algos, core, csr, keys, pem  # type: ignore[import-untyped] # no types
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from trust.authority import subject_names
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey, Signer

_ECDSA = {"ES256": "sha256_ecdsa", "ES384": "sha384_ecdsa"}
_RSA = {"RS256": "sha256_rsa", "RS384": "sha384_rsa", "RS512": "sha512_rsa"}
_PSS = {"PS256": ("sha256", 32), "PS384": ("sha384", 48), "PS512": ("sha512", 64)}


def signing_request(signer: Signer, key: PublicKey, *, party: PartyId) -> bytes:
    """The request as PEM; its one name is the party's URI. ``key`` is the signer's public half.

    Raises ``signature.algorithm`` for one that certificates are not requested with.
    """
    algorithm = _algorithm(signer.alg)
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1.Name.build({"common_name": str(party)}),
            "subject_pk_info": keys.PublicKeyInfo.load(_public(key)),
            "attributes": [
                {"type": "extension_request", "values": [[_name_extension(party)]]},
            ],
        }
    )
    signature = signer.sign(info.dump())
    if signer.alg in _ECDSA:  # RFC 5758, 3.2: in DER here, side by side in JOSE
        half = len(signature) // 2
        numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        signature = encode_dss_signature(*numbers)
    request = csr.CertificationRequest(
        {
            "certification_request_info": info,
            "signature_algorithm": algorithm,
            "signature": core.OctetBitString(signature),
        }
    )
    written: bytes = pem.armor("CERTIFICATE REQUEST", request.dump())
    return written


def _name_extension(party: PartyId) -> dict[str, Any]:
    value = asn1.GeneralNames.load(subject_names(party, ()).public_bytes())
    return {"extn_id": "subject_alt_name", "critical": False, "extn_value": value}


def _public(key: PublicKey) -> bytes:
    public = key.key.public_key
    return bytes(
        public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _algorithm(name: str) -> algos.SignedDigestAlgorithm:
    if name in _ECDSA or name in _RSA:
        return algos.SignedDigestAlgorithm({"algorithm": _ECDSA.get(name) or _RSA[name]})
    if name == "Ed25519":
        return algos.SignedDigestAlgorithm({"algorithm": "ed25519"})
    if name not in _PSS:
        raise TrustError("signature.algorithm", f"no certificate is requested with {name}")
    digest, salt = _PSS[name]
    parameters = {
        "hash_algorithm": {"algorithm": digest},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": digest}},
        "salt_length": salt,
    }
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})
