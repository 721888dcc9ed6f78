"""Counts of the clearance desk's own tables, for the summary; imports nothing heavy."""

from __future__ import annotations

import sqlite3


def count(connection: sqlite3.Connection) -> dict[str, int]:
    """Cases, those that count now by their latest decision, and opinions."""
    figures = {"cases": 0, "current": 0, "undecided": 0}
    for decision, current, number in connection.execute(
        "SELECT decision, current, count(*) FROM clear_cases GROUP BY 1, 2 ORDER BY 1"
    ):
        figures["cases"] += number
        if current:
            figures["current"] += number
            name = "undecided" if decision is None else f"decision_{decision}"
            figures[name] = figures.get(name, 0) + number
    (figures["opinions"],) = connection.execute("SELECT count(*) FROM clear_opinions").fetchone()
    return figures
