"""What of a gateway's own files and registry ends, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.config.document import Config
from gateway.config.evidence import file_name
from trust.authenticator import Authenticator
from trust.expiry import Expiring, Kind, of_certificate, of_chain, of_clients, of_list, of_registry
from trust.party import Registry
from trust.registry_pins import pinned_certificates

MAX_FILE_BYTES = 16 * 1024 * 1024


def expiring_of(config: Config, registry: Registry) -> Iterator[Expiring]:
    """Everything that ends: our certificates and pins, the registry, its revocation lists.

    Reads files; one that is missing or is something else is passed over, because whoever needs it
    says so.
    """
    gateway = config.gateway.id
    yield from _file(config.path, config.tls.certificate, kind="tls", owner=gateway)
    signing = config.signing
    names = [signing.certificate, *(key.certificate for key in signing.next)]
    for name in names:
        if name is not None:
            yield from _file(config.path, name, kind="signing", owner=gateway)
    for destination in config.destination:
        if destination.ca is not None:
            yield from _file(config.path, destination.ca, kind="pinned", owner=destination.id)
    fetched = config.path(config.gateway.data) / "revocation"
    for authority in registry.authorities.values():
        for url in authority.crl_urls:
            content = _read(fetched / file_name(url))
            if content is not None:
                yield from of_list(content, name=authority.id, what=url)
    file = config.registry.file
    pins = None if file is None else config.path(file)
    yield from expiring_of_registry(registry, pins, config.path(config.registry.crls))


def expiring_around(config: Config, authenticator: Authenticator) -> Iterator[Expiring]:
    """The same of a running gateway, and the client certificates that it was shown."""
    yield from expiring_of(config, authenticator.registry)
    yield from of_clients(authenticator.seen())


def expiring_of_registry(registry: Registry, file: Path | None, crls: Path) -> Iterator[Expiring]:
    """What of a registry ends, and of the lists that it names below ``crls``.

    ``file`` is where the registry was read from: certificates that it pins are there.
    """
    yield from of_registry(registry)
    for authority in registry.authorities.values():
        for name in authority.crls:
            content = _read(crls / name)
            if content is not None:
                yield from of_list(content, name=authority.id, what=name)
    text = None if file is None else _read(file)
    if file is None or text is None:
        return
    for party, source, pem in pinned_certificates(text, lambda name: _read(file.parent / name)):
        yield from of_certificate(pem, kind="pinned", name=party, what=source)


def _file(place: Callable[[str], Path], name: str, *, kind: Kind, owner: str) -> Iterator[Expiring]:
    content = _read(place(name))
    if content is not None:
        yield from of_chain(content, kind=kind, name=owner, what=name)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except (OSError, ValueError):  # a name may hold anything
        return None
