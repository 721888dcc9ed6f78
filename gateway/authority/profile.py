"""``authority.toml``: who the authority is, how long things last, which keys it certifies."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.authority.faults import AuthorityError
from trust.authority import NOWHERE, Pointers
from trust.enrolment import KeyRules

Days = Annotated[int, Meta(ge=1, le=7_300)]
Seconds = Annotated[int, Meta(ge=30, le=86_400)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}\Z")]
Title = Annotated[str, Meta(min_length=1, max_length=50)]
"""Goes into the common names of the authority, which hold 64 characters (RFC 5280, A.1)."""
Url = Annotated[str, Meta(pattern=r"^(https?://[^\s/?#]+[^\s?#]*[^\s/?#]|)\Z", max_length=200)]


class Validities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long things last."""

    root_days: Days = 3_650
    issuing_days: Days = 1_825
    tls_days: Days = 90
    signing_days: Days = 365
    responder_days: Days = 7
    root_crl_days: Days = 180
    crl_days: Days = 7
    ocsp_seconds: Seconds = 300
    """How long an answer counts, and so how long a revocation may stay unknown to who has one."""


class AuthorityProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    id: Name
    title: Title
    url: Url = ""
    """Where ``luxor authority serve`` is reached; without it certificates point nowhere."""
    validity: Validities = Validities()
    keys: KeyRules = KeyRules()

    def pointers(self, role: str) -> Pointers:
        """What a certificate that ``role`` issues says about its issuer."""
        if not self.url:
            return NOWHERE
        return Pointers(
            crl=f"{self.url}/crl/{role}.crl",
            ocsp=f"{self.url}/ocsp",
            issuer=f"{self.url}/certs/{role}.cer",
        )


def read_profile(content: bytes) -> AuthorityProfile:
    """The profile of a TOML text; raises ``AuthorityError`` that names the place of a mistake."""
    try:
        return msgspec.toml.decode(content, type=AuthorityProfile)
    except msgspec.DecodeError as error:
        raise AuthorityError(f"authority.toml: {error}") from error


def new_profile(*, identifier: str, title: str, url: str) -> bytes:
    """The text of a profile with every key, so that nobody has to look for its name."""
    try:
        profile = msgspec.convert(
            {"id": identifier, "title": title, "url": url.rstrip("/")}, AuthorityProfile
        )
    except msgspec.ValidationError as error:
        raise AuthorityError(str(error)) from error
    validity, keys = profile.validity, profile.keys
    return f"""\
# The profile of this authority. It is read at each command and at each start of the server.
id = {json.dumps(profile.id)}
title = {json.dumps(profile.title, ensure_ascii=False)}
# Where others reach `luxor authority serve`; certificates point there. Empty: they point nowhere.
url = {json.dumps(profile.url)}

[validity]
root_days = {validity.root_days}
issuing_days = {validity.issuing_days}
tls_days = {validity.tls_days}            # certificates with which parties connect
signing_days = {validity.signing_days}       # certificates of keys with which they sign
responder_days = {validity.responder_days}       # whoever signs OCSP answers; renewed by itself
root_crl_days = {validity.root_crl_days}
crl_days = {validity.crl_days}             # made anew when less than half of it is left
ocsp_seconds = {validity.ocsp_seconds}       # how long an OCSP answer counts

[keys]
tls = {json.dumps(list(keys.tls))}
signing = {json.dumps(list(keys.signing))}
rsa_bits = {keys.rsa_bits}          # the least number of bits of an RSA key
""".encode()
