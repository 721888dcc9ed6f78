"""spyne: XML that a schema validates, typed, and written as JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.peers import environment
from bench.peers.processes import free_port, serving
from bench.peers.subject import Open, Serving, Subject, at_once
from bench.peers.subjects.node_red import requests


def version() -> str:
    """spyne and what serves it."""
    of = environment.python_version
    return f"spyne {of('spyne')}, lxml {of('lxml')}, gunicorn {of('gunicorn')}"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Serving]:
    """One worker of gunicorn."""
    port = free_port()
    command = environment.gunicorn("spyne_items:application", port)
    place = environment.HERE / "serving"
    with serving(command, port=port, folder=folder, cwd=place) as pid:
        yield Serving(pid=pid, place=Open(port), requests=requests, done=at_once)


SUBJECT = Subject(
    id="spyne",
    title="spyne",
    does="libxml2 validates against the schema that spyne makes of its model (types, lengths,"
    " patterns, occurrences), the values become typed objects, and those JSON; no TLS, no"
    " signature, nothing kept",
    settings=f"{environment.GUNICORN}, nothing logged below"
    " errors; XmlDocument(validator='lxml') in, JsonDocument out",
    version=version,
    serve=serve,
    quickest=3_000,
)
