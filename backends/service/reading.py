"""Reading a ledger beside the process that has it open."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class LedgerError(Exception):
    """The ledger cannot be used; the text says why."""


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that reads beside a running process and writes nothing.

    Raises :class:`LedgerError` when there is no ledger.
    """
    if not path.is_file():
        raise LedgerError(f"{path}: there is no ledger yet")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        connection.execute("PRAGMA busy_timeout = 5000")
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: {error}") from error
    return connection
