"""The registry of a development network: TOML that names the files of its PKI."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import toml

from trust.identity import PartyId
from trust.members import Identification
from trust.profile import Member, Network, Profile, Visitor
from trust.registry_write import write_table

_HEAD = """\
# Made by `luxor certs dev` from the profile of the development network; files are named
# relative to this one. It is yours to change: only parties that it lacks are added again.
version = 1
"""


class _AuthorityTable(msgspec.Struct, kw_only=True):
    id: str
    certificates: tuple[str, ...]
    crls: tuple[str, ...]


class _PartyTable(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: PartyId
    name: str = ""
    roles: frozenset[str] = frozenset()
    country: str | None = None
    operators: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    identified_by: tuple[Identification, ...] = ("certificate",)
    must_sign: bool = False
    all_or_nothing: bool = False
    speaks: tuple[str, ...] = ()


class _KeyTable(msgspec.Struct, kw_only=True):
    public_key: str


def registry_file(network: Network, profile: Profile, existing: bytes) -> bytes:
    """The network's ``registry.toml``: its own parties, and its visitors from other networks.

    One that exists is the operator's: authorities and parties that it lacks are added at its
    end, all else stays. One that is not TOML is given back as it is, for its reader to complain.
    """
    try:
        document = toml.decode(existing)
    except msgspec.DecodeError:
        return existing
    known = {
        (kind, row.get("id"))
        for kind in ("authority", "party")
        for row in document.get(kind, [])
        if isinstance(row, dict)
    }
    blocks = [existing.decode() or _HEAD]
    blocks += [text for key, text in _entries(network, profile) if key not in known]
    return "\n".join(blocks).encode()


def _entries(network: Network, profile: Profile) -> Iterator[tuple[tuple[str, str], str]]:
    """Every authority and party that belongs there, with its text."""
    for home in dict.fromkeys([network.id, *(visitor.network for visitor in network.visitors)]):
        yield ("authority", home), _authority(home, network)
    for member in network.parties:
        yield ("party", member.id), _member(member, member, network, network)
    for visitor in network.visitors:
        home_of = next(other for other in profile.networks if other.id == visitor.network)
        guest = next(party for party in home_of.parties if party.id == visitor.party)
        yield ("party", guest.id), _member(guest, visitor, home_of, network)


def _authority(home: str, network: Network) -> str:
    at = _from(network, home)
    table = _AuthorityTable(
        id=home,
        certificates=(f"{at}root.pem", f"{at}issuing.pem"),
        crls=(f"{at}crl/root.crl", f"{at}crl/issuing.crl"),
    )
    return write_table("[[authority]]", table)


def _member(member: Member, entry: Member | Visitor, home: Network, network: Network) -> str:
    """A party as its own network describes it, with what this network lets it do."""
    table = _PartyTable(
        id=member.id,
        name=member.name,
        roles=entry.roles,
        country=member.country,
        operators=member.operators,
        authorities=(home.id,),
        identified_by=(entry.identified_by if isinstance(entry, Member) else ("certificate",)),
        must_sign=entry.must_sign,
        all_or_nothing=member.all_or_nothing,
        speaks=member.speaks,
    )
    key = _KeyTable(public_key=f"{_from(network, home.id)}parties/{member.id}/signing.pub")
    blocks = [write_table("[[party]]", table), write_table("[[party.key]]", key)]
    return "\n".join([*blocks, *(write_table("[[party.grant]]", grant) for grant in entry.grant)])


def _from(network: Network, home: str) -> str:
    return "" if home == network.id else f"../{home}/"
