"""Node-RED: an HTTP request, its XML node, its JSON node, the response."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.load.pump import Request
from bench.peers import environment
from bench.peers.documents import document
from bench.peers.load import request
from bench.peers.processes import free_port, serving
from bench.peers.subject import Open, Serving, Subject, at_once

FLOW = environment.HERE / "serving/node_red"


def version() -> str:
    """Node-RED and Node."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607 - whichever Node is installed
    return f"Node-RED {environment.node_version('node-red')}, Node {node.stdout.strip()[1:]}"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Serving]:
    """One process of Node."""
    user = folder / "user"
    shutil.copytree(FLOW, user)
    port = free_port()
    command: list[str | Path] = ["node", environment.node() / "node_modules/node-red/red.js"]
    command += ["--port", f"{port}", "--userDir", user, "--settings", user / "settings.js"]
    production = {"NODE_ENV": "production"}
    with serving(command, port=port, folder=folder, environment=production, cwd=user) as pid:
        yield Serving(pid=pid, place=Open(port), requests=requests, done=at_once)


def requests(first: int, count: int) -> Sequence[Request]:
    """Documents as XML."""
    fields = {"Content-Type": "application/xml"}
    return [
        request(document(number), path="/", name=f"{number}", fields=fields)
        for number in range(first, first + count)
    ]


SUBJECT = Subject(
    id="node-red",
    title="Node-RED",
    does="the XML node makes an object of any XML, the JSON node writes it: every value a text in a"
    " list, nothing typed, nothing checked; no TLS, no signature, nothing kept",
    settings="one Node process, NODE_ENV=production, editor and admin API off, nothing logged"
    " below errors; flow: http in, xml, json, http response",
    version=version,
    serve=serve,
    quickest=6_000,
)
