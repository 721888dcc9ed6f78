"""A supervisor and its workers, which are small programs here."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.app import new_telemetry
from gateway.app.workers import Supervisor, Unstartable
from gateway.app.workers.process import State, WorkerProcess
from gateway.config import Config, ConfigError, load
from gateway.core.errors import Unavailable

HANG_SECONDS = 60.0
WORKER = """
import json, os, pathlib, signal, socket, sys, time
place = json.loads(sys.argv[sys.argv.index("--place") + 1])
notes = pathlib.Path(sys.argv[1])
if (notes / "broken").exists():
    sys.exit(int((notes / "broken").read_text()))
if place["worker"] == 1 and (notes / "second").exists():
    (notes / "second").unlink()
    sys.exit(1)
with (notes / "started").open("a") as started:
    started.write(f"{place['worker']} {os.getpid()}\\n")
while (notes / "slow").exists():
    time.sleep(0.01)
listener = socket.socket(fileno=place["sockets"]["operations"])
def end(*_):
    with (notes / "ended").open("a") as ended:
        ended.write(f"{os.getpid()}\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.write(place["line"], b"\\n")
while True:
    caller, _ = listener.accept()
    caller.recv(65536)
    body = b'{"ready":true}'
    caller.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n"
                   b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
    caller.close()
"""
CONFIG = """
[gateway]
id = "gateway-lx"
number = 1
[tls]
certificate = "tls.pem"
key = "tls.key"
[signing]
key = "signing.key"
[registry]
[ingress.https]
port = 0
[ingress.grpc]
port = 0
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG, "utf-8")
    return load(file)


def supervisor_of(config: Config, folder: Path) -> Supervisor:
    (folder / "worker.py").write_text(WORKER, "utf-8")
    return Supervisor(
        config,
        workers=2,
        command=(sys.executable, str(folder / "worker.py"), str(folder)),
        telemetry=new_telemetry(config, stream=io.StringIO()),
        random=lambda: 0.0,
    )


@asynccontextmanager
async def running(config: Config, folder: Path) -> AsyncIterator[Supervisor]:
    supervisor = supervisor_of(config, folder)
    try:
        await supervisor.start()
        yield supervisor
    finally:
        await supervisor.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not holds():  # noqa: ASYNC110 - processes do what is waited for
            await asyncio.sleep(0.01)


async def test_the_first_that_can_not_start_ends_the_whole_with_its_status(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("2")
    supervisor = supervisor_of(config, tmp_path)

    with pytest.raises(Unstartable) as ended:
        await supervisor.start()
    await supervisor.stop()

    assert 2 == ended.value.status
    assert not (tmp_path / "started").exists()


async def test_who_signals_to_a_worker_does_not_take_its_status_from_who_watches_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    async with running(config, tmp_path) as supervisor:
        first, second = supervisor.serving
        with monkeypatch.context() as patched:
            # Popen.poll waits for the process, and whoever else waits for it then hears nothing.
            patched.setattr(subprocess.Popen, "poll", lambda process: taken.append(process.pid))
            second.kill()

        assert -signal.SIGKILL == await second.wait()
        assert first in supervisor.serving
    assert [] == taken


async def test_another_that_ends_before_it_serves_is_started_again(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "second").touch()

    async with running(config, tmp_path) as supervisor:
        await until(lambda: len(supervisor.serving) == 2)

        assert not (tmp_path / "second").exists()


async def test_a_restart_that_fails_leaves_the_old_workers_alone(
    config: Config, tmp_path: Path
) -> None:
    async with running(config, tmp_path) as supervisor:
        before = [worker.pid for worker in supervisor.serving]
        (tmp_path / "broken").write_text("2")

        with pytest.raises(Unavailable, match="the old workers go on"):
            await supervisor.restart()

        assert before == [worker.pid for worker in supervisor.serving]
        assert supervisor.is_ready()
        assert not (tmp_path / "ended").exists()


async def test_a_restart_for_which_a_process_is_wanting_leaves_the_old_workers_alone(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(config, tmp_path) as supervisor:
        before = [worker.pid for worker in supervisor.serving]
        start = WorkerProcess.start

        async def scarce(*given: Any, number: int, **words: Any) -> WorkerProcess:
            if number == 1:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            return await start(*given, number=number, **words)

        monkeypatch.setattr(WorkerProcess, "start", scarce)
        with pytest.raises(Unavailable, match="the old workers go on"):
            await supervisor.restart()
        await until(lambda: len(supervisor.workers) == 2)

        assert before == [worker.pid for worker in supervisor.serving]


async def test_a_worker_that_dies_during_a_restart_is_not_there_twice_after_it(
    config: Config, tmp_path: Path
) -> None:
    async with running(config, tmp_path) as supervisor:
        second = supervisor.serving[1]
        (tmp_path / "slow").touch()
        restart = asyncio.create_task(supervisor.restart())
        await until(lambda: len(supervisor.workers) == 4)
        second.kill()
        await until(lambda: second not in supervisor.workers and len(supervisor.workers) == 4)
        (tmp_path / "slow").unlink()
        await restart

        assert supervisor.serving == supervisor.workers
        assert 2 == len(supervisor.workers)


async def test_one_restart_at_a_time(config: Config, tmp_path: Path) -> None:
    async with running(config, tmp_path) as supervisor:
        before = {worker.pid for worker in supervisor.serving}
        first = asyncio.create_task(supervisor.restart())
        await asyncio.sleep(0)

        with pytest.raises(Unavailable, match="under way"):
            await supervisor.restart()
        await first

        assert not before & {worker.pid for worker in supervisor.serving}
        assert 2 == len(supervisor.serving)
        assert {str(pid) for pid in before} == set((tmp_path / "ended").read_text().split())


async def test_one_that_dies_again_and_again_is_started_again_and_the_other_serves(
    config: Config, tmp_path: Path
) -> None:
    async with running(config, tmp_path) as supervisor:
        first, second = supervisor.serving
        (tmp_path / "broken").write_text("1")
        second.kill()
        await until(lambda: supervisor.registry.get_sample_value("luxor_workers_died_total") == 2)
        alone = [worker.pid for worker in supervisor.serving]
        (tmp_path / "broken").unlink()
        await until(lambda: len(supervisor.serving) == 2)

        assert [first.pid] == alone
        assert State.ENDED is second.state


async def test_all_are_asked_to_end_and_what_was_listened_on_is_free(
    config: Config, tmp_path: Path
) -> None:
    async with running(config, tmp_path) as supervisor:
        pids = {str(worker.pid) for worker in supervisor.serving}
        port = supervisor.ports["https"]

    assert pids == set((tmp_path / "ended").read_text().split())
    socket.create_server(("127.0.0.1", port)).close()


async def test_an_address_that_is_taken_is_a_mistake_of_the_configuration(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.workers.addresses.FREED_SECONDS", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = load(tmp_path / "gateway.toml", changes={"ingress.https.port": port})

        with pytest.raises(ConfigError) as refused:
            supervisor_of(other, tmp_path)

    assert ["ingress.https.port"] == [mistake.path for mistake in refused.value.mistakes]


async def test_no_path_leads_to_the_sockets_of_workers(config: Config, tmp_path: Path) -> None:
    async with running(config, tmp_path) as supervisor:
        assert all(worker.sound for worker in supervisor.serving)
        assert [] == [path for path in (tmp_path / "data").iterdir() if path.is_socket()]
