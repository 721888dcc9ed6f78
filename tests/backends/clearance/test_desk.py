"""The clearance desk: one response for each state, in whatever order things arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.clearance.desk import (
    ClearanceDesk,
    ClearanceSettings,
    OfficeSettings,
    read_wording,
)
from backends.clearance.figures import count
from backends.service.configuration import ConfigurationError
from tests.backends.workbench import Workbench
from tests.samples import ITEM, NOW, item
from translators.canonical import (
    CustomsResponse,
    GoodsDeclaration,
    GoodsItem,
    InspectionResult,
    Money,
    Order,
    RevenueAssessment,
    RiskAssessment,
    TaxLine,
)

SETTINGS = ClearanceSettings(
    office=OfficeSettings(code="XA001", name="Parcel office", country="XA"),
    risk=("customs-risk",),
    revenue="customs-revenue",
    inspectors=("customs-inspection",),
    agencies=("agency-health",),
    wait_seconds=60,
)
WORDING = read_wording(None)


@pytest.fixture
def bench() -> Workbench:
    return Workbench(ClearanceDesk(SETTINGS, WORDING))


def money(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


class Scene:
    """What happens around one item, each message under its own id."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._count = 0

    def _id(self) -> str:
        self._count += 1
        return f"x-{self._count}"

    def item(self, message_id: str = "m-1", *, version: int = 1, **changes: Any) -> None:
        self.bench.deliver(item(**changes), message_id, version=version)

    def risk(self, outcome: str, regards: str = "m-1", **changes: Any) -> None:
        party = changes.pop("party", "customs-risk")
        message = RiskAssessment(
            outcome=outcome, assessed_at=self.bench.now, regards=regards, **changes
        )
        self.bench.deliver(message, self._id(), version=None, party=party)

    def revenue(self, total: str, regards: str = "m-1", **changes: Any) -> None:
        changes.setdefault("payable_by", "addressee")
        taxes = (TaxLine(type="VAT", amount=money(total)),)
        message = RevenueAssessment(
            assessed_at=self.bench.now,
            total=money(total),
            regards=regards,
            taxes=taxes,
            dutiable=Decimal(total) > 0,
            **changes,
        )
        self.bench.deliver(message, self._id(), version=None, party="customs-revenue")

    def inspection(self, outcome: str, **changes: Any) -> None:
        changes.setdefault("item_id", ITEM.item_id)
        party = changes.pop("party", "customs-inspection")
        message = InspectionResult(outcome=outcome, inspected_at=self.bench.now, **changes)
        self.bench.deliver(message, self._id(), version=None, party=party)

    def agency(self, decision: str, regards: str | None = "m-1", **changes: Any) -> None:
        party = changes.pop("party", "agency-health")
        message = CustomsResponse(
            decision=decision, decided_at=self.bench.now, regards=regards, **changes
        )
        self.bench.deliver(message, self._id(), version=None, party=party)

    def later(self, seconds: float) -> None:
        self.bench.now += timedelta(seconds=seconds)
        self.bench.work()

    def decisions(self) -> list[str]:
        return [answer.decision for answer in self.bench.answers()]


@pytest.fixture
def scene(bench: Workbench) -> Scene:
    return Scene(bench)


def test_a_clear_item_with_nothing_due_is_released_once(scene: Scene) -> None:
    scene.item()
    scene.risk("clear")
    assert scene.decisions() == []
    scene.revenue("0")
    (answer,) = scene.bench.answers()
    assert (answer.decision, answer.regards, answer.item_id) == ("released", "m-1", ITEM.item_id)
    assert (answer.version, answer.function, answer.office.code) == (1, "original", "XA001")
    assert answer.decision_reason == "The item is released."


@pytest.mark.parametrize("order", list(permutations(("item", "risk", "revenue"))))
def test_whatever_the_order_there_is_one_response(bench: Workbench, order: tuple[str, ...]) -> None:
    scene = Scene(bench)
    steps: dict[str, Callable[[], None]] = {
        "item": scene.item,
        "risk": lambda: scene.risk("clear"),
        "revenue": lambda: scene.revenue("12.30"),
    }
    for name in order:
        steps[name]()
    (answer,) = bench.answers()
    assert (answer.decision, answer.total_fee) == ("released-on-payment", money("12.30"))
    assert answer.taxes == (TaxLine(type="VAT", amount=money("12.30")),)
    assert answer.dutiable is True


