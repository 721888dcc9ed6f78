"""Items that are wrong on purpose, as they would stand in a post's document.

A document is written as it should be, then single items are spoiled in their written form, each
in another way. What must be found there is known beforehand, and so is the repaired form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

import msgspec
from lxml import etree

from gateway.demo.generator.documents import write
from gateway.demo.generator.s10 import broken_s10
from translators.canonical import Header, ItemDeclaration
from translators.xml import Node, parse

FORMAT: Final = "upu.itmatt.1"
_NAMESPACE: Final = f"{{urn:luxor:layout:{FORMAT}}}"
_LONGEST_DESCRIPTION: Final = 512


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """One spoiled item: where it stands (from 1), what it was called and what it is called now.

    ``faults`` are the pairs of code and canonical path that a reader must find, and no others.
    """

    ordinal: int
    item_id: str
    written_id: str
    way: str
    faults: tuple[tuple[str, str], ...]


class Spoiled(msgspec.Struct, frozen=True, kw_only=True):
    """A document with spoiled items, what is wrong with them, and how they should have been."""

    content: bytes
    defects: tuple[Defect, ...]
    repaired: tuple[ItemDeclaration, ...]


def _check_digit(item: Node) -> None:
    _at(item, "item-id").text = broken_s10(_text(item, "item-id"))


def _country(item: Node) -> None:
    _at(item, "addressee/country").text = "ZZ"  # ISO 3166-1: for users' own purposes, no country


def _description(item: Node) -> None:
    text = _text(item, "content-piece/description")
    _at(item, "content-piece/description").text = f"{text}; " * (
        _LONGEST_DESCRIPTION // len(text) + 1
    )


def _missing(item: Node) -> None:
    item.remove(_at(item, "mail-class"))


def _decimal(item: Node) -> None:
    _at(item, "gross-weight").text = "1,250"


def _form(item: Node) -> None:
    sender = _at(item, "sender")
    sender.remove(_at(sender, "city"))
    _at(item, "posting-date").text = "31.11.2026"


def _money(item: Node) -> None:
    amount = _at(item, "content-piece/amount")
    amount.text = "-1.00"
    amount.set("currency", "ZZZ")


WAYS: Final[Mapping[str, tuple[Callable[[Node], None], tuple[tuple[str, str], ...]]]] = (
    MappingProxyType(
        {
            "check digit of the S10": (_check_digit, (("s10.check-digit", "/item_id"),)),
            "unknown country": (
                _country,
                (("country.unknown", "/addressee/address/country"),),
            ),
            "description too long": (
                _description,
                (("value.too-long", "/pieces/0/description"),),
            ),
            "mail class missing": (_missing, (("element.missing", "/mail_class"),)),
            "decimal comma": (_decimal, (("decimal.invalid", "/gross_weight"),)),
            "city missing and date malformed": (
                _form,
                (("element.missing", "/sender/address/city"), ("date.invalid", "/posting_date")),
            ),
            "negative amount in an unknown currency": (
                _money,
                (
                    ("amount.negative", "/pieces/0/amount/amount"),
                    ("currency.unknown", "/pieces/0/amount/currency"),
                ),
            ),
        }
    )
)
"""Each way to spoil an item, with the faults that it makes."""


def spoil(
    items: Sequence[ItemDeclaration],
    *,
    head: Header,
    seed: int | str,
    avoid: Collection[str] = (),
) -> Spoiled:
    """The items as an ITMATT document in which one item is spoiled in each way.

    The items named in ``avoid`` stay good. Raises ``ValueError`` when there are too few others.
    """
    document = parse(b"".join(write(FORMAT, head, items)))
    etree.indent(document)  # so that faults have lines of their own
    elements = document.findall(f"{_NAMESPACE}item")
    free = [index for index, item in enumerate(items) if item.item_id not in avoid]
    if len(free) < len(WAYS):
        raise ValueError(f"{len(WAYS)} items are needed, {len(free)} may be spoiled")
    chance = Random(f"{seed}/spoil")  # noqa: S311 - made-up data, the same each time
    chosen = chance.sample(free, k=len(WAYS))
    defects = []
    for index, (way, (spoiler, faults)) in sorted(zip(chosen, WAYS.items(), strict=True)):
        spoiler(elements[index])
        defects.append(
            Defect(
                ordinal=index + 1,
                item_id=items[index].item_id,
                written_id=_text(elements[index], "item-id"),
                way=way,
                faults=faults,
            )
        )
    return Spoiled(
        content=etree.tostring(document, encoding="utf-8", xml_declaration=True),
        defects=tuple(defects),
        repaired=tuple(items[defect.ordinal - 1] for defect in defects),
    )


def _at(element: Node, path: str) -> Node:
    """The first element at a path; raises ``KeyError`` when the document has none."""
    found = element.find("/".join(f"{_NAMESPACE}{step}" for step in path.split("/")))
    if found is None:
        raise KeyError(path)
    return found


def _text(element: Node, path: str) -> str:
    return _at(element, path).text or ""
