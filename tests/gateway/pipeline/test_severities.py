"""How much a fault weighs: by configuration, by party, and what nobody can weigh less."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.records import Outcome
from gateway.pipeline.judge import FIXED
from tests import samples
from tests.gateway.pipeline.conftest import Middle
from trust.identity import PartyId
from trust.party import Grant

BAD = samples.item(item_id="EE471108152FR")


def allowed(middle: Middle, **changes: Any) -> None:
    post = middle.parties.party(PartyId("post-a"))
    middle.parties = middle.parties.with_party(msgspec.structs.replace(post, **changes))


@pytest.mark.parametrize(
    ("weight", "status", "faults"),
    [
        ("error", "refused", [("s10.check-digit", "error")]),
        ("warning", "accepted", [("s10.check-digit", "warning")]),
        ("ignore", "accepted", []),
    ],
)
async def test_a_party_has_severities_of_its_own(
    middle: Middle, weight: str, status: str, faults: list[tuple[str, str]]
) -> None:
    allowed(middle, severities={"s10.check-digit": weight})

    stored = await middle.send("post-a", BAD)
    (outcome,) = msgspec.json.decode(stored.outcomes, type=list[Outcome])

    assert status == outcome.status
    assert faults == [(fault.code, fault.severity) for fault in outcome.faults]


@pytest.mark.parametrize("weight", ["warning", "ignore"])
async def test_no_severity_gives_a_permission(middle: Middle, weight: str) -> None:
    orders = Grant(formats=("*",), kinds=("Order",), countries=("*",))
    allowed(middle, grants=(orders,), severities=dict.fromkeys(FIXED, weight))

    stored = await middle.send("post-a", samples.ITEM)
    (outcome,) = msgspec.json.decode(stored.outcomes, type=list[Outcome])

    assert ("refused", ["permission.kind"]) == (
        outcome.status,
        [fault.code for fault in outcome.faults],
    )
