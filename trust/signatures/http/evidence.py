"""A request's signature as it is kept, to be proved again by anybody who has the public key.

The signature base (RFC 9421, 2.5), in which every covered component stands with its value, and
on a last line the signature in base64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from trust.errors import TrustError
from trust.keys import PublicKey
from trust.signatures.http.offer import verify_base


def prove_evidence(evidence: bytes, key: PublicKey) -> Mapping[str, str]:
    """The covered components and their values; raises ``signature.*`` unless the key signed them.

    The content is that of the request when its digest is the one in ``content-digest``.
    """
    base, _, written = evidence.rpartition(b"\n")
    try:
        signature = base64.b64decode(written, validate=True)
        lines = base.decode("ascii").split("\n")
    except ValueError as error:
        raise TrustError("signature.malformed", "this is no kept signature") from error
    verify_base(base, signature, key)
    values: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        values[name.strip('"')] = value
    return values
