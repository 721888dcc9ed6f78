"""The revenue desk: one assessment for each version."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.revenue.desk import RevenueDesk, RevenueSettings, build
from backends.revenue.figures import count
from backends.revenue.reading import read_tables
from backends.service.configuration import (
    ConfigurationError,
    GatewaySettings,
    LimitSettings,
    ServiceSettings,
    Settings,
)
from tests.backends.workbench import Workbench
from tests.samples import ITEM, ORDER, item
from translators.canonical import Despatch

TABLES = Path(__file__).parent / "tables"


@pytest.fixture
def bench() -> Workbench:
    return Workbench(RevenueDesk([read_tables(TABLES / f"{n}.toml") for n in ("xa", "jp")]))


def test_an_item_is_assessed_under_the_tables_of_its_destination(bench: Workbench) -> None:
    bench.deliver(item(destination_country="JP", pieces=ITEM.pieces), "m-1")
    bench.deliver(item(destination_country="XA"), "m-2", version=2)
    japan, here = bench.answers()
    assert (japan.jurisdiction, japan.table_version) == ("JP", "test-jp")
    assert (here.jurisdiction, here.regime) == ("XA", "low-value")
    assert (here.regards, here.item_id, here.version) == ("m-2", ITEM.item_id, 1)
    assert here.assessment_id == "revenue.m-2.1"


def test_an_order_is_named_by_its_id(bench: Workbench) -> None:
    bench.deliver(ORDER, "o-1", party="platform")
    (answer,) = bench.answers()
    assert (answer.order_id, answer.item_id) == (ORDER.order_id, None)


def test_a_repeat_is_not_assessed_again(bench: Workbench) -> None:
    for _ in range(3):
        bench.deliver(ITEM, "m-1")
    assert len(bench.answers()) == 1


def test_the_day_of_acceptance_decides(bench: Workbench) -> None:
    def assessed(message_id: str, at: datetime) -> Any:
        message = item(destination_country="XA", item_id=message_id)
        bench.deliver(message, message_id, at=at)
        return bench.answers()[0]

    before = assessed("m-1", datetime(2028, 2, 28, 23, 59, tzinfo=UTC))
    after = assessed("m-2", datetime(2028, 2, 29, 0, 0, tzinfo=UTC))
    rates = [[line.rate for line in a.taxes if line.type == "VAT"] for a in (before, after)]
    assert rates == [[20], [21]]


def test_what_cannot_be_assessed_says_so(bench: Workbench) -> None:
    piece = ITEM.pieces[0]
    bench.deliver(item(destination_country="XA", pieces=(_without_value(piece),)), "m-1")
    (answer,) = bench.answers()
    assert (answer.regime, answer.dutiable, answer.taxes) == ("not-assessed", None, ())
    assert answer.reason == "line 1 has no value, and neither has the whole"


def _without_value(piece: Any) -> Any:
    return msgspec.structs.replace(piece, amount=None)


def test_kinds_that_revenue_has_no_use_for_are_recorded(bench: Workbench) -> None:
    despatch = Despatch(despatch_id="D1", origin_office="FRCDGA", destination_office="LULUXA")
    bench.deliver(despatch, "d-1")
    assert bench.disposition("d-1") == "recorded"


def test_figures_count_regimes(bench: Workbench) -> None:
    bench.deliver(item(destination_country="XA"), "m-1")
    bench.deliver(item(destination_country="US", item_id="B"), "m-2")
    figures = count(bench.connection)
    assert figures == {"assessed": 2, "regime_low-value": 1, "regime_other-destination": 1}


def test_two_tables_for_one_country_are_a_mistake() -> None:
    settings = Settings(
        folder=TABLES,
        service=ServiceSettings(
            party="p", ledger="l", registry="r", certificate="c", key="k", signing_key="s"
        ),
        gateway=GatewaySettings(party="g", address="a:1"),
        limits=LimitSettings(),
    )
    with pytest.raises(ConfigurationError, match=r"revenue.tables\[1\]: XA"):
        build(settings, RevenueSettings(tables=("xa.toml", "xa.toml")))
