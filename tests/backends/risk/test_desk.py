"""The risk desk: one assessment per message version, and again when what is known changes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.risk.desk import RiskDesk, RiskSettings
from backends.risk.figures import count
from backends.risk.profile import read_profile
from tests.backends.workbench import Workbench
from tests.samples import ITEM, NOW, ORDER, item
from translators.canonical import (
    ContentPiece,
    Despatch,
    GoodsDeclaration,
    GoodsItem,
    Money,
    RiskAssessment,
    RiskIndicator,
    RiskSubject,
    TradeParty,
)

EXAMPLE = Path(__file__).parents[3] / "examples" / "backends" / "risk.toml"


def workbench(**settings: Any) -> Workbench:
    own = RiskSettings(profile="risk.toml", administration="XA", **settings)
    return Workbench(RiskDesk(own, read_profile(EXAMPLE)))


@pytest.fixture
def bench() -> Workbench:
    return workbench()


def indicator(**changes: Any) -> RiskIndicator:
    sample = RiskIndicator(
        issuer="XB",
        indicator_id="i-1",
        kind="entity",
        area="narcotics",
        level="high",
        statement="Seen before.",
        version=1,
        subjects=(RiskSubject(names=("atelier exemple",)),),
    )
    return msgspec.structs.replace(sample, **changes)


def described(text: str, **changes: Any) -> Any:
    value = Money(amount=Decimal(20), currency="EUR")
    piece = ContentPiece(number=1, pieces=1, description=text, hs="420222", amount=value)
    return item(pieces=(piece,), **changes)


def test_an_unsuspicious_item_is_clear(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    (answer,) = bench.answers()
    assert (answer.outcome, answer.regards, answer.item_id, answer.version) == (
        "clear",
        "m-1",
        ITEM.item_id,
        1,
    )
    assert answer.profile_version == "example-2026.11"
    assert answer.assessment_id == "risk.m-1.1"


def test_orders_and_declarations_are_assessed_too(bench: Workbench) -> None:
    declaration = GoodsDeclaration(
        function="original", type_code="IMA", lrn="L-1", mrn="26XA1", items=(GoodsItem(number=1),)
    )
    bench.deliver(ORDER, "o-1", party="platform")
    bench.deliver(declaration, "d-1", party="broker")
    order, declared = bench.answers()
    assert order.order_id == ORDER.order_id
    assert (declared.lrn, declared.mrn) == ("L-1", "26XA1")


def test_a_rule_is_named_with_its_place(bench: Workbench) -> None:
    bench.deliver(described("replica handbag"), "m-1")
    (answer,) = bench.answers(RiskAssessment)
    (result,) = answer.results
    assert (answer.outcome, answer.level, answer.score) == ("hold", "high", 80)
    assert result.criterion == "ipr-replica"
    assert [pointer.path for pointer in result.pointers] == ["/pieces/0/description"]


def test_the_most_severe_outcome_counts_and_weights_add_up(bench: Workbench) -> None:
    bench.deliver(indicator(level="low"), "i-1", party="gateway-pn")
    bench.deliver(described("replica handbag"), "m-1")
    (answer,) = bench.answers(RiskAssessment)
    assert (answer.outcome, answer.score) == ("hold", 90)
    assert answer.indicators == ("XB/i-1",)


def test_a_score_at_a_threshold_raises_the_outcome(bench: Workbench) -> None:
    for number in range(1, 7):
        low = indicator(indicator_id=f"i-{number}", level="low")
        bench.deliver(low, f"i-{number}", party="gateway-pn")
    bench.deliver(ITEM, "m-1")
    (six,) = bench.answers()
    assert (six.outcome, six.score) == ("refer", 60)


def test_an_indicator_that_came_before_holds_the_item(bench: Workbench) -> None:
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.deliver(ITEM, "m-1")
    (answer,) = bench.answers()
    assert (answer.outcome, answer.version, answer.indicators) == ("hold", 1, ("XB/i-1",))


def test_an_indicator_that_comes_after_has_the_item_assessed_again(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    first, second = bench.answers()
    assert [first.outcome, second.outcome] == ["clear", "hold"]
    assert (second.version, second.regards) == (2, "m-1")


def test_only_matching_items_are_assessed_again(bench: Workbench) -> None:
    bench.deliver(item(item_id="A"), "m-1")
    bench.deliver(item(item_id="B", sender=TradeParty(name="Somebody Else")), "m-2")
    bench.answers()
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    assert [answer.regards for answer in bench.answers()] == ["m-1"]


def test_a_late_hs_prefix_finds_stored_items(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.answers()
    subject = RiskSubject(hs_prefixes=("6115",))
    bench.deliver(indicator(kind="commodity", subjects=(subject,)), "i-1", party="gateway-pn")
    bench.work()
    assert [answer.outcome for answer in bench.answers()] == ["hold"]


def test_assessing_again_without_a_change_says_nothing(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    bench.answers()
    bench.deliver(indicator(version=2), "i-2", version=2, party="gateway-pn")
    bench.work()
    assert bench.answers() == []


def test_a_withdrawal_clears_what_the_indicator_held(bench: Workbench) -> None:
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.deliver(ITEM, "m-1")
    withdrawal = indicator(version=2, function="withdrawal", subjects=())
    bench.deliver(withdrawal, "i-2", version=2, party="gateway-pn")
    bench.work()
    held, cleared = bench.answers()
    assert [held.outcome, cleared.outcome] == ["hold", "clear"]
    assert cleared.version == 2


def test_a_replaced_indicator_leaves_whom_it_no_longer_means(bench: Workbench) -> None:
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.deliver(ITEM, "m-1")
    bench.answers()
    other = indicator(version=2, subjects=(RiskSubject(names=("Another",)),))
    bench.deliver(other, "i-2", version=2, party="gateway-pn")
    bench.work()
    assert [answer.outcome for answer in bench.answers()] == ["clear"]


def test_an_older_version_of_an_indicator_is_kept_and_not_applied(bench: Workbench) -> None:
    bench.deliver(indicator(version=3, function="withdrawal"), "i-3", version=None, party="pn")
    bench.deliver(indicator(version=2), "i-2", version=None, party="pn")
    bench.deliver(ITEM, "m-1")
    assert bench.disposition("i-2") == "stale"
    assert [answer.outcome for answer in bench.answers()] == ["clear"]


def test_an_indicator_counts_from_its_beginning_to_its_end(bench: Workbench) -> None:
    day = timedelta(days=1)
    bench.deliver(indicator(valid_from=NOW + day, valid_to=NOW + 2 * day), "i-1", party="pn")
    bench.deliver(ITEM, "m-1")
    outcomes = []
    for days in (0, 1, 2, 3):
        bench.now = NOW + days * day
        bench.work()
        outcomes.append([answer.outcome for answer in bench.answers()])
    assert outcomes == [["clear"], ["hold"], [], ["clear"]]


def test_a_new_version_of_an_item_is_assessed_and_the_old_one_no_more(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.deliver(item(remark="repaired"), "m-2", version=2)
    bench.answers()
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    assert [answer.regards for answer in bench.answers()] == ["m-2"]


def test_a_version_that_comes_late_is_stale(bench: Workbench) -> None:
    bench.deliver(item(remark="repaired"), "m-2", version=2)
    bench.deliver(ITEM, "m-1", version=1)
    assert bench.disposition("m-1") == "stale"
    assert [answer.regards for answer in bench.answers()] == ["m-2"]


def test_a_withdrawn_item_is_answered_and_never_matched(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.deliver(item(function="withdrawal"), "m-2", version=2)
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    _, withdrawn = bench.answers()
    assert (withdrawn.regards, withdrawn.outcome) == ("m-2", "clear")
    assert withdrawn.reason == "withdrawn: nothing to assess"


def test_a_rule_shares_an_indicator_once_for_each_cause(bench: Workbench) -> None:
    bench.deliver(described("replica handbag"), "m-1")
    bench.deliver(described("replica handbag, brown"), "m-2", version=2)
    bench.deliver(described("replica belt", item_id="EE000000005FR"), "m-3")
    shared = bench.answers(RiskIndicator)
    assert [one.caused_by_message for one in shared] == ["m-1", "m-3"]
    assert [one.caused_by_item for one in shared] == [ITEM.item_id, "EE000000005FR"]
    first = shared[0]
    assert (first.issuer, first.handling, first.function) == ("XA", "no-onward", "original")
    assert first.subjects[0].names == ("Atelier Exemple",)


def test_our_own_indicator_that_comes_back_changes_nothing(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.answers()
    bench.deliver(indicator(issuer="XA"), "i-1", party="gateway-pn")
    bench.work()
    assert bench.answers() == []
    assert bench.disposition("i-1") == "recorded"


def test_the_words_of_an_indicator_for_own_use_are_not_repeated(bench: Workbench) -> None:
    bench.deliver(indicator(handling="own-use"), "i-1", party="gateway-pn")
    bench.deliver(ITEM, "m-1")
    (answer,) = bench.answers()
    assert answer.results[0].text is None
    assert answer.results[0].criterion == "XB/i-1"


def test_kinds_that_risk_has_no_use_for_are_recorded(bench: Workbench) -> None:
    despatch = Despatch(despatch_id="D1", origin_office="FRCDGA", destination_office="LULUXA")
    bench.deliver(despatch, "d-1")
    assert bench.disposition("d-1") == "recorded"
    assert bench.answers() == []


def test_old_messages_are_no_longer_assessed_again() -> None:
    bench = workbench(reassess_days=30)
    bench.deliver(ITEM, "m-1")
    bench.answers()
    bench.now = NOW + timedelta(days=31)
    bench.work()
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    assert bench.answers() == []


def test_a_queue_longer_than_a_batch_is_worked_off() -> None:
    bench = workbench(batch=3)
    for number in range(10):
        bench.deliver(item(item_id=f"I{number}"), f"m-{number}")
    bench.answers()
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    assert len(bench.answers()) == 10


def test_figures_count_what_is_kept(bench: Workbench) -> None:
    bench.deliver(ITEM, "m-1")
    bench.deliver(indicator(), "i-1", party="gateway-pn")
    bench.work()
    figures = count(bench.connection)
    assert figures["assessed"] == 1
    assert figures["assessments"] == 2
    assert figures["indicators_in_force"] == 1
    assert figures["outcome_hold"] == 1
