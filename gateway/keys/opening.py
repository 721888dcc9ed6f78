"""From ``[signing]`` to the keys themselves: providers by the kind of reference, and checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from cryptography import x509

from gateway.core.ports import Clock
from gateway.core.published import PublishedKey
from gateway.keys.errors import KeyUnusable
from gateway.keys.files import file_signer
from gateway.keys.reference import FileReference, TokenReference, key_reference
from gateway.keys.ring import HeldKey, Keyring, OwnSigner, published_key
from gateway.keys.secret import Secret, read_secret, secret_source
from gateway.keys.settings import NextKey, PreviousKey, SigningSettings
from trust.certificates import check_signing, load_certificates, pem_of
from trust.errors import TrustError
from trust.keys import load_public_key, verifying_key

if TYPE_CHECKING:  # python-pkcs11 is an extra that is not always installed
    from gateway.keys.device import Modules

T = TypeVar("T")
MAX_CERTIFICATES_BYTES = 256 * 1024


class KeysUnusable(Exception):
    """Every mistake of the section: the key of the configuration, and what is wrong there."""

    def __init__(self, mistakes: tuple[tuple[str, str], ...]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(f"{path}: {text}" for path, text in mistakes))


class Certified(msgspec.Struct, frozen=True):
    """A signing certificate with its chain, read and checked."""

    leaf: x509.Certificate
    chain: tuple[str, ...]


class Providers:
    """Opens private keys by reference: files here, tokens through PKCS #11.

    ``folder`` is what relative paths are relative to; ``environ`` the environment in which
    passwords may be. ``modules`` are the PKCS #11 libraries, loaded when they are first needed.
    """

    def __init__(
        self,
        *,
        folder: Path,
        environ: Mapping[str, str],
        modules: Callable[[], Modules] | None = None,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._new_modules = modules or _modules
        self._modules: Modules | None = None

    def open(
        self, reference: str, *, password: str | None = None, kid: str = "", algorithm: str = ""
    ) -> OwnSigner:
        """The signer of a reference; raises ``KeyUnusable``."""
        named = key_reference(reference)
        secret = None if password is None else self.secret(password)
        if isinstance(named, FileReference):
            path = self._folder / named.path
            return file_signer(path, password=secret, kid=kid, algorithm=algorithm)
        return self._token(named, secret, kid=kid, algorithm=algorithm)

    def secret(self, source: str) -> Secret:
        """The password or PIN of a source; raises ``KeyUnusable``."""
        return read_secret(secret_source(source), folder=self._folder, environ=self._environ)

    def modules(self) -> Modules:
        """The PKCS #11 libraries of this process; raises ``KeyUnusable`` without the extra."""
        if self._modules is None:
            self._modules = self._new_modules()
        return self._modules

    def pin(self, named: TokenReference) -> Secret | None:
        """The PIN that the reference itself names, if it does."""
        if named.pin is None:
            return None
        return read_secret(named.pin, folder=self._folder, environ=self._environ)

    def _token(
        self, named: TokenReference, secret: Secret | None, *, kid: str, algorithm: str
    ) -> OwnSigner:
        modules = self.modules()
        from gateway.keys.token import TokenSigner  # after modules(): it needs the extra

        pin = secret or self.pin(named)
        return TokenSigner.open(named, pin=pin, modules=modules, kid=kid, algorithm=algorithm)


def _modules() -> Modules:
    try:
        from gateway.keys.device import Modules
    except ImportError as error:
        raise KeyUnusable(
            "keys on tokens need python-pkcs11: pip install 'luxor-gateway[pkcs11]'"
        ) from error
    return Modules()


def open_keyring(
    settings: SigningSettings, *, gateway: str, folder: Path, providers: Providers, clock: Clock
) -> Keyring:
    """Every key of the section, opened and checked; raises ``KeysUnusable``.

    Blocks: files are read, tokens are logged into.
    """
    opening = _Opening(gateway, folder, providers)
    current = opening.held("signing", settings, since=None)
    later = [
        opening.held(f"signing.next[{at}]", entry, since=entry.since)
        for at, entry in enumerate(settings.next)
    ]
    before = [
        opening.previous(f"signing.previous[{at}]", entry)
        for at, entry in enumerate(settings.previous)
    ]
    times = [entry.since for entry in settings.next]
    for at in range(1, len(times)):
        if times[at] <= times[at - 1]:
            opening.mistakes.append((f"signing.next[{at}].since", "is not after the one before"))
    held = [key for key in (current, *later) if key is not None]
    previous = [key for key in before if key is not None]
    opening.distinct([*(key.signer.kid for key in held), *(key.kid for key in previous)])
    if opening.mistakes:
        raise KeysUnusable(tuple(opening.mistakes))
    return Keyring(gateway, held, previous=previous, clock=clock)


