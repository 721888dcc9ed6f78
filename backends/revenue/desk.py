"""The revenue desk: assesses each version of an item, order or declaration once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Annotated

import msgspec
from msgspec import Meta

from backends.revenue.calculation import Bill, calculate
from backends.revenue.consignment import Consignment, consignment_of
from backends.revenue.reading import read_tables
from backends.revenue.tariff import Tables
from backends.service.books import Books
from backends.service.configuration import ConfigurationError, Settings
from backends.service.desk import Desk, Disposition, Received, assessment_id
from translators.canonical import (
    GoodsDeclaration,
    ItemDeclaration,
    Order,
    RevenueAssessment,
)
from trust.mistakes import Mistake

NAME = "revenue"

_TABLES = """
CREATE TABLE IF NOT EXISTS revenue_assessed (
    message_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    regime TEXT NOT NULL,
    currency TEXT NOT NULL,
    total TEXT NOT NULL
) WITHOUT ROWID;
"""


class RevenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[revenue]``."""

    tables: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Table files (TOML), one for each jurisdiction; the first is for what names no destination."""


class RevenueDesk:
    """See :class:`backends.service.desk.Desk`."""

    name = NAME
    tables = _TABLES

    def __init__(self, jurisdictions: Sequence[Tables]) -> None:
        """At least one; no country in two of them."""
        self._jurisdictions = tuple(jurisdictions)

    def receive(self, books: Books, received: Received) -> Disposition:
        """Assess items, orders and declarations by the day of acceptance; record the rest."""
        # UCC 172(2) and the like: the day on which the declaration is accepted decides. In UTC.
        on = received.provenance.accepted_at.astimezone(UTC).date()
        consignment = consignment_of(received.message, on)
        if consignment is None:
            return Disposition.RECORDED
        tables = self._tables_for(consignment)
        bill = calculate(consignment, tables)
        identifier = assessment_id(NAME, received.message_id, 1)
        books.connection.execute(
            "INSERT INTO revenue_assessed VALUES (?, ?, ?, ?, ?)",
            (
                received.message_id,
                received.kind,
                bill.regime,
                bill.total.currency,
                str(bill.total.amount),
            ),
        )
        books.answer(
            _write(bill, consignment, received, tables, identifier, books),
            interchange_id=identifier,
            key=f"{received.provenance.party}/{received.kind}/{received.key}",
            regards=received.message_id,
        )
        return Disposition.APPLIED

    def work(self, books: Books) -> bool:
        """Nothing happens by itself."""
        return False

    def _tables_for(self, consignment: Consignment) -> Tables:
        for tables in self._jurisdictions:
            if consignment.destination in tables.countries:
                return tables
        return self._jurisdictions[0]


def _write(
    bill: Bill,
    consignment: Consignment,
    received: Received,
    tables: Tables,
    identifier: str,
    books: Books,
) -> RevenueAssessment:
    about = received.message
    mrn = about.mrn if isinstance(about, ItemDeclaration | GoodsDeclaration) else None
    return RevenueAssessment(
        assessed_at=books.now,
        total=bill.total,
        assessment_id=identifier,
        regards=received.message_id,
        item_id=about.item_id if isinstance(about, ItemDeclaration) else None,
        order_id=about.order_id if isinstance(about, Order) else None,
        lrn=about.lrn if isinstance(about, GoodsDeclaration) else None,
        mrn=mrn[:35] if mrn else None,
        version=1,
        jurisdiction=tables.jurisdiction,
        regime=bill.regime,
        table_version=tables.version,
        customs_value=bill.customs_value,
        dutiable=bill.dutiable,
        payable_by=bill.payable_by,
        collected=bill.collected,
        taxes=bill.taxes,
        tax_references=consignment.tax_references[:9],
        exchange_rates=bill.rates,
        reason="; ".join(bill.remarks)[:512] or None,
    )


def build(settings: Settings, own: RevenueSettings) -> Desk:
    """The desk of a configuration; raises ``ConfigurationError`` for tables that are wrong."""
    jurisdictions = [read_tables(settings.path(name)) for name in own.tables]
    owners: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for at, tables in enumerate(jurisdictions):
        for country in sorted(tables.countries):
            if country in owners:
                detail = f"{country} is in {owners[country]} already"
                mistakes.append(Mistake(f"revenue.tables[{at}]", detail))
            owners[country] = own.tables[at]
    if mistakes:
        raise ConfigurationError("configuration", mistakes)
    return RevenueDesk(jurisdictions)
