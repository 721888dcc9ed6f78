"""Counts of the risk desk's own tables, for the summary; imports nothing heavy."""

from __future__ import annotations

import sqlite3

_STATEMENTS = {
    "indicators": "SELECT count(*) FROM risk_indicators",
    "indicators_in_force": "SELECT count(DISTINCT reference) FROM risk_anchors",
    "assessed": "SELECT count(*) FROM risk_assessed",
    "assessments": "SELECT coalesce(sum(version), 0) FROM risk_assessed",
    "reassessed": "SELECT count(*) FROM risk_assessed WHERE version > 1",
    "queued": "SELECT count(*) FROM risk_queue",
}
_BY_OUTCOME = (
    "SELECT json_extract(CAST(verdict AS TEXT), '$.outcome'), count(*)"
    " FROM risk_assessed GROUP BY 1 ORDER BY 1"
)


def count(connection: sqlite3.Connection) -> dict[str, int]:
    """What is kept, and assessed messages by their latest outcome."""
    figures = {
        name: int(connection.execute(statement).fetchone()[0])
        for name, statement in _STATEMENTS.items()
    }
    for outcome, number in connection.execute(_BY_OUTCOME):
        figures[f"outcome_{outcome}"] = number
    return figures
