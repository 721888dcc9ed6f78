"""Our translators behind a bare HTTP server: what is nearest to a translation and nothing else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from bench.peers.environment import ROOT
from bench.peers.processes import free_port, serving
from bench.peers.subject import Open, Serving, Subject, at_once
from bench.peers.subjects.node_red import requests


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Serving]:
    """One process."""
    port = free_port()
    command: list[str | Path] = [sys.executable, "-m", "bench.peers.serving.library", f"{port}"]
    with serving(command, port=port, folder=folder, cwd=ROOT) as pid:
        yield Serving(pid=pid, place=Open(port), requests=requests, done=at_once)


SUBJECT = Subject(
    id="library",
    title="Luxor's translators",
    does="the layout reads the document into typed values, accounts for every element and"
    " attribute, checks lengths, codes, decimals and dates, and writes them as luxor.json.1; no"
    " TLS, no signature, nothing kept",
    settings="the library behind aiohttp on uvloop, one process of one thread",
    version=lambda: f"aiohttp {version('aiohttp')}, lxml {version('lxml')}",
    serve=serve,
    quickest=12_000,
)