@pytest.mark.parametrize("payer", ["platform", "account", "sender"])
def test_what_others_pay_does_not_hold_up_the_release(scene: Scene, payer: str) -> None:
    scene.item()
    scene.risk("clear")
    scene.revenue("7", payable_by=payer)
    assert scene.decisions() == ["released"]


def test_a_held_item_is_told_at_once_and_once(scene: Scene) -> None:
    scene.item()
    scene.risk("hold", reason="rule ipr-replica")
    scene.revenue("5")
    scene.later(600)
    (answer,) = scene.bench.answers()
    assert (answer.decision, answer.taxes, answer.total_fee) == ("held", (), None)
    assert "ipr" not in msgspec.json.encode(answer).decode()


def test_something_missing_is_pending_once_and_completed_later(scene: Scene) -> None:
    scene.item()
    scene.later(59)
    assert scene.decisions() == []
    scene.later(1)
    scene.later(60)
    (pending,) = scene.bench.answers()
    scene.risk("clear")
    assert scene.decisions() == []
    scene.revenue("0")
    (released,) = scene.bench.answers()
    assert (pending.decision, pending.version) == ("pending", 1)
    assert (released.decision, released.version) == ("released", 2)
    assert released.function == "replacement"


def test_a_new_assessment_changes_the_decision(scene: Scene) -> None:
    scene.item()
    scene.risk("clear", version=1)
    scene.revenue("0")
    scene.risk("hold", version=2)
    assert scene.decisions() == ["released", "held"]


def test_an_older_assessment_that_comes_late_changes_nothing(scene: Scene) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("hold", version=2)
    scene.risk("clear", version=1)
    assert scene.decisions() == ["held"]


def test_the_same_assessment_again_says_nothing(scene: Scene) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("clear", version=1)
    scene.risk("clear", version=2)
    assert scene.decisions() == ["released"]


def test_a_new_version_of_the_item_takes_back_what_was_not_sent(scene: Scene) -> None:
    scene.item()
    scene.risk("clear")
    scene.revenue("0")
    scene.item("m-2", version=2, remark="repaired")
    assert scene.decisions() == []
    scene.risk("clear", "m-2")
    scene.revenue("3", "m-2")
    (answer,) = scene.bench.answers()
    assert (answer.regards, answer.decision, answer.version) == ("m-2", "released-on-payment", 2)


def test_an_assessment_of_an_older_version_decides_nothing(scene: Scene) -> None:
    scene.item()
    scene.item("m-2", version=2, remark="repaired")
    scene.risk("hold", "m-1")
    scene.revenue("0", "m-1")
    assert scene.decisions() == []


def test_a_withdrawn_item_is_answered_as_received(scene: Scene) -> None:
    scene.item()
    scene.item("m-2", version=2, function="withdrawal")
    scene.risk("clear", "m-2")
    scene.revenue("0", "m-2")
    assert scene.decisions() == ["data-received"]


def test_a_conform_inspection_releases_what_was_held(scene: Scene) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("hold")
    scene.bench.now += timedelta(hours=1)
    scene.inspection("conform")
    assert scene.decisions() == ["held", "released"]


def test_what_risk_says_after_the_inspection_holds_again(scene: Scene) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("hold", version=1)
    scene.bench.now += timedelta(hours=1)
    scene.inspection("conform")
    scene.bench.now += timedelta(hours=1)
    scene.risk("hold", version=2)
    assert scene.decisions() == ["held", "released", "held"]


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [("not-conform", "detained"), ("prohibited", "seized"), ("sniffed", "held")],
)
def test_a_bad_inspection_overrides_the_release(scene: Scene, outcome: str, decision: str) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("clear")
    scene.inspection(outcome)
    assert scene.decisions() == ["released", decision]


def test_an_inspection_before_its_item_counts(scene: Scene) -> None:
    scene.inspection("prohibited")
    scene.item()
    assert scene.decisions() == ["seized"]


def test_an_inspection_by_somebody_else_is_only_recorded(scene: Scene) -> None:
    scene.item()
    scene.inspection("prohibited", party="post-a")
    assert scene.decisions() == []
    assert scene.bench.disposition("x-1") == "recorded"


