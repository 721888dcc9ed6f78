"""Two administrations with a gateway each, configured as the page about them says."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gateway.client.credentials import development
from gateway.client.https import PartyClient
from tests.e2e.network import GatewayProcess

PAGE = Path(__file__).parents[2] / "docs" / "gateways.md"
PORTS = ("8443", "8444", "8440", "9443", "9444", "9440")
QUICK = """
[dispatch]
timeout = 2
lease = 4
longest_pause = 0.3
"""


def blocks(language: str) -> list[str]:
    """The fenced blocks of the page in a language, in order."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


def free_ports() -> dict[str, str]:
    """A free port for each port of the page."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    try:
        return {
            name: str(listener.getsockname()[1])
            for name, listener in zip(PORTS, sockets, strict=True)
        }
    finally:
        for listener in sockets:
            listener.close()


def replaced(text: str, ports: dict[str, str]) -> str:
    """A text of the page with free ports."""
    for name, port in ports.items():
        text = text.replace(name, port)
    return text


class Administration:
    """A gateway process, and what of it a test looks at."""

    def __init__(self, process: GatewayProcess) -> None:
        self.process = process

    def client(self, party: str) -> PartyClient:
        """That party of this side at its gateway."""
        credentials, peer = development(self.process.certs, party)
        return PartyClient(
            f"https://localhost:{self.process.ports.https}", credentials, gateway=peer
        )

    def archive(self) -> list[dict[str, Any]]:
        """The messages that were delivered here, in the order in which this gateway took them.

        Files are named by message ids, which begin with the gateway and count up with its records.
        """
        found = []
        for file in sorted((self.process.folder / "archive").glob("*.json")):
            found += msgspec.json.decode(file.read_bytes())["messages"]
        return found


@contextlib.contextmanager
def both(folder: Path, certs: Path) -> Iterator[tuple[Administration, Administration]]:
    """Both gateways of the page, on free ports; they keep them when they are started again."""
    ports = free_ports()
    sides = []
    for name, text in zip(("luxor", "partner"), blocks("toml"), strict=True):
        config = replaced(text, ports).replace("../certs", str(certs)) + QUICK
        sides.append(Administration(GatewayProcess(folder / name, certs, config)))
    try:
        for side in sides:
            side.process.start()
        yield sides[0], sides[1]
    finally:
        for side in sides:
            side.process.stop()
