"""Rules that take a short way say what their plain form says."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.regimes import DataQuality, QualitySettings
from gateway.regimes.quality import vocabulary
from gateway.regimes.quality.addresses import PLACEHOLDER, Addresses, Finding
from gateway.regimes.quality.text import plain, whole
from tests import samples
from tests.strategies import texts, tried
from translators.canonical import Money, Order, OrderLine

QUALITY = DataQuality()
ADDED = ("7up", "Ñandú-Stadt")
ADDRESSES = Addresses(QualitySettings(placeholders=ADDED), vocabulary.placeholders())
WITHOUT_NUMBERS = Addresses(QualitySettings(), vocabulary.placeholders())
PLACEHOLDERS = vocabulary.placeholders().texts

money = st.builds(
    Money,
    amount=st.sampled_from(("0", "1", "2.50", "100", "0.01", "9.99")).map(Decimal),
    currency=st.sampled_from(("EUR",) * 9 + ("USD",)),
)
maybe = st.none() | money
lines = st.builds(
    OrderLine,
    number=st.just(1),
    description=st.just("cotton socks"),
    hs=st.just("611595"),
    quantity=st.integers(1, 4),
    unit_price=money,
    discount=maybe,
    tax_collected=maybe,
)


@given(
    each=st.lists(lines, min_size=1, max_size=3),
    discount=maybe,
    freight=maybe,
    insurance=maybe,
    tax=maybe,
    off=st.sampled_from(("0", "0.01", "0.02", "0.03", "0.04", "1", "2.50", "5", "-2.50")),
)
@tried(300)
def test_a_total_is_compared_with_every_way_of_counting(
    each: list[OrderLine],
    discount: Money | None,
    freight: Money | None,
    insurance: Money | None,
    tax: Money | None,
    off: str,
) -> None:
    goods = sum((line.unit_price.amount * line.quantity for line in each), Decimal(0))
    order = replace(
        samples.ORDER,
        lines=tuple(each),
        discount=discount,
        freight=freight,
        insurance=insurance,
        tax_collected=tax,
        total=Money(amount=goods + Decimal(off), currency="EUR"),
    )
    found = any(fault.code == "quality.value-sum" for fault in QUALITY.check(order))

    assert _differs(order) == found


def _differs(order: Order) -> bool:
    """The rule in one piece: carriage and tax are in the total or not."""
    assert order.total is not None
    per_line = [(line.unit_price, line.discount, line.tax_collected) for line in order.lines]
    whole_order = (order.discount, order.freight, order.insurance, order.tax_collected)
    used = [one for some in (*per_line, whole_order) for one in some if one is not None]
    if any(one.currency != order.total.currency for one in used):
        return False
    goods = sum((line.unit_price.amount * line.quantity for line in order.lines), Decimal(0))
    goods -= sum((_of(line.discount) for line in order.lines), _of(order.discount))
    taxes = (
        Decimal(0),
        _of(order.tax_collected),
        sum((_of(line.tax_collected) for line in order.lines), Decimal(0)),
    )
    carriages = (Decimal(0), _of(order.freight), _of(order.freight) + _of(order.insurance))
    allowed = max(order.total.amount * Decimal("0.01"), Decimal("0.01") * len(order.lines))
    return all(
        abs(order.total.amount - (goods + tax + carriage)) > allowed
        for tax, carriage in product(taxes, carriages)
    )


def _of(some: Money | None) -> Decimal:
    return Decimal(0) if some is None else some.amount


near = st.sampled_from((*PLACEHOLDERS, *ADDED)).flatmap(
    lambda text: st.sampled_from(
        (text, text.upper(), text.title(), f"{text}.", f"- {text} -", f"2 {text}", f"{text} 2")
    )
)
numbers = st.sampled_from(("1", "11", "111", "2 rue", "7UP", "7", "22 rue du Moulin", "7-up", "⑴"))
repeated = st.sampled_from("aX-_.é無٣").map(lambda character: character * 3)
mixed = st.sampled_from(("xXx", "Éée", "XÝ", "Nöne", "N-one", "المجهول", "ـtest"))


@given(text=texts(maximum=30) | near | numbers | repeated | mixed)
@tried(600)
def test_a_text_fills_a_field_when_all_of_it_is_a_placeholder(text: str) -> None:
    for addresses, added in ((ADDRESSES, ADDED), (WITHOUT_NUMBERS, ())):
        assert _fills(text, added) == _found(addresses, text)


def _found(addresses: Addresses, text: str) -> bool:
    found: list[Finding] = []
    party = dict.fromkeys(("name", "first_name", "last_name", "address"), None)
    addresses.placeholders(SimpleNamespace(**party, organisation=text), "/seller", found)
    assert found in ([], [(PLACEHOLDER, "/seller/organisation")])
    return bool(found)


def _fills(text: str, added: tuple[str, ...]) -> bool:
    """The rule without looking at how a text begins."""
    bare = whole(text)
    known = {whole(plain(one)) for one in (*PLACEHOLDERS, *added)}
    repeated = len(bare) >= 3 and not bare[0].isdigit() and len(set(bare)) == 1
    return not bare or bare in known or repeated


@given(description=texts(maximum=30), hs=st.sampled_from((None, "611595", "040900", "01")))
@tried(100)
def test_a_description_is_judged_alike_whenever_it_comes(description: str, hs: Any) -> None:
    first = _codes(DataQuality(), description, hs)

    assert first == _codes(QUALITY, description, hs) == _codes(QUALITY, description, hs)


def _codes(quality: DataQuality, description: str, hs: str | None) -> list[str]:
    line = replace(samples.ORDER.lines[0], description=description, hs=hs)
    return [fault.code for fault in quality.check(replace(samples.ORDER, lines=(line,)))]


def test_settings_of_its_own_do_not_meet_what_another_judged() -> None:
    piece = replace(samples.ITEM.pieces[0], description="cotton socks, knitted")
    item = samples.item(pieces=(piece,))
    strict = DataQuality(QualitySettings(vague=("cotton socks, knitted",)))

    assert QUALITY.check(item) == ()
    assert ["quality.description-vague"] == [fault.code for fault in strict.check(item)]
