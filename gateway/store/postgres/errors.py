"""What PostgreSQL says, as the two kinds of failure that callers know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from gateway.core.errors import Unavailable

_RETRY_AFTER = 1.0  # seconds

# https://www.postgresql.org/docs/current/errcodes-appendix.html: classes and codes that are
# conditions of the server or of the way to it, not mistakes of the program
_PASSING = {
    "53100": "the journal's disk is full",
    "53200": "the journal is out of memory",
    "53300": "the journal has no connection left",
    "25006": "the journal is read-only",
    "55P03": "the journal is busy",
    "57014": "the journal is too slow",
    "08": "the journal cannot be reached",
    "28": "the journal refuses this user",
    "40": "the journal is busy",
    "53": "the journal has not what it needs",
    "57": "the journal is being stopped or started",
    "58": "the journal's disk fails",
    "XX": "the journal is damaged",
    "3D": "the journal's database is not there",
}


LOST = (OSError, EOFError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_KEY = re.compile(r"Key (\([^()]*\))=")
"""How a violation's detail begins: ``Key (record, ordinal)=(7, 1) already exists.``"""


class JournalMismatch(Exception):
    """The database is no journal of this gateway: another program's, another version's."""


class UrlUnusable(Exception):
    """What the connection URI asks for is nothing that can be done; a person must mend it."""


def reason(error: BaseException) -> str | None:
    """Why the store cannot be used now; ``None`` for a mistake of the program."""
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return _PASSING.get(code) or _PASSING.get(code[:2])
    if isinstance(error, ValueError):  # arguments that do not fit, by asyncpg's own judgement
        return None
    # A connection that is cut in the middle of a message can leave asyncpg in a state of its own.
    if isinstance(error, LOST):
        return "the journal cannot be reached"
    return None


@contextmanager
def mapped() -> Iterator[None]:
    """Turn what happens to the store into ``Unavailable``; mistakes pass through.

    A row that contradicts one already there, or a value that no column takes, is a caller's
    mistake: ``ValueError``. What the server quotes of the row is in neither text.
    """
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise ValueError(f"contradicts what is stored: {_contradiction(error)}") from error
    except asyncpg.DataError as error:
        raise ValueError("a value that no journal takes") from error
    except (asyncpg.PostgresError, *LOST) as error:
        why = reason(error)
        if why is None:
            raise
        raise Unavailable(why, retry_after=_RETRY_AFTER) from error


def _contradiction(error: asyncpg.IntegrityConstraintViolationError) -> str:
    """The constraint and its columns, without the values that the server quotes."""
    columns = _KEY.match(error.detail or "")
    return f"{error.constraint_name or error.args[0]} {columns[1] if columns else ''}".rstrip()
