"""The clerk: what stands between a submission on the wire and the ledger, without any transport.

Order as in the trust rules: who calls (mutual TLS) → is it the gateway → its signature over the
bytes → decode → commit → signed receipt.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from io import BytesIO

import msgspec

from backends.service.books import Books, Encode
from backends.service.credentials import Credentials
from backends.service.desk import Desk
from backends.service.inbox import Conflict, Issue, Parcel, Stored, accept, find
from backends.service.ledger import Ledger, LedgerBusy, LedgerError
from backends.service.outcome import Outcome
from backends.service.problems import Problem
from translators.canonical import Header
from translators.faults import Fault
from translators.translator import Entry, Translator
from translators.wire.exchange.v1 import exchange_pb2
from trust import receipt
from trust.errors import TrustError

_INTERCHANGE_ID = re.compile(r"[A-Za-z0-9_:~-][A-Za-z0-9._:~-]{0,119}")

Clock = Callable[[], datetime]


class Clerk:
    """Takes submissions in for one desk."""

    def __init__(
        self,
        *,
        desk: Desk,
        ledger: Ledger,
        credentials: Credentials,
        formats: Mapping[str, Translator],
        encode: Encode,
        clock: Clock,
        key_life: timedelta,
        max_bytes: int,
        wake: Callable[[], None],
    ) -> None:
        """``wake`` is called after a commit that left answers or work."""
        self._desk = desk
        self._ledger = ledger
        self._credentials = credentials
        self._formats = formats
        self._encode = encode
        self._clock = clock
        self._key_life = key_life
        self._max_bytes = max_bytes
        self._wake = wake

    def identify(self, certificate: bytes) -> None:
        """Raise :class:`Problem` unless a DER certificate is the gateway's and holds now."""
        try:
            identity = self._credentials.authenticator.identify(certificate, now=self._clock())
        except TrustError as error:
            raise Problem(error.code, error.detail) from error
        if identity.party != self._credentials.gateway:
            raise Problem("permission.read")

    def submit(self, submission: exchange_pb2.Submission) -> asyncio.Future[Stored]:
        """Verify, decode and hand to the ledger; in the order of the calls.

        Raises :class:`Problem`, and so may the future.
        """
        parcel = self._open(submission)
        issue = self._issuer()

        def work(connection: sqlite3.Connection) -> Stored:
            books = Books(connection, parcel.received_at, self._encode)
            return accept(books, self._desk, parcel, issue, key_life=self._key_life)

        try:
            future = self._ledger.submit(work)
        except (LedgerBusy, LedgerError) as error:
            raise Problem("overload", str(error)) from error
        future.add_done_callback(lambda _: self._wake())
        return future

    async def find(self, interchange_id: str) -> Stored:
        """What was answered under an interchange id of the gateway."""
        found = await self._ledger.run(
            lambda connection: find(connection, self._credentials.gateway, interchange_id)
        )
        if found is None:
            raise Problem("interchange.not-found")
        return found[0]

    def _open(self, submission: exchange_pb2.Submission) -> Parcel:
        now = self._clock()
        if not submission.interchange_id:
            raise Problem("interchange.id-missing")
        if not _INTERCHANGE_ID.fullmatch(submission.interchange_id):
            raise Problem("interchange.id-invalid")
        if not submission.content:
            raise Problem("body.empty")
        if len(submission.content) > self._max_bytes:
            raise Problem("body.oversize", f"at most {self._max_bytes} bytes are taken")
        translator = self._formats.get(submission.format)
        if translator is None:
            raise Problem("format.unknown", f"spoken are {', '.join(sorted(self._formats))}")
        self._prove(submission, now)
        entries, faults = _read(translator, submission.content)
        return Parcel(
            party=self._credentials.gateway,
            interchange_id=submission.interchange_id,
            format=submission.format,
            digest=hashlib.sha256(submission.content).hexdigest(),
            size=len(submission.content),
            received_at=now,
            entries=entries,
            faults=faults,
        )

    def _prove(self, submission: exchange_pb2.Submission, now: datetime) -> None:
        """The gateway always signs what it delivers, whatever the registry demands of it."""
        if not submission.signature:
            raise Problem("signature.missing")
        credentials = self._credentials
        try:
            identity = credentials.authenticator.configured(credentials.gateway, method="mtls")
            credentials.authenticator.verify(
                identity,
                submission.content,
                signature=submission.signature,
                interchange_id=submission.interchange_id,
                format=submission.format,
                audience=credentials.party,
                now=now,
            )
        except TrustError as error:
            raise Problem(error.code, error.detail) from error

    def keys(self) -> exchange_pb2.KeysReply:
        """The public half of the key that signs our receipts."""
        signer = self._credentials.signer
        key = exchange_pb2.PublishedKey(
            kid=signer.kid,
            algorithm=signer.alg,
            use="current",
            public_key=signer.public_pem.decode("ascii"),
        )
        return exchange_pb2.KeysReply(gateway=self._credentials.party, keys=(key,))

    def _issuer(self) -> Issue:
        credentials = self._credentials

        def issue(parcel: Parcel, stored: Stored) -> str:
            claims = receipt.ReceiptClaims(
                gateway=credentials.party,
                party=credentials.gateway,
                record=stored.number,
                interchange_id=parcel.interchange_id,
                attempt=stored.attempt,
                format=parcel.format,
                digest=parcel.digest,
                size=parcel.size,
                received_at=parcel.received_at,
                status=stored.status.value,
                accepted=stored.accepted,
                refused=stored.refused,
                outcomes=hashlib.sha256(stored.outcomes).hexdigest(),
            )
            return receipt.sign(claims, credentials.signer)

        return issue


def _read(translator: Translator, content: bytes) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    entries: list[Entry] = []
    faults: list[Fault] = []
    for reading in translator.read(BytesIO(content)):
        if isinstance(reading, Entry):
            entries.append(reading)
        elif isinstance(reading, Fault):
            faults.append(reading)
        else:
            assert isinstance(reading, Header)
    return tuple(entries), tuple(faults)


def problem_of(error: BaseException) -> Problem:
    """What a failed piece of ledger work means to the sender."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Conflict):
        return Problem("interchange.conflict")
    if isinstance(error, sqlite3.Error | LedgerBusy | LedgerError):
        return Problem("overload", "the ledger cannot be written now")
    return Problem("internal")


def reply_of(stored: Stored) -> exchange_pb2.SubmitReply:
    """The answer on the wire."""
    outcomes = msgspec.json.decode(stored.outcomes, type=tuple[Outcome, ...])
    return exchange_pb2.SubmitReply(
        interchange_id=stored.interchange_id,
        status=_STATUS[stored.status],
        receipt=stored.receipt,
        outcomes=[_outcome(outcome) for outcome in outcomes],
    )


_STATUS = {
    "accepted": exchange_pb2.STATUS_ACCEPTED,
    "refused": exchange_pb2.STATUS_REFUSED,
}
_SEVERITY = {
    "error": exchange_pb2.SEVERITY_ERROR,
    "warning": exchange_pb2.SEVERITY_WARNING,
}


def _outcome(outcome: Outcome) -> exchange_pb2.Outcome:
    return exchange_pb2.Outcome(
        ordinal=outcome.ordinal,
        kind=outcome.kind or "",
        key=outcome.key or "",
        message_id=outcome.message_id or "",
        status=_STATUS[outcome.status],
        faults=[
            exchange_pb2.Fault(
                code=fault.code,
                path=fault.path,
                detail=fault.detail,
                severity=_SEVERITY[fault.severity],
                source_path=fault.source_path,
                line=fault.line,
            )
            for fault in outcome.faults
        ],
    )
