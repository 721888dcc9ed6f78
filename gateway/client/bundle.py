"""A receipt with what proves it, as a party keeps it."""

from __future__ import annotations

from gateway.core.published import PublishedKeys
from trust.errors import TrustError
from trust.receipt import MAX_CLAIMS_CHARACTERS
from trust.receipt_proof import ReceiptBundle
from trust.signatures.compact import take_apart


def bundle_of(token: str, keys: PublishedKeys) -> ReceiptBundle:
    """The token with the chain, or else the public key, that the gateway publishes for its key.

    Raises ``receipt.invalid`` for what is no token. A key that is not published any more leaves
    the bundle without: whoever proves it then names the certificate.
    """
    try:
        kid = take_apart(token, max_payload=MAX_CLAIMS_CHARACTERS).header.get("kid")
    except TrustError as error:
        raise TrustError("receipt.invalid", error.detail) from error
    for key in keys.keys:
        if key.kid == kid:
            bare = "" if key.certificates else key.public_key
            return ReceiptBundle(receipt=token, certificates=key.certificates, public_key=bare)
    return ReceiptBundle(receipt=token)
