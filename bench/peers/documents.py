"""The document that every program is given: the item of `bench.itmatt`, made valid and numbered."""

from __future__ import annotations

from functools import cache

import msgspec

from bench.itmatt import items
from tests.samples import s10
from translators.canonical import Address, Interchange, ItemDeclaration, TaxReference, TradeParty
from translators.layout import packaged
from translators.translator import encode

FORMAT = "upu.itmatt.1"
_ITEM, _REFERENCE = "ITEM-ID-HERE", "REFERENCE-HERE"


def document(number: int) -> bytes:
    """A document of one item, about 1.6 KB, with identifiers of this number below 100,000,000."""
    head, between, tail = _pieces()
    return b"".join((head, f"C{number}".encode(), between, s10(number).encode(), tail))


@cache
def _pieces() -> tuple[bytes, bytes, bytes]:
    """What stands around the reference of a document and the identifier of its item."""
    made = items(1)
    (item,) = made.messages
    assert isinstance(item, ItemDeclaration)
    addressee = TradeParty(
        name=item.addressee.name,
        address=Address(
            lines=("1 Example Road",), city="Luxembourg", postcode="1234", country="LU"
        ),
        telephone=item.addressee.telephone,
        email=item.addressee.email,
        references=item.addressee.references,
    )
    valid = msgspec.structs.replace(
        item,
        item_id=_ITEM,
        addressee=addressee,
        tax_references=(TaxReference(scheme="IOSS", number="IM2760000000"),),
    )
    header = msgspec.structs.replace(made.header, recipient="LUA", control_reference=_REFERENCE)
    content = encode(packaged(FORMAT), Interchange(header=header, messages=(valid,)))
    head, _, rest = content.partition(_REFERENCE.encode())
    between, _, tail = rest.partition(_ITEM.encode())
    return head, between, tail
