"""What is put under fault: a gateway on SQLite with workers, or two nodes on one PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import asyncpg

from tests.faults.processes import Victim, free_port
from tests.faults.receiver import PATHS
from tests.postgres import Server

StoreName = Literal["sqlite", "postgres"]
LEASE_SECONDS = 4.0

CONFIG = """
[gateway]
id = "gateway-lx"
number = 1
data = "data"
log_level = "warning"

[tls]
certificate = "{certs}/luxor/parties/gateway-lx/tls.pem"
key = "{certs}/luxor/parties/gateway-lx/tls.key"

[signing]
key = "{certs}/luxor/parties/gateway-lx/signing.key"

[registry]
file = "{certs}/luxor/registry.toml"
crls = "{certs}/luxor"

[ingress]
operations = {operations}

[ingress.https]
port = {port}

[dispatch]
timeout = 2
lease = {lease}
longest_pause = 0.5
attempts = 100
{journal}
{destinations}
[[agreement]]
name = "backends"
purpose = "tests"
role = "backend"
kinds = ["ItemDeclaration"]
fields = ["**"]

[[route]]
name = "items"
kinds = ["ItemDeclaration"]
to = [{names}]
"""
DESTINATION = """
[[destination]]
id = "{name}"
party = "customs-{name}"
transport = "https"
address = "https://localhost:{port}/{name}"
ca = "{certs}/luxor/root.pem"
format = "luxor.json.1"
receipt = "none"
"""


class Site:
    """The processes of one run, and the ways to harm them."""

    def __init__(self, folder: Path, certs: Path, *, store: StoreName, seed: int) -> None:
        self.store = store
        self.folder = folder
        self.certs = certs
        self.book = folder / "book.ndjson"
        self._database: Server | None = None
        self._url = ""
        self._stack = contextlib.ExitStack()
        self.receiver = self._make_receiver(seed)
        self.nodes: list[Victim] = []

    @property
    def ports(self) -> list[int]:
        """Where senders may send to."""
        return [node.port for node in self.nodes]

    def start(self) -> None:
        """Start everything and wait until it serves."""
        journal = self._open_database() if self.store == "postgres" else ""
        self.receiver.start()
        names = ("one", "two") if self.store == "postgres" else ("one",)
        self.nodes = [self._make_node(name, journal) for name in names]
        for node in self.nodes:
            node.start()
            node.wait()
        self.receiver.wait()

    def stop(self) -> None:
        """End everything, whatever state it is in."""
        with contextlib.ExitStack() as stack:
            stack.push(self._stack.pop_all())
            if self._database is not None:
                stack.callback(self._database.stop)
            for victim in (*self.nodes, self.receiver):
                stack.callback(victim.kill)

    def faults(self) -> tuple[str, ...]:
        """What may be killed here."""
        if self.store == "postgres":
            return ("gateway", "node", "node", "receiver", "database")
        return ("gateway", "worker", "worker", "receiver")

    def harm(self, fault: str, chosen: random.Random) -> Callable[[], None]:
        """Kill something; what is returned repairs it."""
        if fault == "database":
            assert self._database is not None
            self._database.kill()
            return self._database.start
        if fault == "worker":
            self.nodes[0].kill_worker(chosen)
            return self.nodes[0].wait
        victims = {
            "receiver": [self.receiver],
            "gateway": self.nodes,
            "node": [chosen.choice(self.nodes or [self.receiver])],
        }[fault]
        for victim in victims:
            victim.kill()

        def repair() -> None:
            for victim in victims:
                victim.start()
            for victim in victims:
                victim.wait()

        return repair

    def damage(self) -> str:
        """What is wrong with the store once everything has stopped; blocks, empty for nothing."""
        if self.store == "postgres":
            legs, found = asyncio.run(self._open_legs()), "ok"
        else:
            with contextlib.closing(sqlite3.connect(self.folder / "one/data/journal.db")) as file:
                (found,) = file.execute("PRAGMA integrity_check").fetchone()
                (legs,) = file.execute("SELECT count(*) FROM leg").fetchone()
        problems = [] if found == "ok" else [str(found)]
        return "; ".join(problems + ([f"{legs} legs are open"] if legs else []))

    async def _open_legs(self) -> int:
        connection = await asyncpg.connect(self._url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM leg"))
        finally:
            await connection.close()

    def _make_receiver(self, seed: int) -> Victim:
        port = free_port()
        command = ["-m", "tests.faults.receiver", "--book", str(self.book)]
        command += ["--certs", str(self.certs), "--port", str(port), "--seed", str(seed)]
        return Victim("receiver", command, port=port, log=self.folder / "receiver.log")

    def _make_node(self, name: str, journal: str) -> Victim:
        folder = self.folder / name
        folder.mkdir()
        port, health = free_port(), free_port()
        config = folder / "gateway.toml"
        destinations = "".join(
            DESTINATION.format(name=path, port=self.receiver.port, certs=self.certs)
            for path in PATHS
        )
        text = CONFIG.format(
            certs=self.certs,
            port=port,
            operations=f"{{ port = {health} }}",
            lease=LEASE_SECONDS,
            journal=journal,
            destinations=destinations,
            names=", ".join(f'"{path}"' for path in PATHS),
        )
        config.write_text(text, "utf-8")
        command = ["-m", "gateway", "serve", "--config", str(config)]
        if self.store == "sqlite":
            command += ["--workers", "2"]
        return Victim(f"node {name}", command, port=port, log=folder / "gateway.log", health=health)

    def _open_database(self) -> str:
        self._database = Server(safe=True)
        self._database.start()
        self._url = self._stack.enter_context(self._database.database(gateway=1))
        return f'[journal]\nurl = "{self._url}"\n'


@contextlib.contextmanager
def running(folder: Path, certs: Path, *, store: StoreName, seed: int) -> Iterator[Site]:
    """A site that serves, and is stopped at the end whatever happens."""
    site = Site(folder, certs, store=store, seed=seed)
    try:
        site.start()
        yield site
    finally:
        site.stop()