def test_another_agency_holds_and_lets_go(scene: Scene) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("clear")
    scene.agency("held")
    scene.bench.now += timedelta(hours=1)
    scene.agency("released")
    assert scene.decisions() == ["released", "held-other-agency", "released"]


def test_a_hold_of_another_agency_outlives_the_version_that_it_names(scene: Scene) -> None:
    scene.item()
    scene.agency("held")
    scene.item("m-2", version=2, remark="repaired")
    scene.risk("clear", "m-2")
    scene.revenue("0", "m-2")
    assert scene.decisions() == ["held-other-agency"]


def test_an_agency_that_refuses_is_final_until_it_says_otherwise(scene: Scene) -> None:
    scene.item()
    scene.risk("clear")
    scene.revenue("0")
    scene.agency("refused", regards=None, item_id=ITEM.item_id)
    assert scene.decisions() == ["released", "refused"]


def test_an_assessment_of_a_stranger_does_not_count(scene: Scene) -> None:
    scene.item()
    scene.revenue("0")
    scene.risk("clear", party="platform-shop")
    assert scene.decisions() == []


def test_all_risk_back_ends_must_clear() -> None:
    settings = msgspec.structs.replace(SETTINGS, risk=("customs-risk", "second-risk"))
    scene = Scene(Workbench(ClearanceDesk(settings, WORDING)))
    scene.item()
    scene.revenue("0")
    scene.risk("clear")
    assert scene.decisions() == []
    scene.risk("clear", party="second-risk")
    assert scene.decisions() == ["released"]


def test_revenue_that_cannot_assess_leaves_it_to_an_officer(scene: Scene) -> None:
    scene.item()
    scene.risk("clear")
    scene.revenue("0", regime="not-assessed")
    assert scene.decisions() == ["pending"]


def test_declarations_are_joined_like_items(bench: Workbench) -> None:
    scene = Scene(bench)
    declaration = GoodsDeclaration(
        function="original", type_code="IMA", lrn="L-1", mrn="26XA77", items=(GoodsItem(number=1),)
    )
    bench.deliver(declaration, "d-1", party="broker")
    scene.risk("clear", "d-1")
    scene.revenue("9", "d-1")
    scene.inspection("not-conform", item_id=None, mrn="26XA77")
    first, second = bench.answers()
    assert (first.decision, first.lrn, first.mrn) == ("released-on-payment", "L-1", "26XA77")
    assert second.decision == "detained"


def test_two_posts_about_one_item_are_two_cases(bench: Workbench) -> None:
    scene = Scene(bench)
    bench.deliver(ITEM, "m-1", party="post-a")
    bench.deliver(ITEM, "m-2", party="post-b")
    scene.inspection("prohibited")
    assert [answer.regards for answer in bench.answers()] == ["m-1", "m-2"]


def test_orders_are_none_of_its_business(bench: Workbench) -> None:
    order = Order(
        platform_id="p",
        order_id="o",
        ordered_at=NOW,
        seller=ITEM.sender,
        consignee=ITEM.addressee,
        lines=(),
    )
    bench.deliver(order, "o-1")
    assert bench.disposition("o-1") == "recorded"


def test_figures_count_cases_by_decision(scene: Scene) -> None:
    scene.item()
    scene.item("m-2", version=1, item_id="OTHER")
    scene.risk("hold")
    figures = count(scene.bench.connection)
    assert figures == {
        "cases": 2,
        "current": 2,
        "undecided": 1,
        "decision_held": 1,
        "opinions": 1,
    }


def test_old_opinions_are_dropped(scene: Scene) -> None:
    scene.risk("hold", "never-came")
    scene.bench.now = NOW + timedelta(days=401)
    scene.bench.work()
    assert count(scene.bench.connection)["opinions"] == 0


def test_wording_must_have_every_reason(tmp_path: Path) -> None:
    path = tmp_path / "wording.toml"
    path.write_text('[reasons]\nreleased = "ok"\nodd = "x"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_wording(path)
    places = {mistake.path for mistake in caught.value.mistakes}
    assert {"reasons.payment", "reasons.odd"} <= places
    assert "reasons.released" not in places
