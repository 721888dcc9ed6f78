"""Signing a request so that a gateway of this network takes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from trust.identity import PartyId
from trust.keys import Signer
from trust.signatures.http.names import http_name
from trust.signatures.http.offer import ALWAYS, CONTENT, MAX_LIFETIME, OWN_FIELDS, TAG
from trust.signatures.http.signature_base import Message, signature_base
from trust.signatures.http.structured import (
    Component,
    SignatureInput,
    write_bytes,
    write_signature_input,
)

LABEL = "luxor"


def sign_request(
    message: Message,
    *,
    signer: Signer,
    party: PartyId,
    nonce: str,
    now: datetime,
    lifetime: timedelta = MAX_LIFETIME,
) -> dict[str, str]:
    """The fields ``Signature-Input`` and ``Signature`` for a request.

    The message has its final fields; with content, ``content-digest`` is among them. ``nonce``
    has 16 to 128 characters and is never used again. Raises ``signature.algorithm`` or
    ``signature.component``.
    """
    signer = signer.chosen()
    created = int(now.timestamp())
    parameters = {
        "created": created,
        "expires": created + int(lifetime.total_seconds()),
        "nonce": nonce,
        "keyid": f"{party}/{signer.kid}",
        "alg": http_name(signer.alg),
        "tag": TAG,
    }
    held = [name for name, _ in message.fields]
    covered = (*ALWAYS, *(n for n in held if n in CONTENT or n.startswith(OWN_FIELDS)))
    components = tuple(Component(name) for name in covered)
    given = SignatureInput(
        label=LABEL,
        components=components,
        parameters=parameters,
        text=write_signature_input(components, parameters),
    )
    signature = signer.sign(signature_base(message, given))
    return {
        "Signature-Input": f"{LABEL}={given.text}",
        "Signature": f"{LABEL}={write_bytes(signature)}",
    }


def wanted(*, content: bool) -> str:
    """The value of ``Accept-Signature`` (RFC 9421, 5.1): what a signer is asked to do."""
    names = (*ALWAYS, *CONTENT, f"{OWN_FIELDS}interchange-id") if content else ALWAYS
    asked = {"created": True, "expires": True, "tag": TAG}
    return f"{LABEL}={write_signature_input(tuple(map(Component, names)), asked)}"
