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
    Label,
    Name,
    OperatorCode,
    Party,
    Severity,
    Thumbprint,
)
from trust.mistakes import Mistake, RegistryError
from trust.registry_keys import read_key
from trust.sources import Read, read_certificates
from trust.tables import Report, read_table, reporter, tables

Parsed = TypeVar("Parsed")
Content = tuple[int, tuple[Authority, ...], tuple[Party, ...]]


class _AuthorityRow(msgspec.Struct, kw_only=True):
    id: Name
    certificates: list[str]
    crls: tuple[str, ...] = ()


class _PartyRow(msgspec.Struct, kw_only=True):
    id: Label
    name: Annotated[str, Meta(max_length=140)] = ""
    roles: frozenset[Name] = frozenset()
    country: Country | None = None
    operators: tuple[OperatorCode, ...] = ()
    authorities: tuple[Name, ...] = ()
    thumbprints: tuple[Thumbprint, ...] = ()
    certificates: list[str] = []
    must_sign: bool = False
    all_or_nothing: bool = False
    suspended: bool = False
    severities: dict[str, Severity] = {}
    speaks: tuple[FormatName, ...] = ()
    answer_format: FormatName | None = None
    """What ``speaks`` was before it was a list; read, and never written."""


def read_registry(text: str, read: Read) -> Content:
    """Version, authorities and parties of a TOML text; ``read`` gives the files that it names.

    Raises ``RegistryError`` with every mistake of form. What the rows say about each other is
    the business of ``trust.party.Registry``.
    """
    mistakes: list[Mistake] = []
    report = reporter(mistakes)
    try:
        document = toml.decode(text)
    except msgspec.DecodeError as error:
        raise RegistryError([Mistake("", f"not TOML: {error}")]) from error
    for key in document.keys() - {"version", "authority", "party"}:
        report(key, "unknown key; known are authority, party, version")
    version = document.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        report("version", "must be a number that is not negative")
        version = 0
    authorities = _each(
        tables(document, "authority", "", report),
        "authority",
        lambda raw, path: _authority(raw, path, read, report),
    )
    parties = _each(
        tables(document, "party", "", report),
        "party",
        lambda raw, path: _party(raw, path, read, report),
    )
    if mistakes:
        raise RegistryError(mistakes)
    return version, authorities, parties


def _each(
    rows: Iterable[dict[str, Any]],
    path: str,
    parse: Callable[[dict[str, Any], str], Parsed | None],
) -> tuple[Parsed, ...]:
    parsed = [parse(raw, f"{path}[{at}]") for at, raw in enumerate(rows)]
    return tuple(row for row in parsed if row is not None)


def _authority(raw: dict[str, Any], path: str, read: Read, report: Report) -> Authority | None:
    row = read_table(raw, _AuthorityRow, path, report)
    if row is None:
        return None
    pems: list[str] = []
    for at, source in enumerate(row.certificates):
        pems += read_certificates(source, f"{path}.certificates[{at}]", read, report)
    return Authority(id=row.id, certificates=tuple(pems), crls=row.crls)


def _party(raw: dict[str, Any], path: str, read: Read, report: Report) -> Party | None:
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
    row = read_table(raw, _PartyRow, path, report, beside=("key", "grant"))
    if row is None:
        return None
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
        authorities=row.authorities,
        thumbprints=tuple(dict.fromkeys(pinned)),
        signing_keys=keys,
        must_sign=row.must_sign,
        all_or_nothing=row.all_or_nothing,
        suspended=row.suspended,
        grants=grants,
        severities=row.severities,
        speaks=row.speaks or (() if row.answer_format is None else (row.answer_format,)),
    )
