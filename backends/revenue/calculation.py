"""The calculation: what is due on a consignment, line by line, under tables in force. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from backends.revenue.consignment import Consignment, Line
from backends.revenue.money import EXACT, ZERO, per_cent
from backends.revenue.regime import Choice, choose_regime
from backends.revenue.tariff import Period, Tables
from backends.revenue.valuation import Changer, UnassessableError, Values, value_lines
from translators.canonical import ExchangeRate, Money, TaxLine

DUTY = "duty"
VAT = "VAT"
FEE = "handling-fee"
COLLECTED = "collected-at-sale"
NOT_ASSESSED = "not-assessed"
"""The regime that says that an officer has to assess."""

MAX_LINES = 900
"""Tax lines of one assessment; more are added up by type, rate and relief."""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What is due. ``total`` is the sum of the lines' amounts."""

    regime: str
    total: Money
    taxes: tuple[TaxLine, ...] = ()
    customs_value: Money | None = None
    dutiable: bool | None = None
    payable_by: str | None = None
    collected: Money | None = None
    rates: tuple[ExchangeRate, ...] = ()
    remarks: tuple[str, ...] = ()


def calculate(consignment: Consignment, tables: Tables) -> Bill:
    """The bill of a consignment. Total: what cannot be assessed is a bill that says so."""
    changer = Changer(tables, consignment)
    period = tables.period(consignment.on)
    if consignment.withdrawn:
        return _nothing("withdrawn", tables)
    if consignment.export or not _is_destined(consignment, tables):
        ours = consignment.export or consignment.origin in tables.countries
        return _nothing("export" if ours else "other-destination", tables)
    if period is None:
        return _unassessed(f"no table is in force on {consignment.on}", tables)
    if consignment.nature == "documents":
        return _relieved("documents", tables)
    if not consignment.lines:
        return _unassessed("no goods are declared", tables)
    try:
        values = value_lines(consignment, tables, changer)
        choice = choose_regime(
            consignment,
            period,
            lambda currency: changer.abroad(values.intrinsic, currency or tables.currency),
        )
        taken = _taken(consignment, choice, changer, tables)
    except UnassessableError as error:
        return _unassessed(str(error), tables)
    return _bill(consignment, tables, period, choice, values, taken, changer)


def _is_destined(consignment: Consignment, tables: Tables) -> bool:
    return consignment.destination is None or consignment.destination in tables.countries


