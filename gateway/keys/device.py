"""One logged-in session with one token: found, opened, used by one at a time, opened anew.

A module is initialised without locks of its own (PKCS #11, C_Initialize with no arguments), so no
two calls may be in it at once: everything that one process does with a module goes through one
lock. A session that is lost (token pulled, device restarted, network gone) is opened again when it
is next needed; a PIN that was once refused is never tried again, because a token counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pkcs11
from pkcs11.exceptions import (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from gateway.core.errors import Unavailable
from gateway.keys.errors import KeyUnusable
from gateway.keys.reference import TokenReference
from gateway.keys.secret import Secret

T = TypeVar("T")
_BARRED = (PinIncorrect, PinExpired, PinInvalid, PinLenRange, PinLocked)


class Modules:
    """The PKCS #11 libraries that this process has loaded, each with its lock.

    ``load`` gives the library of a path; it is ``pkcs11.lib`` but in tests.
    """

    def __init__(self, load: Callable[[str], Any] = pkcs11.lib) -> None:
        self._load = load
        self._locks: dict[str, threading.RLock] = {}
        self._adding = threading.Lock()

    @contextmanager
    def alone(self, path: str) -> Iterator[None]:
        """While it lasts nobody else is in the module."""
        with self._adding:
            lock = self._locks.setdefault(path, threading.RLock())
        with lock:
            yield

    def get(self, path: str) -> Any:
        """The library, loaded and initialised; raises ``KeyUnusable``. Call it alone."""
        try:
            return self._load(path)
        except PKCS11Error as error:
            raise KeyUnusable(f"{path}: the module cannot be loaded: {told(error)}") from error


class TokenSession:
    """A session with the token that a reference names. Safe to call from several threads."""

    def __init__(self, reference: TokenReference, *, pin: Secret | None, modules: Modules) -> None:
        """Nothing is loaded or opened before it is used."""
        self._reference = reference
        self._pin = pin
        self._modules = modules
        self._session: Any = None
        self._barred = ""

    def use(self, work: Callable[[Any], T]) -> T:
        """What ``work`` gives for the open session, with a second try over a new one.

        Raises ``Unavailable`` when the token cannot be reached or does not do it, and
        ``KeyUnusable`` when it will not without a person.
        """
        with self._modules.alone(self._reference.module):
            try:
                return work(self._opened())
            except PKCS11Error:
                self._drop()
            try:
                return work(self._opened(afresh=True))
            except PKCS11Error as error:
                self._drop()
                reason = f"the token of the signing key: {told(error)}"
                raise Unavailable(reason, reached=True) from error

    def close(self) -> None:
        """Log out and let go of the session. May be called twice."""
        with self._modules.alone(self._reference.module):
            self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):  # it may be gone with its token
                session.close()

    def _opened(self, *, afresh: bool = False) -> Any:
        if self._session is None:
            try:
                self._session = self._open()
            except PKCS11Error:
                if not afresh:
                    raise
                # Some modules find a token that was away only after a new start (slot lists are
                # made by C_Initialize). Other sessions with it end and are opened again in turn.
                self._modules.get(self._reference.module).reinitialize()
                self._session = self._open()
        return self._session

    def _open(self) -> Any:
        if self._barred:
            raise KeyUnusable(self._barred)
        token = find_token(self._reference, self._modules)
        if self._pin is None:
            return token.open()
        try:
            return log_in(token, self._pin)
        except _BARRED as error:
            self._barred = f"the token does not take the PIN: {told(error)}; it is not tried again"
            raise KeyUnusable(self._barred) from error


def log_in(token: Any, pin: Secret, **how: bool) -> Any:
    """An open session of somebody who is logged in; ``rw`` for one that may change the token."""
    try:
        return token.open(user_pin=pin.reveal(), **how)
    except UserAlreadyLoggedIn:
        return token.open(**how)  # PKCS #11: a login is one of the whole process


def find_token(wanted: TokenReference, modules: Modules) -> Any:
    """The one token of a reference; to be called alone in its module.

    Raises ``KeyUnusable`` when several fit and ``TokenNotPresent`` when none does.
    """
    found = []
    for slot in modules.get(wanted.module).get_slots(token_present=True):
        try:
            token = slot.get_token()
        except PKCS11Error:
            continue  # another slot's trouble
        if _is(wanted, slot, token):
            found.append(token)
    if len(found) > 1:
        raise KeyUnusable(f"several tokens fit ({wanted}); name its serial or slot-id")
    if not found:
        raise pkcs11.TokenNotPresent
    return found[0]


def told(error: PKCS11Error) -> str:
    """An error of a module in words that hold nothing but its kind."""
    text = str(error) if type(error) is PKCS11Error else ""
    return text or type(error).__name__


def _is(wanted: TokenReference, slot: Any, token: Any) -> bool:
    serial = token.serial
    told_serial = serial.decode("ascii", "replace") if isinstance(serial, bytes) else str(serial)
    pairs = (
        (wanted.token, token.label),
        (wanted.serial, told_serial.strip()),
        (wanted.manufacturer, token.manufacturer_id),
        (wanted.model, token.model),
        (wanted.slot, slot.slot_id),
    )
    return all(want is None or want == got for want, got in pairs)
