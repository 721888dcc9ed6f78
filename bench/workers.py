"""What a second worker brings: interchanges accepted and delivered by one and by two, in one run.

``python bench/workers.py [SECONDS]``. Signed in by mutual TLS, one ITMATT item each, SQLite with an
fsync for each group, one folder destination. Callers share the cores with the gateway: so the CPU
time of its processes for one interchange stands beside the rate.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from tests.e2e import documents
from tests.e2e.callers import client_context
from tests.e2e.network import CONFIG, GatewayProcess, make_pki

CALLERS = 2
CONNECTIONS = 16
"""Of each caller process."""


async def _call(gateway: GatewayProcess, caller: int, until: float) -> int:
    context = client_context(gateway, "post-a")
    url = f"https://localhost:{gateway.ports.https}/v1/interchanges"
    taken = 0

    async def send(connection: int) -> None:
        nonlocal taken
        number = 0
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < until:
                number += 1
                name = f"bench-{caller}-{connection}-{number}"
                serial = (caller * CONNECTIONS + connection) * 1_000_000 + number
                async with session.post(
                    url,
                    data=documents.good(serial % 100_000_000, control=name),
                    headers={"Luxor-Interchange-Id": name, "Luxor-Format": "upu.itmatt.1"},
                    ssl=context,
                ) as answer:
                    assert answer.status == 202, await answer.text()
                    taken += 1

    async with asyncio.TaskGroup() as group:
        for connection in range(CONNECTIONS):
            group.create_task(send(connection))
    return taken


def _caller(gateway: GatewayProcess, caller: int, until: float) -> int:
    return asyncio.run(_call(gateway, caller, until))


def _children(pid: int) -> Sequence[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu(pids: Sequence[int]) -> float:
    """Seconds of CPU of these processes so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(folder: Path, certs: Path, workers: int, seconds: float) -> tuple[float, float, float]:
    """Accepted a second, delivered a second meanwhile, and CPU in ms for one accepted."""
    config = CONFIG + "\n[limits.party]\nrequests_per_second = 100000\nburst = 100000\n"
    gateway = GatewayProcess(folder, certs, config)
    gateway.start(f"gateway.workers={workers}", 'gateway.log_level="warning"')
    try:
        assert gateway.pid is not None
        pids = _children(gateway.pid)
        gateway_only = GatewayProcess.__new__(GatewayProcess)  # without its process, to be sent
        gateway_only.certs, gateway_only.ports = gateway.certs, gateway.ports
        with multiprocessing.get_context("spawn").Pool(CALLERS) as pool:
            pool.map(abs, range(CALLERS))  # started, before the time runs
            before, until = _cpu(pids), time.monotonic() + seconds
            counts = pool.starmap(_caller, [(gateway_only, n, until) for n in range(CALLERS)])
            spent = _cpu(pids) - before
        delivered = len(list((folder / "archive").glob("*.json")))
        return sum(counts) / seconds, delivered / seconds, spent / sum(counts) * 1e3
    finally:
        gateway.stop()


def main() -> None:
    """Print both, twice in turn, and their ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        rates: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(2):
            for workers, found in rates.items():
                place = folder / f"{workers}-{turn}"
                taken, delivered, cpu = measure(place, certs, workers, seconds)
                found.append(taken)
                print(
                    f"{workers} worker{'s' * (workers > 1)}: {taken:6.0f} accepted a second,"
                    f" {delivered:6.0f} delivered, {cpu:.2f} ms of CPU each",
                    flush=True,
                )
        ratio = sum(rates[2]) / sum(rates[1])
        print(f"two workers to one: {ratio:.2f} (callers on the same {os.cpu_count()} cores)")


if __name__ == "__main__":
    main()
