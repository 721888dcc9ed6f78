"""The rows of a registry: parties, what they may send, their keys, and who vouches for them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from trust.identity import PARTY_ID_PATTERN, PartyId

Glob = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.*_-]+\Z", max_length=100)]
"""A name in which ``*`` stands for any run of characters, and nothing else is special."""
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}\Z")]
Label = Annotated[PartyId, Meta(pattern=rf"^{PARTY_ID_PATTERN}\Z")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
Thumbprint = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
FormatName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}\Z")]
OperatorCode = Annotated[str, Meta(min_length=1, max_length=35)]
Shown = Annotated[str, Meta(pattern=r"^[\x20-\x7e]{1,100}\Z")]
"""A name that somebody else gave: what a terminal shows of it is what it is."""
Instant = Annotated[datetime, Meta(tz=True)]
Severity = Literal["error", "warning", "ignore"]
Direction = Literal["send", "receive"]
Identification = Literal["certificate", "signature"]
"""By what a party proves who it is: its client certificate, or a signature of each request."""

SignatureForm = Literal["jws", "http", "xml"]
"""How content may be signed: a JWS beside it, the request that brings it, or XML inside it."""


class SigningKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key with which a party signs messages; never the key of its TLS certificate.

    ``public_key`` is PEM (SubjectPublicKeyInfo). ``algorithm`` is the one JWS algorithm that the
    key is for. Outside ``not_before`` and ``not_after`` (both included; ``None``: no limit) it
    proves nothing. Several keys may overlap, so that a party can change keys without a gap.
    ``succeeds`` is the ``kid`` of the key that announced this one, if one did.
    """

    kid: Annotated[str, Meta(min_length=1, max_length=100)]
    public_key: str
    algorithm: str
    not_before: Instant | None = None
    not_after: Instant | None = None
    succeeds: Annotated[str, Meta(max_length=100)] = ""


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a party may send, or receive. A message needs one grant that covers all of it.

    ``on_behalf_of`` names the parties for which it may send, by a delegation of theirs; without
    it, for itself only. Which rules hold for which ``direction``: ``trust.policy``.
    """

    direction: Direction = "send"
    formats: tuple[Glob, ...] = ()
    kinds: tuple[Glob, ...] = ()
    countries: tuple[Glob, ...] = ()
    on_behalf_of: tuple[Glob, ...] = ()


PerSecond = Annotated[float, Meta(ge=0.001, le=1_000_000)]


class PartyLimits(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """How much a party may ask for; ``None`` is what the gateway allows everybody.

    ``requests_per_second`` on average with ``burst`` at once; ``connections`` and ``concurrent``
    requests at any time.
    """

    requests_per_second: PerSecond | None = None
    burst: Annotated[int, Meta(ge=1)] | None = None
    connections: Annotated[int, Meta(ge=1)] | None = None
    concurrent: Annotated[int, Meta(ge=1)] | None = None


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An organisation on the network.

    ``authorities`` are the only ones that may vouch for it. ``thumbprints``, when there are any,
    are the only client certificates that count for it (SHA-256, lower-case hexadecimal).
    ``operators`` are codes by which messages name it, such as UPU operator codes.
    ``identified_by`` says by what it may connect, ``signatures`` which forms count where content
    must be signed; without ``xml``, a signature inside of content is content like any other.
    ``severities`` overrides how a fault code weighs in what this party sends. ``speaks`` are the
    formats that it understands, each with its version, the one it likes best first: what it
    fetches comes in the first that can carry it, and what it sends without naming a format is
    taken for one of them.
    """

    id: Label
    name: Annotated[str, Meta(max_length=140)] = ""
    roles: frozenset[Name] = frozenset()
    country: Country | None = None
    operators: tuple[OperatorCode, ...] = ()
    authorities: tuple[Name, ...] = ()
    thumbprints: tuple[Thumbprint, ...] = ()
    signing_keys: tuple[SigningKey, ...] = ()
    identified_by: tuple[Identification, ...] = ("certificate",)
    must_sign: bool = False
    signatures: tuple[SignatureForm, ...] = ("jws", "http", "xml")
    all_or_nothing: bool = False
    suspended: bool = False
    grants: tuple[Grant, ...] = ()
    severities: dict[str, Severity] = {}
    speaks: tuple[FormatName, ...] = ()
    limits: PartyLimits = PartyLimits()


Url = Annotated[str, Meta(pattern=r"^https?://[^\s@#]+\Z", max_length=500)]
"""An address without credentials and without a fragment."""
Oid = Annotated[str, Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+\Z", max_length=100)]
Require = Literal["crl", "ocsp", "either", "both"]


class Authority(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certification authority: its root, its intermediates and its revocation lists.

    ``certificates`` are PEM texts, one certificate each. Intermediates must be among them,
    because a TLS server sees the leaf of a client's chain alone. ``crls`` names one file for
    each CA certificate that issues; who reads them decides what the names are relative to.
    ``private_to`` is the one party for which it may vouch; ``None``: for each that lists it.
    ``crl_urls`` are where lists are fetched from, ``ocsp`` the responders that are asked, the
    first one first. ``require`` says what must show that a party's certificate is not revoked; for
    the CAs above it a list or an answer will do, unless it is ``crl``. ``ocsp_nonce`` demands that
    an answer be made for the question. ``policies``, when there are any, are the certificate
    policies under one of which the path must be valid (RFC 5280, 6.1.1).
    """

    id: Name
    certificates: tuple[str, ...]
    crls: tuple[str, ...] = ()
    private_to: Label | None = None
    crl_urls: tuple[Url, ...] = ()
    ocsp: tuple[Url, ...] = ()
    ocsp_nonce: bool = False
    require: Require = "crl"
    policies: tuple[Oid, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds for every party of a registry.

    ``receive``: ``agreed`` leaves what a party without a grant to receive gets to the agreements;
    ``granted`` lets nobody receive anything without such a grant.
    """

    receive: Literal["agreed", "granted"] = "agreed"
