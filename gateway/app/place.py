"""Which process of a gateway this is, and what its supervisor has opened for it.

The supervisor hands sockets over that listen already: all workers take connections from the same
queue, and nobody who has connected is lost when one of them ends. gRPC opens its own sockets, so
there workers share a port that the supervisor keeps (``SO_REUSEPORT``).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a worker; the default is that of a gateway of one process."""

    worker: int = 0
    """Its number among the workers; the first does what is to be told once."""
    supervised: bool = False
    sockets: Mapping[str, int] = {}
    """File descriptors that listen, by the name of their ingress."""
    grpc_port: int | None = None
    line: int | None = None
    """A file descriptor that ends when the supervisor does, and takes one line: the ports."""

    @property
    def worker_number(self) -> int | None:
        """As events tell it: none where there is but one process."""
        return self.worker if self.supervised else None

    @property
    def first(self) -> bool:
        """Whether what is to be told once for all workers is told here."""
        return self.worker == 0

    def listener(self, name: str) -> socket.socket | None:
        """The socket for an ingress, when it is open already; to be asked for once."""
        descriptor = self.sockets.get(name)
        return None if descriptor is None else socket.socket(fileno=descriptor)


ALONE = Place()
"""The place of a process that is a gateway by itself."""
