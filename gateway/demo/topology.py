"""Where the demonstration lives: folders, ports and configuration files."""

from __future__ import annotations

import shutil
import socket
from importlib import resources
from pathlib import Path
from string import Template

import msgspec

PORTS = {
    "lx_https": 8443,
    "lx_grpc": 8444,
    "lx_operations": 8440,
    "pn_https": 9443,
    "pn_grpc": 9444,
    "pn_operations": 9440,
    "risk": 8501,
    "revenue": 8502,
    "clearance": 8503,
}
"""The ports of a demonstration that stays up, so that a person can write them down."""

GATEWAYS = ("gateway-lx", "gateway-pn")
BACKENDS = ("risk", "revenue", "clearance")


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """The places of one demonstration run."""

    root: Path
    certs: Path
    ports: dict[str, int]

    @property
    def post(self) -> Path:
        """The post's folder: ``in/`` for what it sends, ``responses/`` for what it gets."""
        return self.root / "post-a"

    def place(self, name: str) -> Path:
        """The folder of one process: its configuration, its data, its log."""
        return self.root / name

    def config(self, name: str) -> Path:
        """The configuration file of one process."""
        return self.place(name) / f"{name}.toml"

    def url(self, gateway: str) -> str:
        """The HTTPS address of a gateway."""
        return f"https://localhost:{self.ports[gateway.removeprefix('gateway-') + '_https']}"

    def grpc(self, gateway: str) -> str:
        """The gRPC address of a gateway."""
        return f"grpc://localhost:{self.ports[gateway.removeprefix('gateway-') + '_grpc']}"

    def operations(self, gateway: str) -> str:
        """The address of a gateway's health and metrics."""
        port = self.ports[gateway.removeprefix("gateway-") + "_operations"]
        return f"http://127.0.0.1:{port}"


def free_ports() -> dict[str, int]:
    """A free port for each name, so that several demonstrations can run at once."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    try:
        return {
            name: listener.getsockname()[1] for name, listener in zip(PORTS, sockets, strict=True)
        }
    finally:
        for listener in sockets:
            listener.close()


def lay_out(topology: Topology) -> None:
    """Make the folders anew and write every configuration file."""
    shutil.rmtree(topology.root, ignore_errors=True)
    values = {"certs": str(topology.certs.resolve()), **topology.ports}
    templates = resources.files("gateway.demo").joinpath("network")
    for name in (*GATEWAYS, *BACKENDS):
        topology.place(name).mkdir(parents=True)
        text = templates.joinpath(f"{name}.toml").read_text("utf-8")
        topology.config(name).write_text(Template(text).substitute(values), "utf-8")
    for name, owner in (
        ("regime-lu.toml", "gateway-lx"),
        ("risk-profile.toml", "risk"),
        ("revenue-tables.toml", "revenue"),
    ):
        content = templates.joinpath(name).read_bytes()
        (topology.place(owner) / name).write_bytes(content)
    for folder in ("in", "responses"):
        (topology.post / folder).mkdir(parents=True)
