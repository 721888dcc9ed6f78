"""The summary: what a ledger holds, counted beside the running process."""

from __future__ import annotations

import sqlite3
from typing import Any


def summarise(connection: sqlite3.Connection) -> dict[str, Any]:
    """Counts of what came in and of the answers that it led to."""
    received = _by_kind(
        connection, "SELECT kind, disposition, count(*) FROM messages GROUP BY 1, 2"
    )
    answers = _by_kind(connection, "SELECT kind, state, count(*) FROM outbox GROUP BY 1, 2")
    (tried,) = connection.execute(
        "SELECT count(*) FROM outbox WHERE attempts > 0 OR state = 'acknowledged'"
    ).fetchone()
    (interchanges,) = connection.execute("SELECT count(*) FROM inbox").fetchone()
    (refused,) = connection.execute("SELECT count(*) FROM refusals").fetchone()
    counters = dict(connection.execute("SELECT name, value FROM counters").fetchall())
    return {
        "received": _total(received, *_DISPOSITIONS),
        "interchanges": interchanges,
        "repeats": counters.get("repeats", 0),
        "refused": refused,
        "applied": _total(received, "applied"),
        "stale": _total(received, "stale"),
        "recorded": _total(received, "recorded"),
        "kinds": {
            kind: {"received": sum(states.values()), **_named(states, _DISPOSITIONS)}
            for kind, states in sorted(received.items())
        },
        "answers": {
            "created": _total(answers, *_STATES),
            "sent": tried,
            **{state: _total(answers, state) for state in _STATES},
            "kinds": {
                kind: {"created": sum(states.values()), **_named(states, _STATES)}
                for kind, states in sorted(answers.items())
            },
        },
    }


_DISPOSITIONS = ("applied", "stale", "recorded")
_STATES = ("waiting", "acknowledged", "refused", "superseded")


def _by_kind(connection: sqlite3.Connection, statement: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for kind, state, number in connection.execute(statement):
        found.setdefault(kind, {})[state] = number
    return found


def _named(states: dict[str, int], names: tuple[str, ...]) -> dict[str, int]:
    return {name: states.get(name, 0) for name in names}


def _total(kinds: dict[str, dict[str, int]], *names: str) -> int:
    return sum(states.get(name, 0) for states in kinds.values() for name in names)
