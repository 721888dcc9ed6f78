"""The short form of ``make faults``: each kind of fault once on each store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.network import make_pki
from tests.faults.rounds import run
from tests.faults.sites import Site, StoreName


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_what_has_a_receipt_arrives_once_and_in_order_whatever_is_killed(
    tmp_path: Path, certs: Path, store: StoreName
) -> None:
    kinds = Site(tmp_path, certs, store=store, seed=1).faults()
    told: list[str] = []

    outcome = await run(tmp_path, certs, store=store, rounds=len(kinds), seed=1, told=told.append)

    assert outcome.verdict.messages > 100, "too little was under way to tell"
    assert outcome.verdict.kept, outcome
    assert "" == outcome.damage
    assert set(kinds) == set(outcome.faults)
    assert told