def _bill(
    consignment: Consignment,
    tables: Tables,
    period: Period,
    choice: Choice,
    values: Values,
    taken: Decimal | None,
    changer: Changer,
) -> Bill:
    remarks = [*choice.remarks]
    customs = [
        EXACT.add(goods, freight) if period.valuation == "cif" else goods
        for goods, freight in zip(values.goods, values.freight, strict=True)
    ]
    if choice.duty_relief is not None and choice.vat_relief == choice.duty_relief:
        taxes = _relief_lines(choice.duty_relief, sum(customs, ZERO), tables)
    else:
        duties, amounts = _duties(consignment, tables, period, choice, customs, remarks)
        bases = [
            sum((value, freight, duty), ZERO)
            for value, freight, duty in zip(values.goods, values.freight, amounts, strict=True)
        ]
        taxes = [*duties, *_vats(consignment, tables, period, choice, bases)]
    due = sum((line.amount.amount for line in taxes), ZERO)
    payer = _payer(consignment, period, choice)
    if due > 0 and period.handling_fee > 0 and payer == "addressee" and not consignment.is_order:
        taxes.append(_line(FEE, tables.round(period.handling_fee), tables, text="handling fee"))
    if taken is not None and choice.scheme is not None and due > 0:
        taxes.append(
            _line(COLLECTED, -min(taken, due), tables, text="taken by the platform at the sale")
        )
    if taken is not None:
        remarks += _compared(taken, due, choice, tables)
    total = sum((line.amount.amount for line in taxes), ZERO)
    return Bill(
        regime=choice.code,
        total=_money(total, tables),
        taxes=_bounded(taxes, tables),
        customs_value=_money(sum(customs, ZERO), tables),
        dutiable=due > 0,
        payable_by=payer if total > 0 or choice.scheme else None,
        collected=None if taken is None else _money(taken, tables),
        rates=changer.rates(),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _duties(
    consignment: Consignment,
    tables: Tables,
    period: Period,
    choice: Choice,
    customs: list[Decimal],
    remarks: list[str],
) -> tuple[list[TaxLine], list[Decimal]]:
    """Duty lines, and the duty of each line of the consignment, on which VAT is due too."""
    if choice.duty_relief is not None:
        whole = sum(customs, ZERO)
        return [_line(DUTY, ZERO, tables, basis=whole, relief=choice.duty_relief)], [ZERO] * len(
            customs
        )
    if choice.flat is not None:
        return _flat_duties(consignment, tables, choice.flat)
    taxes: list[TaxLine] = []
    for line, value in zip(consignment.lines, customs, strict=True):
        found = tables.duty(line.hs, line.origin, consignment.on) if line.hs else None
        rate = found.rate if found else period.fallback_duty
        if found is None:
            lack = f"HS {line.hs} is not in the table" if line.hs else "it has no HS code"
            remarks.append(f"line {line.number}: {lack}, the rate for other goods was used")
        amount = tables.round(per_cent(value, rate))
        taxes.append(_line(DUTY, amount, tables, basis=value, rate=rate, of=line))
    return taxes, [line.amount.amount for line in taxes]


def _flat_duties(
    consignment: Consignment, tables: Tables, flat: Decimal
) -> tuple[list[TaxLine], list[Decimal]]:
    """One flat amount for each tariff heading (six digits); goods without one count apart."""
    taxes: list[TaxLine] = []
    amounts: list[Decimal] = []
    seen: set[str] = set()
    for line in consignment.lines:
        heading = line.hs[:6] if line.hs else f"line {line.number}"
        if heading in seen:
            amounts.append(ZERO)
            continue
        seen.add(heading)
        amounts.append(tables.round(flat))
        text = "flat duty per tariff heading"
        taxes.append(_line(DUTY, tables.round(flat), tables, of=line, text=text))
    return taxes, amounts


def _vats(
    consignment: Consignment,
    tables: Tables,
    period: Period,
    choice: Choice,
    bases: list[Decimal],
) -> Iterator[TaxLine]:
    for line, basis in zip(consignment.lines, bases, strict=True):
        found = tables.vat(line.hs, consignment.on) if line.hs else None
        rate = found.rate if found else period.standard_vat
        amount = tables.round(per_cent(basis, rate)) if choice.vat_relief is None else ZERO
        yield _line(VAT, amount, tables, basis=basis, rate=rate, of=line, relief=choice.vat_relief)


def _taken(
    consignment: Consignment, choice: Choice, changer: Changer, tables: Tables
) -> Decimal | None:
    if not consignment.is_order:
        return None
    if consignment.collected is None:
        return ZERO if choice.scheme is not None else None
    return tables.round(changer.home(consignment.collected))


def _compared(taken: Decimal, due: Decimal, choice: Choice, tables: Tables) -> Iterator[str]:
    """What was taken at the sale against what was due there."""
    if choice.scheme is None:
        if taken > 0:
            yield "tax was taken at the sale without a scheme that holds here"
    elif taken > due:
        yield f"{taken - due} {tables.currency} more than due was taken at the sale"
    elif taken < due:
        yield f"{due - taken} {tables.currency} less than due was taken at the sale"


def _payer(consignment: Consignment, period: Period, choice: Choice) -> str:
    if not consignment.payment_methods.isdisjoint(period.account_methods):
        return "account"
    return "platform" if choice.scheme is not None else "addressee"


def _line(
    type_: str,
    amount: Decimal,
    tables: Tables,
    *,
    basis: Decimal | None = None,
    rate: Decimal | None = None,
    of: Line | None = None,
    relief: str | None = None,
    text: str | None = None,
) -> TaxLine:
    return TaxLine(
        type=type_,
        amount=_money(amount, tables),
        rate=rate,
        basis=None if basis is None else _money(basis, tables),
        description=text,
        hs=of.hs if of else None,
        piece=of.number if of else None,
        relief=relief,
    )


def _relief_lines(relief: str, basis: Decimal | None, tables: Tables) -> list[TaxLine]:
    return [_line(type_, ZERO, tables, basis=basis, relief=relief) for type_ in (DUTY, VAT)]


def _money(amount: Decimal, tables: Tables) -> Money:
    """An amount with the places of its unit and without an exponent."""
    return Money(amount=amount.quantize(tables.unit, context=EXACT), currency=tables.currency)


def _nothing(regime: str, tables: Tables) -> Bill:
    return Bill(regime=regime, total=_money(ZERO, tables), dutiable=False)


def _relieved(relief: str, tables: Tables) -> Bill:
    return Bill(
        regime=relief,
        total=_money(ZERO, tables),
        taxes=tuple(_relief_lines(relief, None, tables)),
        dutiable=False,
    )


def _unassessed(reason: str, tables: Tables) -> Bill:
    return Bill(regime=NOT_ASSESSED, total=_money(ZERO, tables), remarks=(reason,))


def _bounded(taxes: Iterable[TaxLine], tables: Tables) -> tuple[TaxLine, ...]:
    """The lines, or, when they are too many, their sums by type, rate and relief."""
    lines = tuple(taxes)
    if len(lines) <= MAX_LINES:
        return lines
    groups: dict[tuple[str, Decimal | None, str | None], list[TaxLine]] = {}
    for line in lines:
        groups.setdefault((line.type, line.rate, line.relief), []).append(line)
    return tuple(
        _line(
            type_,
            sum((line.amount.amount for line in group), ZERO),
            tables,
            basis=sum((line.basis.amount for line in group if line.basis), ZERO) or None,
            rate=rate,
            relief=relief,
            text=f"sum of {len(group)} lines, each rounded",
        )
        for (type_, rate, relief), group in groups.items()
    )
