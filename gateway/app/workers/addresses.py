"""What the workers of a gateway listen on, opened once for all of them.

HTTP listens on sockets that the workers inherit: connections wait in one queue whoever ends, and a
worker that is busy takes none. gRPC opens its own sockets: its port is kept here by one that is
bound and never listens, so that a worker always finds it, and nobody is led to it.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gateway.config import Config, ConfigError, Mistake
from gateway.ingress.http.server import listening_socket
from gateway.ingress.http.settings import HttpSettings

FREED_SECONDS = 3.0
"""How long an address is waited for: workers whose supervisor was killed are about to leave it."""
_STEP_SECONDS = 0.1


class Addresses:
    """The open sockets; ``close`` gives them back."""

    def __init__(self, config: Config) -> None:
        """Raises ``ConfigError`` for an address that the machine does not give."""
        self.listening: dict[str, socket.socket] = {}
        self._kept: socket.socket | None = None
        try:
            self._open(config)
        except BaseException:
            self.close()
            raise

    def _open(self, config: Config) -> None:
        sections = {"https": config.ingress.https, "signed": config.ingress.signed}
        for name, section in sections.items():
            if section is not None:
                with _said(config, name):
                    self.listening[name] = _listening(section.host, section.port, section.limits)
        grpc = config.ingress.grpc
        if grpc is not None:
            with _said(config, "grpc"):
                self._kept = _kept(grpc.host, grpc.port)

    @property
    def grpc_port(self) -> int | None:
        """The port that the workers share."""
        return None if self._kept is None else int(self._kept.getsockname()[1])

    @property
    def ports(self) -> Mapping[str, int]:
        """By the name of the ingress."""
        ports = {name: int(one.getsockname()[1]) for name, one in self.listening.items()}
        return ports if self.grpc_port is None else {**ports, "grpc": self.grpc_port}

    def close(self) -> None:
        """Listen no more, as far as this process is concerned. May be called twice."""
        for one in self.listening.values():
            one.close()
        if self._kept is not None:
            self._kept.close()


def _listening(host: str, port: int, settings: HttpSettings) -> socket.socket:
    until = time.monotonic() + FREED_SECONDS
    while True:
        try:
            return listening_socket(host, port, settings)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
        time.sleep(_STEP_SECONDS)


def _kept(host: str, port: int) -> socket.socket:
    """A bound socket that shares its port with those who say that they share it too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
    kept = socket.socket(family, socket.SOCK_STREAM)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(place)
    except BaseException:
        kept.close()
        raise
    return kept


@contextmanager
def _said(config: Config, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        mistake = Mistake(f"ingress.{name}.port", error.strerror or str(error))
        raise ConfigError(config.file, [mistake]) from error
