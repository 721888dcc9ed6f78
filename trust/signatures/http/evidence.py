"""A request's signature as it is kept, to be proved again by anybody who has the public key.

The signature base (RFC 9421, 2.5), in which every covered component stands with its value, and
on a last line the signature in base64.

Whoever keeps it need not be honest. A key signs more than requests, and what else it has signed
must not be read as one: content of a JWS, say, with lines that look like components. So the base is
read strictly, and every line of it is one that its parameters name.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey
from trust.signatures.http.offer import read_signer, verify_base
from trust.signatures.http.structured import read_signature_input

_PARAMETERS = '"@signature-params": '


def prove_evidence(
    evidence: bytes, key: PublicKey, *, party: PartyId | None = None
) -> Mapping[str, str]:
    """The covered components and their values; raises ``signature.*`` unless the key signed them.

    ``party``, if given, is whose key it is: the signature must say so. The content is that of the
    request when its digest is the one in ``content-digest``.
    """
    base, _, written = evidence.rpartition(b"\n")
    try:
        signature = base64.b64decode(written, validate=True)
        *lines, last = base.decode("ascii").split("\n")
    except ValueError as error:
        raise TrustError("signature.malformed", "this is no kept signature") from error
    verify_base(base, signature, key)
    if not last.startswith(_PARAMETERS):
        raise TrustError("signature.malformed", "its last line has no parameters")
    given = read_signature_input(f"k={last.removeprefix(_PARAMETERS)}")
    named = read_signer(given.parameters)
    if party is not None and named != (party, key.kid):
        raise TrustError("signature.malformed", f"it is one of {named[0]}, by its key {named[1]!r}")
    if len(lines) != len(given.components):
        raise TrustError("signature.malformed", "it has other lines than it names components")
    values: dict[str, str] = {}
    for line, component in zip(lines, given.components, strict=True):
        start = f"{component.identifier}: "
        if component.parameters or not line.startswith(start):
            raise TrustError("signature.malformed", "it has other lines than it names components")
        values[component.name] = line.removeprefix(start)
    return values
