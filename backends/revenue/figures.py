"""Counts of the revenue desk's own tables, for the summary; imports nothing heavy."""

from __future__ import annotations

import sqlite3


def count(connection: sqlite3.Connection) -> dict[str, int]:
    """Assessments by regime."""
    figures = {"assessed": 0}
    for regime, number in connection.execute(
        "SELECT regime, count(*) FROM revenue_assessed GROUP BY 1 ORDER BY 1"
    ):
        figures["assessed"] += number
        figures[f"regime_{regime}"] = number
    return figures
