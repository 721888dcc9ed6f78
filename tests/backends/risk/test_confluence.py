"""In whatever order items and indicators come, the last word about an item is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.risk.desk import RiskDesk, RiskSettings
from backends.risk.profile import read_profile
from tests.backends.workbench import Workbench
from tests.samples import item
from translators.canonical import ContentPiece, RiskIndicator, RiskSubject, TradeParty

PROFILE = read_profile(Path(__file__).parents[3] / "examples" / "backends" / "risk.toml")
NAMES = ("Ada Beispiel", "Beispiel, Ada", "Émile Exemple", "Nobody")
CODES = ("610910", "420222", "9503")


def made(name: str, code: str, number: int) -> Any:
    piece = ContentPiece(number=1, pieces=1, description=f"goods {number}", hs=code)
    return item(item_id=f"I{number}", nature="gift", sender=TradeParty(name=name), pieces=(piece,))


def told(number: int, subject: RiskSubject, version: int, *, withdrawn: bool) -> RiskIndicator:
    return RiskIndicator(
        issuer="XB",
        indicator_id=f"i-{number}",
        kind="entity",
        area="revenue",
        level="high",
        statement="made up",
        version=version,
        function="withdrawal" if withdrawn else "original",
        subjects=() if withdrawn else (subject,),
    )


subjects = st.one_of(
    st.sampled_from(NAMES).map(lambda name: RiskSubject(names=(name,))),
    st.sampled_from(CODES).map(lambda code: RiskSubject(hs_prefixes=(code[:4],))),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(CODES)).map(
        lambda pair: RiskSubject(names=(pair[0],), hs_prefixes=(pair[1],))
    ),
)
items = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([c for c in CODES if len(c) > 4])),
    min_size=1,
    max_size=4,
)
indicators = st.lists(st.tuples(subjects, st.sampled_from(["once", "withdrawn"])), max_size=4)


@settings(max_examples=40, deadline=None)
@given(items, indicators, st.data())
def test_the_order_of_arrival_does_not_count(
    given_items: list[tuple[str, str]],
    given_indicators: list[tuple[RiskSubject, str]],
    data: st.DataObject,
) -> None:
    events: list[tuple[str, Any]] = [
        (f"m-{n}", made(name, code, n)) for n, (name, code) in enumerate(given_items)
    ]
    for number, (subject, fate) in enumerate(given_indicators):
        events.append((f"x-{number}", told(number, subject, 1, withdrawn=False)))
        if fate == "withdrawn":
            events.append((f"y-{number}", told(number, subject, 2, withdrawn=True)))
    orders = [events, data.draw(st.permutations(events))]
    assert _outcomes(orders[0]) == _outcomes(orders[1])


def _outcomes(events: list[tuple[str, Any]]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The last assessment of each item; assessing once more must not change it."""
    own = RiskSettings(profile="", administration="XA")
    bench = Workbench(RiskDesk(own, PROFILE))
    for message_id, message in events:
        bench.deliver(message, message_id, version=None)
        bench.work()
    last = {answer.regards: (answer.outcome, answer.indicators) for answer in bench.answers()}
    bench.connection.execute("INSERT OR IGNORE INTO risk_queue SELECT message_id FROM risk_current")
    bench.work()
    assert bench.answers() == []
    return last
