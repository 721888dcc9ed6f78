"""Statements on the way of every message probe an index, whatever the tables hold."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from types import ModuleType

import pytest

from gateway.store.sqlite import (
    accept,
    acts,
    awaited,
    awaiting,
    claim,
    deliveries,
    heads,
    judge,
    messages,
    proofs,
    rates,
    reads,
    remembered,
    reports,
    settle,
    standing,
    subjects,
    trace,
)
from gateway.store.sqlite.schema import migrate

MODULES: tuple[ModuleType, ...] = (
    accept,
    acts,
    awaited,
    awaiting,
    claim,
    deliveries,
    heads,
    judge,
    messages,
    proofs,
    rates,
    reads,
    remembered,
    reports,
    settle,
    standing,
    subjects,
    trace,
)
# They count or list what is there; no message waits for them.
READ_FROM_END_TO_END = {"_BACKLOG", "_HELD"}
TABLES = (
    "seen|remembered|interchange|raw|message|body|subject|version|ref|leg|head|attempt|line|report|reading"
    "|proof|prover|bucket|awaited|[abdhilmprsvwx]"
)
SCAN = re.compile(rf"SCAN ({TABLES})\b")


def statements() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        for name, text in vars(module).items():
            if isinstance(text, str) and re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", text):
                yield name, text


@pytest.fixture(scope="module", params=["empty", "misleading statistics"])
def connection(request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, gateway=1)
    if request.param != "empty":
        # The worst that ANALYZE could have seen: tables that were all but empty.
        connection.execute("ANALYZE")
        connection.execute("DELETE FROM sqlite_stat1")
        for table in ("seen", "message", "subject", "leg", "head", "attempt", "ref"):
            connection.execute("INSERT INTO sqlite_stat1 VALUES (?, NULL, '2')", (table,))
        connection.execute("ANALYZE sqlite_master")
    yield connection
    connection.close()


@pytest.mark.parametrize(("name", "text"), list(statements()))
def test_no_table_is_read_from_end_to_end(
    connection: sqlite3.Connection, name: str, text: str
) -> None:
    numbered = [int(number) for number in re.findall(r"\?(\d+)", text)]
    parameters = [None] * (max(numbered) if numbered else text.count("?"))
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
    assert plan
    if name not in READ_FROM_END_TO_END:
        assert [line for line in plan if SCAN.match(line)] == []


def test_a_claim_looks_up_each_key(connection: sqlite3.Connection) -> None:
    lease = vars(claim)["_LEASE"]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {lease}", [None] * 4)]
    assert "SEARCH head USING PRIMARY KEY (destination=? AND key=?)" in plan
