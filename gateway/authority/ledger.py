"""The ledger: every certificate that was issued, every revocation, every number of a list.

A SQLite file. Rows are only ever added: triggers refuse anything else. A certificate stands here,
durably, before anybody gets it, and a revocation before any list says so; what was to follow is
made from here after a crash.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.authority.faults import AuthorityError
from trust.enrolment import hosts_of, key_id_of

Role = Literal["root", "issuing"]
EntryPurpose = Literal["authority", "responder", "tls", "signing"]

_VERSION = 1
_BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE issued (
    number INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    issuer TEXT NOT NULL CHECK (issuer IN ('root', 'issuing')),
    party TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('authority', 'responder', 'tls', 'signing')),
    key_id TEXT NOT NULL,
    issued_at TEXT NOT NULL,
    certificate BLOB NOT NULL
) STRICT;
CREATE INDEX issued_by_key ON issued (key_id);
CREATE INDEX issued_by_party ON issued (party, purpose);
CREATE TABLE revoked (
    number INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE REFERENCES issued (serial),
    at TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE lists (
    issuer TEXT NOT NULL,
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (issuer, number)
) STRICT;
"""
_TRIGGERS = "".join(
    f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END;"
    for table in ("issued", "revoked", "lists")
    for verb in ("UPDATE", "DELETE")
)
_SCHEMA = f"BEGIN; {_TABLES} {_TRIGGERS} PRAGMA user_version = {_VERSION}; COMMIT;"
_COLUMNS = """
SELECT i.number, i.serial, i.issuer, i.party, i.purpose, i.key_id, i.issued_at, i.certificate,
       r.at, r.reason
"""
_ENTRIES = f"{_COLUMNS} FROM issued AS i LEFT JOIN revoked AS r USING (serial) "
_REVOKED = f"{_COLUMNS} FROM revoked AS r JOIN issued AS i USING (serial) "


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate and what became of it. ``serial`` is lower-case hexadecimal."""

    number: int
    serial: str
    issuer: Role
    party: str
    purpose: EntryPurpose
    key_id: str
    issued_at: datetime
    certificate: bytes
    """DER."""
    revoked_at: datetime | None = None
    reason: str = ""

    def parsed(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_der_x509_certificate(self.certificate)

    def hosts(self) -> tuple[str, ...]:
        """The hosts that it is for, names before addresses."""
        return hosts_of(self.parsed())


class Ledger:
    """Reads and adds. Methods may be called from any thread; each change is one transaction."""

    def __init__(self, file: Path, *, create: bool = False) -> None:
        """Open it; raises ``AuthorityError`` when it is not there or is another thing."""
        if create == file.exists():
            raise AuthorityError(f"{file} is {'there already' if create else 'missing'}")
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            if create:
                file.chmod(0o600)
                self._connection.executescript(_SCHEMA)
            self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise AuthorityError(f"{file} is not a ledger: {error}") from error
        if version != _VERSION:
            self._connection.close()
            raise AuthorityError(f"{file} is a ledger of version {version}, not {_VERSION}")

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it or nothing, and nobody else's in between."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def add(
        self,
        certificate: x509.Certificate,
        *,
        issuer: Role,
        party: str,
        purpose: EntryPurpose,
        now: datetime,
    ) -> Entry:
        """Put down a certificate; inside :meth:`change` if something was checked before."""
        entry = Entry(
            number=0,
            serial=serial_text(certificate.serial_number),
            issuer=issuer,
            party=party,
            purpose=purpose,
            key_id=key_id_of(certificate),
            issued_at=now,
            certificate=certificate.public_bytes(serialization.Encoding.DER),
        )
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO issued"
                " (serial, issuer, party, purpose, key_id, issued_at, certificate)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.serial,
                    issuer,
                    party,
                    purpose,
                    entry.key_id,
                    _text(now),
                    entry.certificate,
                ),
            )
            return msgspec.structs.replace(entry, number=cursor.lastrowid or 0)

    def revoke(self, serial: str, *, reason: str, now: datetime) -> bool:
        """Put down a revocation; whether it is new. The first one's date and reason stay."""
        with self._lock:
            done = self._connection.execute(
                "INSERT INTO revoked (serial, at, reason) VALUES (?, ?, ?)"
                " ON CONFLICT (serial) DO NOTHING",
                (serial, _text(now), reason),
            )
            return done.rowcount == 1

    def next_list(self, issuer: Role, *, now: datetime, after: int = 0) -> int:
        """Take the next number of a list, greater than ``after`` and than any that was taken."""
        with self._lock:
            (last,) = self._connection.execute(
                "SELECT coalesce(max(number), 0) FROM lists WHERE issuer = ?", (issuer,)
            ).fetchone()
            number = max(int(last), after) + 1
            self._connection.execute(
                "INSERT INTO lists (issuer, number, at) VALUES (?, ?, ?)",
                (issuer, number, _text(now)),
            )
            return number

    def find(self, serial: str) -> Entry | None:
        """The certificate of that serial."""
        return next(self._entries("WHERE i.serial = ?", serial), None)

    def of_party(self, party: str) -> tuple[Entry, ...]:
        """Everything that a party was given, oldest first."""
        return tuple(self._entries("WHERE i.party = ? ORDER BY i.number", party))

    def of_key(self, key_id: str) -> tuple[Entry, ...]:
        """Every certificate of a key, oldest first."""
        return tuple(self._entries("WHERE i.key_id = ? ORDER BY i.number", key_id))

    def all(self) -> tuple[Entry, ...]:
        """Everything, oldest first."""
        return tuple(self._entries("ORDER BY i.number"))

    def revoked(self, issuer: Role) -> tuple[Entry, ...]:
        """What an issuer has revoked."""
        return tuple(self._entries("WHERE i.issuer = ?", issuer, of=_REVOKED))

    def revision(self) -> tuple[int, int]:
        """Changes with every certificate and every revocation, of other processes too."""
        with self._lock:
            issued, revoked = self._connection.execute(
                "SELECT (SELECT max(number) FROM issued), (SELECT max(number) FROM revoked)"
            ).fetchone()
        return issued or 0, revoked or 0

    def _entries(self, condition: str, *values: str, of: str = _ENTRIES) -> Iterator[Entry]:
        with self._lock, closing(self._connection.execute(of + condition, values)) as rows:
            found = rows.fetchall()
        for number, serial, issuer, party, purpose, key, issued_at, der, at, reason in found:
            yield Entry(
                number=number,
                serial=serial,
                issuer=issuer,
                party=party,
                purpose=purpose,
                key_id=key,
                issued_at=datetime.fromisoformat(issued_at),
                certificate=der,
                revoked_at=None if at is None else datetime.fromisoformat(at),
                reason=reason or "",
            )


def serial_text(serial: int) -> str:
    """A serial number as the ledger writes it."""
    return f"{serial:x}"


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
