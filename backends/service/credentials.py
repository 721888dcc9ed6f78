"""Who we are and whom we know: our keys, and the party registry, read again when it changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
import msgspec

from backends.service.configuration import ConfigurationError, Settings
from trust.authenticator import Authenticator
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner, PublicKey
from trust.mistakes import Mistake, RegistryError
from trust.party import Registry
from trust.revocation import Revocations

Stamps = Mapping[Path, tuple[int, int]]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read at one time, and from which states of which files."""

    authenticator: Authenticator
    stamps: Stamps


class Credentials:
    """Our own keys and the registry of the moment. :meth:`refresh` swaps the whole value."""

    def __init__(self, settings: Settings) -> None:
        """Read everything. Raises :class:`ConfigurationError` for what cannot be used."""
        self._settings = settings
        service = settings.service
        self.party = PartyId(service.party)
        self.gateway = PartyId(settings.gateway.party)
        self._certificate = settings.path(service.certificate).read_bytes()
        self._key = settings.path(service.key).read_bytes()
        try:
            self.signer = KeySigner.from_pem(
                settings.path(service.signing_key).read_bytes(), kid=service.signing_kid
            )
        except TrustError as error:
            raise _wrong("service.signing_key", error.detail) from error
        self._known = self._read()

    @property
    def authenticator(self) -> Authenticator:
        """The latest readable state of the registry and its revocation lists."""
        return self._known.authenticator

    def gateway_keys(self) -> Mapping[str, PublicKey]:
        """The registered keys of the gateway."""
        return self.authenticator.keys(self.gateway)

    def refresh(self) -> bool:
        """Read the registry again if a file changed; true if there is a new one.

        Raises :class:`ConfigurationError` when it cannot be used; the last good one then stays.
        """
        if all(_stamp(path) == stamp for path, stamp in self._known.stamps.items()):
            return False
        self._known = self._read()
        return True

    def server(self) -> grpc.ServerCredentials:
        """TLS for serving: whoever calls shows a certificate of the gateway's authorities."""
        return grpc.ssl_server_credentials(
            [(self._key, self._certificate)],
            root_certificates=self._authorities(),
            require_client_auth=True,
        )

    def client(self) -> grpc.ChannelCredentials:
        """TLS for calling the gateway, whose authorities are pinned."""
        pinned = self._settings.gateway.authorities
        roots = b"\n".join(self._settings.path(name).read_bytes() for name in pinned)
        return grpc.ssl_channel_credentials(
            root_certificates=roots or self._authorities(),
            private_key=self._key,
            certificate_chain=self._certificate,
        )

    def _authorities(self) -> bytes:
        registry = self.authenticator.registry
        names = registry.party(self.gateway).authorities
        pems = [pem for name in names for pem in registry.authorities[name].certificates]
        return "\n".join(pems).encode()

    def _read(self) -> Known:
        path = self._settings.path(self._settings.service.registry)
        stamps: dict[Path, tuple[int, int]] = {}
        read = _reader(path.parent, stamps)
        try:
            registry = Registry.from_toml(read(path.name).decode(), read)
        except RegistryError as error:
            raise ConfigurationError(str(path), error.mistakes) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(str(path), [Mistake("", str(error))]) from error
        self._check(registry)
        lists: dict[str, bytes] = {}
        for name in registry.crls():
            try:
                lists[name] = read(name)
            except OSError:  # without its list an authority vouches for nobody: it fails hard
                continue
        revocations = Revocations.from_files(registry.authorities.values(), lists)
        return Known(
            authenticator=Authenticator(registry, revocations),
            stamps=stamps,
        )

    def _check(self, registry: Registry) -> None:
        found = registry.parties.get(self.gateway)
        if found is None:
            raise _wrong("gateway.party", f"the registry has no party {self.gateway!r}")
        if not found.signing_keys:
            raise _wrong("gateway.party", f"{self.gateway!r} has no signing key in the registry")
        if not found.authorities:
            raise _wrong("gateway.party", f"{self.gateway!r} has no authority in the registry")


def _reader(folder: Path, seen: dict[Path, tuple[int, int]]) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        path = folder / name
        seen[path] = _stamp(path)  # before it is read: a change in between is seen next time
        return path.read_bytes()

    return read


def _stamp(path: Path) -> tuple[int, int]:
    try:
        state = os.stat(path)  # noqa: PTH116 - both fields of one state, at once
    except OSError:
        return (0, 0)
    return (state.st_mtime_ns, state.st_size)


def _wrong(path: str, detail: str) -> ConfigurationError:
    return ConfigurationError("configuration", [Mistake(path, detail)])
