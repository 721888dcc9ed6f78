"""Rules that hold everywhere: identifiers and code lists of the trade's standards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from gateway.regimes.codes.lists import Codes, iso_countries, iso_currencies, packaged
from gateway.regimes.identifiers import customs, receptacles, s10, traders
from gateway.regimes.partial import partial
from gateway.regimes.steps import Check, Member, both
from gateway.regimes.walk import Table, Walk, Wrong
from translators.canonical import Message, kind_of
from translators.faults import Fault, Severity

_KNOWN = 4_096
"""Identifiers of sellers and of products that are kept in mind, of each kind: they come again."""


class Universal:
    """Identifiers, codes of ISO and the trade's own, and sums that can not be.

    ``countries`` are further codes to accept, for jurisdictions that ISO 3166 does not list.
    """

    def __init__(
        self, *, codes: Codes | None = None, countries: frozenset[str] = frozenset()
    ) -> None:
        codes = codes or Codes()
        table = _with_lists(msgspec.convert(packaged("checks"), Table), codes)
        lists = [
            (place, Member(entry.codes, f"list.{entry.name}"))
            for entry in codes.lists
            for place in entry.places
        ]
        self._walk = Walk(table, _checks(codes, countries), lists=lists)

    def check(self, message: Message) -> tuple[Fault, ...]:
        """Every fault of a message; never raises."""
        return self._check(kind_of(message), message)

    def check_draft(self, kind: str | None, draft: Any) -> tuple[Fault, ...]:
        """The same for what was understood of a message whose form is wrong (plain values)."""
        usable = partial(kind, draft)
        return () if usable is None or kind is None else self._check(kind, usable)

    def _check(self, kind: str, message: Any) -> tuple[Fault, ...]:
        faults = self._walk.faults(kind, message)
        rules = _RULES.get(kind)
        if rules is not None:
            faults.extend(rules(message))
        return tuple(faults)


def _checks(codes: Codes, countries: frozenset[str]) -> Mapping[str, Check]:
    known = (codes.countries or iso_countries()) | countries
    impc: Check = receptacles.impc_faults
    if codes.impc is not None:
        impc = both(impc, Member(codes.impc, "impc.unknown"))
    operator: Check = receptacles.operator_faults
    if codes.operators is not None:
        operator = both(operator, Member(codes.operators, "operator.unknown"))
    return {
        "country": Member(known, "country.unknown"),
        "currency": Member(codes.currencies or iso_currencies(), "currency.unknown"),
        "s10": s10.s10_faults,
        "s10-like": s10.s10_like_faults,
        "s9": receptacles.s9_faults,
        "impc": impc,
        "operator": operator,
        # Up to 20 µs each, and sellers send many items.
        "eori": _known(traders.eori_check(known, packaged("eori")["form"])),
        "vat": _known(traders.vat_faults),
        "ioss": _known(traders.ioss_faults),
        "vendor": _known(traders.vendor_faults),
        "lei": _known(traders.lei_faults),
        "abn": _known(traders.abn_faults),
        "gtin": _known(traders.gtin_faults),
        "mrn": customs.mrn_check(frozenset(packaged("mrn")["countries"])),
        "hs": _known(customs.hs_check(frozenset(packaged("hs-chapters")["chapters"]), codes.hs)),
    }


def _known(check: Check) -> Check:
    return lru_cache(maxsize=_KNOWN)(check)


def _with_lists(table: Table, codes: Codes) -> Table:
    """The table with what is said of codes that are not in the user's own lists."""
    said = {
        f"list.{entry.name}": Wrong(f"not in the list {entry.name}", Severity.WARNING)
        for entry in codes.lists
    }
    return msgspec.structs.replace(table, fault={**table.fault, **said})


def _item(item: Any) -> Iterator[Fault]:
    weight: Decimal | None = item.gross_weight
    if weight is not None and weight <= 0:
        yield Fault(code="weight.not-positive", path="/gross_weight", detail="must be above zero")
    for index, piece in enumerate(item.pieces):
        amount = None if piece.amount is None else piece.amount.amount
        if amount is not None and amount < 0:
            yield Fault(
                code="amount.negative",
                path=f"/pieces/{index}/amount/amount",
                detail="a value is not below zero",
            )
    yield from _numbers("pieces", item.pieces)


def _order(order: Any) -> Iterator[Fault]:
    if any(parcel.lines for parcel in order.parcels):
        yield from _named_lines(order)
    yield from _numbers("lines", order.lines)


def _named_lines(order: Any) -> Iterator[Fault]:
    numbers = {line.number for line in order.lines}
    for index, parcel in enumerate(order.parcels):
        for place, number in enumerate(parcel.lines):
            if number not in numbers:
                yield Fault(
                    code="reference.unknown",
                    path=f"/parcels/{index}/lines/{place}",
                    detail="the order has no line of this number",
                )


def _declaration(declaration: Any) -> Iterator[Fault]:
    yield from _numbers("items", declaration.items)


def _numbers(name: str, entries: Sequence[Any]) -> Iterator[Fault]:
    if len(entries) < 2:
        return
    seen: set[int] = set()
    for index, entry in enumerate(entries):
        if entry.number is None:
            continue
        if entry.number in seen:
            yield Fault(
                code="number.repeated",
                path=f"/{name}/{index}/number",
                detail="another line of this message has the same number",
            )
        seen.add(entry.number)


_RULES = {"ItemDeclaration": _item, "Order": _order, "GoodsDeclaration": _declaration}
