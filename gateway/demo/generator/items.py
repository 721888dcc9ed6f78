"""Item declarations as a post would send them: sales, gifts, samples, documents, returns.

Item ``n`` of a seed is always the same, however many are asked for. Natures and senders' countries
follow a cycle, so that already a hundred items hold something of everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from msgspec.structs import replace

from gateway.demo.generator.catalogue import places
from gateway.demo.generator.content import GRAM, merchandise, money, papers, total
from gateway.demo.generator.people import firm, person
from gateway.demo.generator.s10 import SERVICES, s10
from translators.canonical import (
    ContentPiece,
    Document,
    ItemDeclaration,
    TaxReference,
    TradeParty,
)

SECOND_PARCEL = "sale, second parcel"
_CYCLE = (
    "sale",
    "gift",
    "sale",
    "sale",
    SECOND_PARCEL,
    "commercial-sample",
    "sale",
    "gift",
    "sale",
    "sale",
    "documents",
    "sale",
    "sale",
    "gift",
    "sale",
    "sale",
    "returned-goods",
    "sale",
    "gift",
    "sale",
)
"""What each twenty items hold; a second parcel belongs to the sale before it."""
_SECOND_PARCELS_EVERY = 100
_LETTER_KG = Decimal(2)  # UPU Convention: letter-post items weigh at most 2 kg
_IOSS_STATES = ("442", "372", "528", "620")  # Luxembourg, Ireland, Netherlands, Portugal
_TRANSPORT = {"airmail": "air", "surface": "road"}


def items(
    seed: int | str,
    count: int,
    *,
    at: datetime,
    origin: str = "FR",
    destination: str = "LU",
    start: int = 0,
) -> list[ItemDeclaration]:
    """``count`` items from number ``start`` on, posted in the days before ``at``.

    ``origin`` is the post's country, ``destination`` that of the addressees; both are codes of
    ``places.toml``. Every item is valid, and no two have the same identifier.
    """
    return list(stream(seed, count, at=at, origin=origin, destination=destination, start=start))


def stream(
    seed: int | str,
    count: int,
    *,
    at: datetime,
    origin: str = "FR",
    destination: str = "LU",
    start: int = 0,
) -> Iterator[ItemDeclaration]:
    """The same one by one, for loads that must not be held in memory."""
    for number in range(start, start + count):
        yield item(seed, number, at=at, origin=origin, destination=destination)


def item(
    seed: int | str, number: int, *, at: datetime, origin: str = "FR", destination: str = "LU"
) -> ItemDeclaration:
    """Item ``number`` (from 0) of a seed."""
    kind = _CYCLE[number % len(_CYCLE)]
    if kind == SECOND_PARCEL and number % _SECOND_PARCELS_EVERY >= len(_CYCLE):
        kind = "sale"
    if kind != SECOND_PARCEL:
        return _item(seed, number, kind, at=at, origin=origin, destination=destination)
    first = item(seed, number - 1, at=at, origin=origin, destination=destination)
    own = _item(seed, number, "sale", at=at, origin=origin, destination=destination)
    assert first.declared_value is not None
    pieces = _in_currency(seed, number, first.declared_value.currency)
    return replace(
        own,
        sender=first.sender,
        addressee=first.addressee,
        order_reference=first.order_reference,
        tax_references=first.tax_references,
        pieces=pieces,
        declared_value=total(pieces, first.declared_value.currency),
        gross_weight=_gross(pieces, Decimal("0.150")),
        mail_class="parcels",
        item_id=_identifier(seed, number, "parcels", origin),
        invoice_number=None,
        documents=(),
        insured_value=None,
        handling_class=None,
        extra={"parcel": "2 of 2"},
    )


def _item(
    seed: int | str, number: int, nature: str, *, at: datetime, origin: str, destination: str
) -> ItemDeclaration:
    chance = Random(f"{seed}/item/{number}")  # noqa: S311 - made-up data, the same each time
    country = _sender_country(chance, nature, origin=origin, destination=destination)
    currency = places()[country].currency
    sender, addressee = _parties(chance, nature, country=country, destination=destination)
    if nature == "documents":
        pieces = papers(chance, currency=currency)
    else:
        pieces = merchandise(chance, currency=currency, remark=_REMARKS.get(nature, ""))
    gross = _gross(pieces, chance.randint(20, 300) * GRAM)
    mail_class = _mail_class(chance, gross)
    category = chance.choice(tuple(_TRANSPORT))
    posted = at.date() - timedelta(days=chance.randrange(1, 4))
    declared = total(pieces, currency)
    posted_item = ItemDeclaration(
        item_id=_identifier(seed, number, mail_class, origin),
        local_id=f"{origin}-{posted:%y%m%d}-{number + 1:06d}",
        mail_class=mail_class,
        mail_category=category,
        handling_class="registered" if chance.random() < 0.2 else None,
        nature=nature,
        origin_operator=f"{origin}A",
        destination_operator=f"{destination}A",
        posting_date=posted,
        transport_date=posted + timedelta(days=1),
        transport_mode=_TRANSPORT[category],
        gross_weight=gross,
        declared_value=declared,
        postage=money(Decimal(chance.randrange(350, 4200)) / 100, places()[origin].currency),
        insured_value=declared if mail_class == "EMS" and declared.amount > 0 else None,
        sender=sender,
        addressee=addressee,
        pieces=pieces,
        extra={"channel": chance.choice(("counter", "contract", "app"))},
    )
    match nature:
        case "sale":
            return _sold(posted_item, chance, reference=f"SO-{_tag(seed)}-{number + 1:06d}")
        case "returned-goods":
            back = s10("CR", chance.randrange(10**8), destination)
            return replace(posted_item, return_of=back, documents=(_invoice(chance, posted.year),))
        case _:
            return posted_item


_REMARKS = {"commercial-sample": "Sample, not for resale: ", "returned-goods": "Returned: "}


def _in_currency(seed: int | str, number: int, currency: str) -> tuple[ContentPiece, ...]:
    chance = Random(f"{seed}/second/{number}")  # noqa: S311 - made-up data, the same each time
    return merchandise(chance, currency=currency)


def _identifier(seed: int | str, number: int, mail_class: str, country: str) -> str:
    """Serial numbers run on as a post issues them; where they begin depends on the seed."""
    chance = Random(f"{seed}/serials")  # noqa: S311 - made-up data, the same each time
    service = chance.choice("ABDEFGHLMNX")
    begin = chance.randrange(10_000_000, 90_000_000)
    return s10(SERVICES[mail_class] + service, begin + number, country)


def _sender_country(chance: Random, nature: str, *, origin: str, destination: str) -> str:
    """The post's own country, or for half of the sales one whose sellers use that post."""
    if nature != "sale" or chance.random() < 0.5:
        return origin
    return chance.choice([code for code in places() if code not in (origin, destination)])


