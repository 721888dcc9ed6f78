"""Who somebody is, once it has been proved."""

from __future__ import annotations

from typing import Literal, NewType

import msgspec

PartyId = NewType("PartyId", str)
"""A party's name in the registry: lower-case letters, digits and hyphens, at most 63."""

PARTY_ID_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""What a ``PartyId`` looks like: a label that is also a file name and a URN's last part."""

Method = Literal["mtls", "folder", "http-signature"]
"""How the proof was made: a client certificate, a folder of one's own, a signature alone."""


class Identity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A proven party. Only ``trust.authenticator`` makes one.

    ``fingerprint`` is the SHA-256 of the client certificate in lower-case hexadecimal, or empty
    when the proof was another. ``on_behalf_of`` names the party that gave a signed delegation;
    it never comes from a field of the content.
    """

    party: PartyId
    roles: frozenset[str] = frozenset()
    fingerprint: str = ""
    method: Method = "mtls"
    on_behalf_of: PartyId | None = None
