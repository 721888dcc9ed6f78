"""How it was proved who said something: beside the received bytes, enough to prove it again.

A party proves mostly in the same way, with the same key on the same connection; each way is stored
once, and an interchange has its number and the signature.
"""

from __future__ import annotations

import functools
import hashlib

import msgspec

from gateway.core.records import Proof, ProofMethod
from gateway.store.codec import Codec

Way = tuple[str, str, str, str, str]
"""Method, key id, algorithm, public key and fingerprint of the client certificate."""


class PackedProof(msgspec.Struct, frozen=True):
    """A proof as it is stored: its way of proving, the digest of that, the packed signature."""

    record: int
    digest: bytes
    way: Way
    signature: bytes


def pack_proof(record: int, proof: Proof, codec: Codec) -> PackedProof:
    """The rows of a proof, as far as they are known without the store."""
    way = (proof.method.value, proof.kid, proof.algorithm, proof.public_key, proof.fingerprint)
    token = proof.method is ProofMethod.JWS and proof.signature.isascii()
    signature = codec.pack_token(proof.signature.decode()) if token else codec.pack(proof.signature)
    return PackedProof(record, _digest(way), way, signature)


@functools.lru_cache(maxsize=1_024)
def _digest(way: Way) -> bytes:
    """Of the same key on the same connection it is asked again and again."""
    return hashlib.sha256(msgspec.msgpack.encode(way)).digest()


def proof_of(row: tuple[str, str, str, str, str, bytes], codec: Codec) -> Proof:
    """The proof in a row: its way of proving and the packed signature."""
    method, kid, algorithm, public_key, fingerprint, signature = row
    return Proof(
        method=ProofMethod(method),
        kid=kid,
        algorithm=algorithm,
        public_key=public_key,
        fingerprint=fingerprint,
        signature=codec.unpack(signature),
    )
