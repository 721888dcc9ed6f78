"""The registry as TOML: reading with every mistake at once, writing self-contained.

A certificate or key stands in the file as PEM, or as the name of a file that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, toml

from trust.certificates import fingerprint_of, load_certificates
from trust.members import (
    Authority,
    Country,
    FormatName,
    Grant,
    Identification,
    Label,
    Name,
    Oid,
    OperatorCode,
    Party,
    PartyLimits,
    Policy,
    Require,
    Severity,
    SignatureForm,
    Thumbprint,
    Url,
)
from trust.mistakes import Mistake, RegistryError
from trust.registry_keys import read_key
from trust.sources import Read, read_certificates, read_token
from trust.tables import Report, read_table, reporter, tables

Parsed = TypeVar("Parsed")


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says, row by row. Authorities of one party alone stand behind the others."""

    version: int
    policy: Policy
    authorities: tuple[Authority, ...]
    parties: tuple[Party, ...]
    delegations: tuple[str, ...]


class _AuthorityRow(msgspec.Struct, kw_only=True):
    id: Name
    certificates: list[str]
    crls: tuple[str, ...] = ()
    crl_urls: tuple[Url, ...] = ()
    ocsp: tuple[Url, ...] = ()
    ocsp_nonce: bool = False
    require: Require = "crl"
    policies: tuple[Oid, ...] = ()


class _DelegationRow(msgspec.Struct, kw_only=True):
    token: str


class _PartyRow(msgspec.Struct, kw_only=True):
    id: Label
    name: Annotated[str, Meta(max_length=140)] = ""
    roles: frozenset[Name] = frozenset()
    country: Country | None = None
    operators: tuple[OperatorCode, ...] = ()
    authorities: tuple[Name, ...] = ()
    thumbprints: tuple[Thumbprint, ...] = ()
    certificates: list[str] = []
    identified_by: tuple[Identification, ...] = ("certificate",)
    must_sign: bool = False
    signatures: tuple[SignatureForm, ...] = ("jws", "http", "xml")
    all_or_nothing: bool = False
    suspended: bool = False
    severities: dict[str, Severity] = {}
    speaks: tuple[FormatName, ...] = ()
    limits: PartyLimits = PartyLimits()
    answer_format: FormatName | None = None
    """What ``speaks`` was before it was a list; read, and never written."""


def read_registry(text: str, read: Read) -> Content:
    """The rows of a TOML text; ``read`` gives the files that it names.

    Raises ``RegistryError`` with every mistake of form. What the rows say about each other is
    the business of ``trust.party.Registry``.
    """
    mistakes: list[Mistake] = []
    report = reporter(mistakes)
    try:
        document = toml.decode(text)
    except msgspec.DecodeError as error:
        raise RegistryError([Mistake("", f"not TOML: {error}")]) from error
    known = ("authority", "delegation", "party", "policy", "version")
    for key in document.keys() - {*known}:
        report(key, f"unknown key; known are {', '.join(known)}")
    version = document.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        report("version", "must be a number that is not negative")
        version = 0
    authorities = _each(
        tables(document, "authority", "", report),
        "authority",
        lambda raw, path: _authority(raw, path, read, report),
    )
    private: list[Authority] = []
    parties = _each(
        tables(document, "party", "", report),
        "party",
        lambda raw, path: _party(raw, path, read, report, private),
    )
    delegations = _each(
        tables(document, "delegation", "", report),
        "delegation",
        lambda raw, path: _delegation(raw, path, read, report),
    )
    policy = _policy(document.get("policy", {}), report)
    if mistakes:
        raise RegistryError(mistakes)
    return Content(
        version=version,
        policy=policy,
        authorities=(*authorities, *private),
        parties=parties,
        delegations=delegations,
    )


def _each(
    rows: Iterable[dict[str, Any]],
    path: str,
    parse: Callable[[dict[str, Any], str], Parsed | None],
) -> tuple[Parsed, ...]:
    parsed = [parse(raw, f"{path}[{at}]") for at, raw in enumerate(rows)]
    return tuple(row for row in parsed if row is not None)


def _policy(raw: object, report: Report) -> Policy:
    if not isinstance(raw, dict):
        report("policy", "write [policy]")
        return Policy()
    return read_table(raw, Policy, "policy", report) or Policy()


def _delegation(raw: dict[str, Any], path: str, read: Read, report: Report) -> str | None:
    row = read_table(raw, _DelegationRow, path, report)
    return None if row is None else read_token(row.token, f"{path}.token", read, report)


def _authority(raw: dict[str, Any], path: str, read: Read, report: Report) -> Authority | None:
    row = read_table(raw, _AuthorityRow, path, report)
    if row is None:
        return None
    pems: list[str] = []
    for at, source in enumerate(row.certificates):
        pems += read_certificates(source, f"{path}.certificates[{at}]", read, report)
    return Authority(
        id=row.id,
        certificates=tuple(pems),
        crls=row.crls,
        crl_urls=row.crl_urls,
        ocsp=row.ocsp,
        ocsp_nonce=row.ocsp_nonce,
        require=row.require,
        policies=row.policies,
    )


def _party(
    raw: dict[str, Any], path: str, read: Read, report: Report, private: list[Authority]
) -> Party | None:
    """The party; authorities of its own are put to the ``private`` ones."""
    keys = _each(
        tables(raw, "key", f"{path}.", report),
        f"{path}.key",
        lambda row, path: read_key(row, path, raw.get("id"), read, report),
    )
    grants = _each(
        tables(raw, "grant", f"{path}.", report),
        f"{path}.grant",
        lambda raw, path: read_table(raw, Grant, path, report),
    )
    own = _each(
        tables(raw, "authority", f"{path}.", report),
        f"{path}.authority",
        lambda row, path: _authority(row, path, read, report),
    )
    row = read_table(raw, _PartyRow, path, report, beside=("authority", "key", "grant"))
    if row is None:
        return None
    private += [msgspec.structs.replace(authority, private_to=row.id) for authority in own]
    if row.speaks and row.answer_format is not None:
        report(f"{path}.answer_format", "speaks says it already; remove this older key")
    pinned = list(row.thumbprints)
    for at, source in enumerate(row.certificates):
        pems = read_certificates(source, f"{path}.certificates[{at}]", read, report)
        pinned += [fingerprint_of(load_certificates(pem.encode())[0]) for pem in pems[:1]]
    return Party(
        id=row.id,
        name=row.name,
        roles=row.roles,
        country=row.country,
        operators=row.operators,
        authorities=(*row.authorities, *(authority.id for authority in own)),
        thumbprints=tuple(dict.fromkeys(pinned)),
        signing_keys=keys,
        identified_by=row.identified_by,
        must_sign=row.must_sign,
        signatures=row.signatures,
        all_or_nothing=row.all_or_nothing,
        suspended=row.suspended,
        grants=grants,
        severities=row.severities,
        speaks=row.speaks or (() if row.answer_format is None else (row.answer_format,)),
        limits=row.limits,
    )
