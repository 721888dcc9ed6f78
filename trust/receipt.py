"""Receipts: what the gateway received, when, and what became of it, signed.

A compact JWS. ECDSA is random, so a receipt cannot be made again: its bytes are stored and
answered as they are. Keys are judged at the time of the receipt, not at the time of reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey, Signer
from trust.members import Instant
from trust.signatures.attached import sign_attached, verify_attached
from trust.signatures.compact import unpadded_decode

TYPE = "luxor-receipt+jwt"
MAX_CLAIMS_CHARACTERS = 8_192

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, Meta(ge=0)]


class ReceiptClaims(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a receipt says.

    ``gateway`` (claim ``iss``) gives it to ``party`` (claim ``sub``). ``record`` is the number in
    the gateway's journal; ``attempt`` counts the sendings of one interchange id from 1.
    ``digest`` is the SHA-256 of the ``size`` bytes received, ``outcomes`` that of the list that
    says for each message what became of it. ``on_behalf_of`` is in whose name ``party`` sent it,
    if that was another.
    """

    gateway: str = field(name="iss")
    party: PartyId = field(name="sub")
    record: Count
    interchange_id: str
    attempt: Annotated[int, Meta(ge=1)]
    format: str
    digest: Sha256
    size: Count
    received_at: Instant
    status: Literal["accepted", "refused"]
    accepted: Count
    refused: Count
    outcomes: Sha256
    on_behalf_of: PartyId | None = None


def sign(claims: ReceiptClaims, signer: Signer) -> str:
    """The receipt as a compact JWS."""
    return sign_attached(msgspec.json.encode(claims), signer=signer, type=TYPE)


def verify(token: str, keys: Mapping[str, PublicKey]) -> ReceiptClaims:
    """What the receipt says, if one of the keys signed it; raises ``receipt.invalid``.

    ``keys`` are those of the gateway from which it came. Comparing ``gateway``, ``party``,
    ``interchange_id`` and ``digest`` with what was sent is the caller's part.
    """
    try:
        payload, key = verify_attached(
            token, keys=keys, type=TYPE, max_payload=MAX_CLAIMS_CHARACTERS
        )
        claims = msgspec.json.decode(payload, type=ReceiptClaims)
        key.judge_time(claims.received_at)
    except TrustError as error:
        raise TrustError("receipt.invalid", error.detail) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TrustError("receipt.invalid", "its claims are not those of a receipt") from error
    return claims


class _Claimed(msgspec.Struct, frozen=True):
    on_behalf_of: PartyId | None = None


def principal_of(token: str) -> PartyId | None:
    """In whose name something was sent, by a receipt that one has given oneself; not proved."""
    payload = unpadded_decode(token.split(".")[1])
    return msgspec.json.decode(payload, type=_Claimed).on_behalf_of
