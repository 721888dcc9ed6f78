"""Which regime a consignment falls under: an ordered list of questions, the first yes decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from backends.revenue.consignment import Consignment
from backends.revenue.tariff import Period, Scheme


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A regime and what it does. ``None`` for a relief: it is due; ``flat``: per heading."""

    code: str
    duty_relief: str | None = None
    vat_relief: str | None = None
    flat: Decimal | None = None
    scheme: Scheme | None = None
    remarks: tuple[str, ...] = ()


InCurrency = Callable[[str], Decimal]
"""The intrinsic value in a currency."""


def choose_regime(consignment: Consignment, period: Period, intrinsic: InCurrency) -> Choice:
    """The regime of a consignment with values; thresholds look at the intrinsic value alone.

    A relief that was asked for and not given is a remark, so that the declarant can see why.
    """
    remarks: list[str] = []
    for ask in (_returned, _gift, _prepaid, _de_minimis, _low_value):
        for found in ask(consignment, period, intrinsic):
            if isinstance(found, Choice):
                return msgspec.structs.replace(found, remarks=tuple(remarks))
            remarks.append(found)
    return Choice(code="standard", remarks=tuple(remarks))


def _returned(
    consignment: Consignment, period: Period, _intrinsic: InCurrency
) -> Iterator[Choice | str]:
    if consignment.nature != "returned-goods" or not period.returned_goods:
        return
    if consignment.return_of:
        relief = "returned-goods"
        yield Choice(code=relief, duty_relief=relief, vat_relief=relief)
    else:
        yield "no relief for returned goods: it is not said what is returned"


def _gift(
    consignment: Consignment, period: Period, intrinsic: InCurrency
) -> Iterator[Choice | str]:
    if consignment.nature != "gift" or period.gift_free_up_to is None:
        return
    if not consignment.private:
        yield "no relief for a gift: it is not from one private person to another"
    elif intrinsic("") > period.gift_free_up_to:
        yield f"no relief for a gift: worth more than {period.gift_free_up_to}"
    else:
        yield Choice(code="gift", duty_relief="gift", vat_relief="gift")


def _prepaid(
    consignment: Consignment, period: Period, intrinsic: InCurrency
) -> Iterator[Choice | str]:
    if consignment.nature not in ("sale", "other"):
        return
    named = {reference.scheme for reference in consignment.tax_references}
    for scheme in period.schemes:
        if named.isdisjoint(scheme.names):
            continue
        if intrinsic(scheme.currency) > scheme.limit:
            yield f"{scheme.names[0]} ends at {scheme.limit} {scheme.currency}"
            continue
        free = _within(intrinsic(""), period.duty_free_up_to)
        yield Choice(
            code=scheme.names[0].lower(),
            duty_relief="de-minimis" if free and period.flat_duty is None else None,
            vat_relief=None if consignment.is_order else scheme.relief,
            flat=period.flat_duty if free else None,
            scheme=scheme,
        )


def _de_minimis(
    _consignment: Consignment, period: Period, intrinsic: InCurrency
) -> Iterator[Choice | str]:
    if _within(intrinsic(""), period.vat_free_up_to):
        yield Choice(code="de-minimis", duty_relief="de-minimis", vat_relief="de-minimis")


def _low_value(
    _consignment: Consignment, period: Period, intrinsic: InCurrency
) -> Iterator[Choice | str]:
    if _within(intrinsic(""), period.duty_free_up_to):
        yield Choice(
            code="low-value",
            duty_relief="de-minimis" if period.flat_duty is None else None,
            flat=period.flat_duty,
        )


def _within(value: Decimal, limit: Decimal | None) -> bool:
    """A value that equals the limit is within it."""
    return limit is not None and value <= limit