def _parties(
    chance: Random, nature: str, *, country: str, destination: str
) -> tuple[TradeParty, TradeParty]:
    private = nature == "gift" or (nature == "returned-goods" and chance.random() < 0.7)
    sender = person(country, chance) if private else firm(country, chance)
    named_as = destination
    if chance.random() < 0.25:  # people move, and keep their names in their own script
        named_as = chance.choice(list(places()))
    if nature in ("commercial-sample", "returned-goods"):
        return sender, firm(destination, chance)
    return sender, person(named_as, chance, living_in=destination)


def _gross(pieces: tuple[ContentPiece, ...], packing: Decimal) -> Decimal:
    return sum((piece.net_weight or Decimal(0) for piece in pieces), packing)


def _mail_class(chance: Random, gross: Decimal) -> str:
    if chance.random() < 0.1:
        return "EMS"
    return "letters" if gross <= _LETTER_KG and chance.random() < 0.6 else "parcels"


def _sold(item: ItemDeclaration, chance: Random, *, reference: str) -> ItemDeclaration:
    """With the order's reference, and a tax scheme and invoice for some."""
    item = replace(item, order_reference=reference)
    if chance.random() < 0.6:
        item = replace(item, tax_references=(TaxReference(scheme="IOSS", number=_ioss(chance)),))
    if chance.random() < 0.4:
        assert item.posting_date is not None
        invoice = _invoice(chance, item.posting_date.year)
        item = replace(item, invoice_number=invoice.number, documents=(invoice,))
    return item


def _invoice(chance: Random, year: int) -> Document:
    return Document(type="invoice", number=f"INV-{year}-{chance.randrange(10**6):06d}")


def _ioss(chance: Random) -> str:
    """Of the published form: IM, the member state of identification, seven digits by lot."""
    return f"IM{chance.choice(_IOSS_STATES)}{chance.randrange(10**7):07d}"


def _tag(seed: int | str) -> str:
    """Four letters that keep the references of one seed apart from those of another."""
    chance = Random(f"{seed}/tag")  # noqa: S311 - made-up data, the same each time
    return "".join(chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=4))
