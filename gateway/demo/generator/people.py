"""Made-up trade parties: persons and firms with addresses in the script of their country."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from gateway.demo.generator.catalogue import Place, places, whole
from translators.canonical import Address, Reference, TradeParty

MAIL_DOMAINS = ("example.com", "example.net", "example.org")
"""Names that belong to nobody (RFC 2606)."""
_ZZ = "ABDEFGHJLNPQRSTUWXYZ"  # letters of the last part of a United Kingdom postcode


def filled(pattern: str, chance: Random) -> str:
    """The pattern with a digit for each ``#``, one from 1 to 9 for ``%``, letters for ``ZZ``."""
    drawn = [
        str(chance.randrange(10))
        if sign == "#"
        else str(chance.randrange(1, 10))
        if sign == "%"
        else sign
        for sign in pattern
    ]
    return "".join(drawn).replace("ZZ", "".join(chance.choices(_ZZ, k=2)))


def person(country: str, chance: Random, *, living_in: str | None = None) -> TradeParty:
    """A person named as in ``country``, with an address there or in ``living_in``."""
    place = places()[country]
    given, family = chance.choice(place.given), chance.choice(place.family)
    home = places()[living_in or country]
    mail = f"{given[1]}.{family[1]}".lower().replace(" ", "").replace("'", "")
    party = TradeParty(
        address=address(home, chance),
        telephone=filled(home.telephone, chance) if chance.random() < 0.7 else None,
        email=f"{mail}@{chance.choice(MAIL_DOMAINS)}" if chance.random() < 0.8 else None,
    )
    if chance.random() < 0.5:
        return replace(party, first_name=given[0], last_name=family[0])
    return replace(party, name=whole(place, given[0], family[0]))


def firm(country: str, chance: Random) -> TradeParty:
    """A firm in ``country``: by its name alone, or a person there who writes for it.

    Address and numbers of a firm are always the same.
    """
    place = places()[country]
    name, latin = chance.choice(place.firms)
    own = Random(f"{country}/{latin}")  # noqa: S311 - made-up data, the same each time
    host = "".join(letter for letter in latin.lower() if letter.isascii() and letter.isalnum())
    known = [Reference(type="VAT", value=f"{country}0000{own.randrange(10**5):05d}")]
    if own.random() < 0.4:
        known.append(Reference(type="EORI", value=f"{country}0000000{own.randrange(10**5):05d}"))
    party = TradeParty(
        name=name,
        address=address(place, own),
        telephone=filled(place.telephone, own),
        email=f"orders@{host[:24]}.{own.choice(MAIL_DOMAINS)}",
        references=tuple(known),
    )
    if chance.random() < 0.8:
        return party
    given, family = chance.choice(place.given), chance.choice(place.family)
    return replace(party, name=whole(place, given[0], family[0]), organisation=name)


def address(place: Place, chance: Random) -> Address:
    """An address in one of the country's cities."""
    city, region, postcode = chance.choice(place.cities)
    return Address(
        lines=(filled(chance.choice(place.streets), chance),),
        city=city,
        state=region or None,
        postcode=filled(postcode, chance) or None,
        country=place.code,
    )
