"""A PostgreSQL server for measurements: every commit waits for the disk, unlike that of tests."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Iterator
from contextlib import contextmanager

from tests.gateway.store.samples import GATEWAY
from tests.postgres import Server

__all__ = ["GATEWAY", "database"]


@functools.cache
def _server() -> Server:
    """The server of this process, started by the first call, and stopped with it."""
    server = Server(safe=True, settings={"shared_buffers": "256MB"})
    atexit.register(server.stop)
    server.start()
    return server


@contextmanager
def database() -> Iterator[str]:
    """The URL of a database with an empty journal of `GATEWAY`."""
    with _server().database() as url:
        yield url
