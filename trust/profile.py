"""The profile of a development network: what ``luxor certs dev`` makes, as data."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Any

import msgspec
from msgspec import Meta, toml

from trust.authority import KeyKind
from trust.members import (
    Country,
    FormatName,
    Grant,
    Identification,
    Label,
    Name,
    OperatorCode,
)
from trust.mistakes import Mistake, RegistryError
from trust.tables import Report, read_table, reporter, tables

Days = Annotated[int, Meta(ge=1, le=3650)]
Title = Annotated[str, Meta(min_length=1, max_length=50)]
"""Goes into the common names of the authorities, which hold 64 characters (RFC 5280, A.1)."""
Share = Annotated[float, Meta(ge=0.0, le=0.9)]


class Validities(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last, and the share of its time below which a thing is renewed."""

    authority_days: Days = 730
    certificate_days: Days = 90
    crl_days: Days = 30
    renew_before: Share = 0.34


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """What every TLS certificate has: its kind of key, and the hosts for which it is valid."""

    key: KeyKind = "P-256"
    hosts: tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...] = ("localhost",)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A party of a network: it gets a TLS certificate, a signing key and a certificate of that."""

    id: Label
    name: str = ""
    roles: frozenset[Name] = frozenset()
    country: Country | None = None
    operators: tuple[OperatorCode, ...] = ()
    signing: KeyKind = "P-256"
    identified_by: tuple[Identification, ...] = ("certificate",)
    must_sign: bool = False
    all_or_nothing: bool = False
    speaks: tuple[FormatName, ...] = ()
    grant: tuple[Grant, ...] = ()


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A party of another network that this network's registry knows, by its own authority."""

    party: Label
    network: Name
    roles: frozenset[Name] = frozenset()
    must_sign: bool = False
    grant: tuple[Grant, ...] = ()


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """One administration: a root, an issuing authority, its parties, and who else may come."""

    id: Name
    title: Title
    parties: tuple[Member, ...] = ()
    visitors: tuple[Visitor, ...] = ()


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """All networks of a development installation."""

    validity: Validities
    tls: Tls
    networks: tuple[Network, ...]


class _NetworkRow(msgspec.Struct, kw_only=True):
    id: Name
    title: Title


def default_profile() -> str:
    """The text of the profile that comes with the package."""
    return resources.files("trust").joinpath("development.toml").read_text("utf-8")


def read_profile(text: str) -> Profile:
    """The profile that a TOML text describes; raises ``RegistryError`` with every mistake."""
    mistakes: list[Mistake] = []
    report = reporter(mistakes)
    try:
        document = toml.decode(text)
    except msgspec.DecodeError as error:
        raise RegistryError([Mistake("", f"not TOML: {error}")]) from error
    for key in document.keys() - {"validity", "tls", "network"}:
        report(key, "unknown key; known are network, tls, validity")
    validity = read_table(document.get("validity", {}), Validities, "validity", report)
    tls = read_table(document.get("tls", {}), Tls, "tls", report)
    networks = tuple(
        _network(raw, f"network[{at}]", report)
        for at, raw in enumerate(tables(document, "network", "", report))
    )
    _check(tuple(network for network in networks if network), report)
    if tls is not None and tls.key == "Ed25519":
        report("tls.key", "a TLS certificate has an EC or RSA key")
    if mistakes or validity is None or tls is None:
        raise RegistryError(mistakes)
    return Profile(validity=validity, tls=tls, networks=tuple(n for n in networks if n))


def _network(raw: dict[str, Any], path: str, report: Report) -> Network | None:
    row = read_table(raw, _NetworkRow, path, report, beside=("party", "visitor"))
    parties = [
        read_table(member, Member, f"{path}.party[{at}]", report)
        for at, member in enumerate(tables(raw, "party", f"{path}.", report))
    ]
    visitors = [
        read_table(visitor, Visitor, f"{path}.visitor[{at}]", report)
        for at, visitor in enumerate(tables(raw, "visitor", f"{path}.", report))
    ]
    if row is None:
        return None
    return Network(
        id=row.id,
        title=row.title,
        parties=tuple(member for member in parties if member is not None),
        visitors=tuple(visitor for visitor in visitors if visitor is not None),
    )


def _check(networks: tuple[Network, ...], report: Report) -> None:
    """Ids are there once, and a visitor comes from a network that has it."""
    homes: dict[tuple[str, str], int] = {}
    for at, network in enumerate(networks):
        if any(other.id == network.id for other in networks[:at]):
            report(f"network[{at}].id", f"{network.id!r} is there already")
        for number, member in enumerate(network.parties):
            if homes.setdefault((network.id, member.id), number) != number:
                report(f"network[{at}].party[{number}].id", f"{member.id!r} is there already")
    for at, network in enumerate(networks):
        for number, visitor in enumerate(network.visitors):
            if (visitor.network, visitor.party) not in homes or visitor.network == network.id:
                place = f"network[{at}].visitor[{number}].party"
                report(place, f"no party {visitor.party!r} in network {visitor.network!r}")