class _Opening:
    """Opens key by key and gathers what is wrong."""

    def __init__(self, gateway: str, folder: Path, providers: Providers) -> None:
        self._gateway = gateway
        self._folder = folder
        self._providers = providers
        self.mistakes: list[tuple[str, str]] = []

    def held(
        self, place: str, entry: SigningSettings | NextKey, *, since: datetime | None
    ) -> HeldKey | None:
        signer = self._tried(
            f"{place}.key",
            lambda: self._providers.open(
                entry.key, password=entry.password, kid=entry.kid, algorithm=entry.algorithm
            ),
        )
        name = entry.certificate
        if signer is None:
            return None
        if name is None:
            return HeldKey(signer=signer, since=since)
        return self._tried(
            f"{place}.certificate", lambda: self._certified_key(signer, name, since=since)
        )

    def previous(self, place: str, entry: PreviousKey) -> PublishedKey | None:
        if entry.certificate is not None and entry.public_key is None:
            name = entry.certificate
            return self._tried(f"{place}.certificate", lambda: self._before(entry, name))
        if entry.certificate is None and entry.public_key is not None:
            bare = entry.public_key
            return self._tried(f"{place}.public_key", lambda: self._bare(entry, bare))
        self.mistakes.append((place, "name either its certificate or its public_key"))
        return None

    def distinct(self, kids: list[str]) -> None:
        """One name, one key: a receipt names its key by it."""
        for at, kid in enumerate(kids):
            if kid in kids[:at]:
                self.mistakes.append(("signing", f"two of the keys are called {kid}"))

    def _certified_key(self, signer: OwnSigner, name: str, *, since: datetime | None) -> HeldKey:
        found = self._certified(name)
        if _thumbprint(found.leaf) != signer.public_key.key.thumbprint():
            raise KeyUnusable(f"{name}: it is the certificate of another key")
        return HeldKey(
            signer=signer,
            certificates=found.chain,
            since=since,
            not_before=found.leaf.not_valid_before_utc,
            not_after=found.leaf.not_valid_after_utc,
        )

    def _before(self, entry: PreviousKey, name: str) -> PublishedKey:
        found = self._certified(name)
        return published_key(
            verifying_key(found.leaf.public_key(), kid=entry.kid, algorithm=entry.algorithm),
            use="previous",
            certificates=found.chain,
            not_before=entry.not_before or found.leaf.not_valid_before_utc,
            not_after=entry.not_after or found.leaf.not_valid_after_utc,
        )

    def _bare(self, entry: PreviousKey, name: str) -> PublishedKey:
        loaded = load_public_key(self._read(name))
        return published_key(
            verifying_key(loaded.public_key, kid=entry.kid, algorithm=entry.algorithm),
            use="previous",
            not_before=entry.not_before,
            not_after=entry.not_after,
        )

    def _certified(self, name: str) -> Certified:
        certificates = load_certificates(self._read(name))
        named = check_signing(certificates[0])
        if named is not None and named != self._gateway:
            raise KeyUnusable(f"{name}: it is the certificate of {named}")
        return Certified(certificates[0], tuple(map(pem_of, certificates)))

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                return file.read(MAX_CERTIFICATES_BYTES)
        except OSError as error:
            raise KeyUnusable(f"{path}: {error.strerror}") from error

    def _tried(self, place: str, work: Callable[[], T]) -> T | None:
        """What ``work`` gives; ``None`` after its failure was noted as a mistake there."""
        try:
            return work()
        except KeyUnusable as error:
            self.mistakes.append((place, str(error)))
        except TrustError as error:
            self.mistakes.append((place, error.detail))
        return None


def _thumbprint(leaf: x509.Certificate) -> str:
    return verifying_key(leaf.public_key()).key.thumbprint()
