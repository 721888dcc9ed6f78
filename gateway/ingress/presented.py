"""The certificate and key that listeners present, followed while their files are renewed.

Whoever renews writes two files, one after the other, and may get it wrong. So a changed pair counts
when its files have stood still for one look and belong together; until then the last good pair
stays, held in memory, because listeners ask for it again whenever authorities change.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.keys.errors import KeyUnusable
from gateway.keys.permissions import read_private
from gateway.telemetry import EventLog
from trust.certificates import fingerprint_of, load_certificates
from trust.errors import TrustError

MAX_FILE_BYTES = 1024 * 1024

_State = tuple[tuple[int, int, int], ...]


class PairRefused(ValueError):
    """Why a certificate and a key are not presented. The text quotes neither."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """PEM of the chain, leaf first, and of its key; who presents it and until when."""

    certificate: bytes
    key: bytes
    fingerprint: str
    not_before: datetime
    not_after: datetime

    def __repr__(self) -> str:
        return f"Pair({self.fingerprint})"


def read_pair(certificate: Path, key: Path) -> Pair:
    """The pair of two files. Raises ``OSError``, and ``PairRefused`` for what does not fit.

    A key to which others than its owner have access is refused, as a signing key is.
    """
    with certificate.open("rb") as file:
        chain = file.read(MAX_FILE_BYTES + 1)
    if len(chain) > MAX_FILE_BYTES:
        raise PairRefused("the file of the certificate is too large")
    try:
        private = read_private(key)
    except KeyUnusable as error:
        raise PairRefused(str(error)) from error
    try:
        leaf = load_certificates(chain)[0]
    except TrustError as error:
        raise PairRefused("the file of the certificate has none") from error
    pair = Pair(
        certificate=chain,
        key=private,
        fingerprint=fingerprint_of(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )
    held = _Held(pair)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(held.certificate, held.key, password=_none)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise PairRefused("certificate and key do not belong together") from error
    finally:
        held.close()
    return pair


class Presented:
    """The pair of two files that is in force. Not for several threads."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        *,
        clock: Callable[[], datetime],
        log: EventLog,
    ) -> None:
        """Reads the files; raises ``OSError`` and ``PairRefused``."""
        self._files = (certificate, key)
        self._clock = clock
        self._log = log
        self._state = self._seen = _state(self._files)
        self._refused = ""
        self._pair = read_pair(certificate, key)
        self._held = _Held(self._pair)

    @property
    def certificate(self) -> Path:
        """A file that has the certificate in force as long as this is open."""
        return self._held.certificate

    @property
    def key(self) -> Path:
        """The same for its key; nobody but this process can read it."""
        return self._held.key

    @property
    def pair(self) -> Pair:
        """What is in force."""
        return self._pair

    def look(self, renewed: Callable[[], None]) -> bool:
        """Take a changed pair over and call ``renewed``; whether that was done.

        A pair that is refused is an event, once for each reason, and is looked at again.
        """
        state = _state(self._files)
        still, self._seen = state == self._seen, state
        if state == self._state or not still:
            return False
        try:
            pair = read_pair(*self._files)
            self._judge_time(pair)
        except (OSError, PairRefused) as error:
            told = "a file cannot be read" if isinstance(error, OSError) else str(error)
            if told != self._refused:
                self._log.error("tls.rejected", reason=told, kept=self._pair.fingerprint)
            self._refused = told
            return False
        self._state, self._refused = state, ""
        if pair.fingerprint == self._pair.fingerprint and pair.key == self._pair.key:
            return False
        before = self._held
        self._pair, self._held = pair, _Held(pair)
        try:
            renewed()
        finally:
            before.close()
        self._log.info(
            "tls.renewed", fingerprint=pair.fingerprint, not_after=pair.not_after.isoformat()
        )
        return True

    async def watch(self, *, seconds: float, renewed: Callable[[], None]) -> None:
        """Look until cancelled. What ``renewed`` raises as ``OSError`` is an event."""
        while True:
            await asyncio.sleep(seconds)
            try:
                self.look(renewed)
            except OSError as error:
                self._log.error("tls.not-renewed", error=error)

    def close(self) -> None:
        """Forget the key. May be called twice."""
        self._held.close()

    def _judge_time(self, pair: Pair) -> None:
        """Nothing that is in force gives way to something that is not."""
        now = self._clock().astimezone(UTC)
        if now > pair.not_after:
            raise PairRefused("the certificate has expired")
        if now < pair.not_before:
            raise PairRefused("the certificate is not valid yet")


class _Held:
    """A pair as two files without a name, in memory; ``ssl`` reads nothing but files."""

    def __init__(self, pair: Pair) -> None:
        self._descriptors: list[int] = []
        self.certificate = self._hold("certificate", pair.certificate)
        self.key = self._hold("key", pair.key)

    def _hold(self, name: str, content: bytes) -> Path:
        descriptor = os.memfd_create(name)
        self._descriptors.append(descriptor)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        return Path(f"/proc/self/fd/{descriptor}")

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())


def _state(files: tuple[Path, Path]) -> _State:
    """When and how large the files are; a file that is not there is a state too."""
    states = []
    for path in files:
        try:
            stat = path.stat()
        except OSError:
            states.append((0, 0, 0))
        else:
            states.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(states)


def _none() -> str:
    """Asked for the password of a key: a gateway that starts by itself has nobody to ask."""
    raise ValueError("the key is encrypted")
