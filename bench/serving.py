"""Servers to be measured, as processes of their own: a gateway, and the bare ones beside it."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.load.target import Target
from tests.e2e.network import CONFIG, GatewayProcess

ROOMY = """
[limits.party]
requests_per_second = 1000000
burst = 1000000
concurrent = 100000
connections = 2000
"""
"""What one party may ask for: here one party is all the load."""
ROOMIER = (
    "ingress.https.limits.spool.max_bytes=67108864",
    "ingress.https.limits.submissions=1000",
    "limits.longest_wait=60",
    'gateway.log_level="warning"',
)
"""An ITMATT of 10,000 items is 16 MB; that the machine is busy otherwise turns nobody away."""
START_SECONDS, STOP_SECONDS = 30.0, 10.0


class Served:
    """A server under load: its processes, what they cost, where it listens."""

    def __init__(self, pid: int, certs: Path, ports: Mapping[str, int]) -> None:
        """``ports`` by transport: ``https``, ``grpc``, ``operations``."""
        self.pid = pid
        self.certs = certs
        self.ports = ports

    def pids(self) -> list[int]:
        """The process and those below it."""
        return list(_tree(self.pid))

    def cpu(self) -> float:
        """Seconds of CPU so far, of all threads of all its processes."""
        return sum(cpu_of(pid) for pid in self.pids())

    def resident(self) -> int:
        """Bytes of memory, of all its processes together."""
        return sum(resident_of(pid) for pid in self.pids())

    def target(self, party: str, *, transport: str = "https") -> Target:
        """To be called as that party of the development network."""
        place = self.certs / "luxor/parties" / party
        return Target(
            port=self.ports["https" if transport == "https" else "grpc"],
            certificate=str(place / "tls.pem"),
            key=str(place / "tls.key"),
            authority=str(self.certs / "luxor/root.pem"),
            signing_key=str(place / "signing.key"),
        )

    def metrics(self) -> dict[str, float]:
        """Every sample of the operations listener by its name with its labels."""
        url = f"http://127.0.0.1:{self.ports['operations']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return read_metrics(answer.read().decode())


def read_metrics(text: str) -> dict[str, float]:
    """Prometheus' text format by sample."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def summed(metrics: Mapping[str, float], name: str) -> float:
    """The sum of one metric over its labels; 0 when there is none."""
    return sum(
        value for key, value in metrics.items() if key == name or key.startswith(f"{name}{{")
    )


def cpu_of(pid: int) -> float:
    """Seconds of CPU so far of one process, all threads it ever had, its time in the kernel, too.

    By the process's own clock (clock_getcpuclockid(3): all bits of the pid but three turned over,
    and 2 for the scheduler's account): ``/proc`` counts ticks of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def resident_of(pid: int) -> int:
    """Bytes of memory of one process."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:")), 0)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


@contextmanager
def gateway(
    folder: Path,
    certs: Path,
    *,
    changes: Iterable[str] = (),
    delivers: bool = False,
    config: str = CONFIG,
) -> Iterator[Served]:
    """A gateway on SQLite, each group of acceptances with its fsync.

    Unless it ``delivers``, its one destination is switched off: accepting is all that it does.
    """
    process = GatewayProcess(folder, certs, config + ROOMY)
    try:
        process.start(*ROOMIER, *changes)
        if not delivers:
            _switch_off(process)
        assert process.pid is not None
        ports = process.ports
        yield Served(
            process.pid,
            certs,
            {"https": ports.https, "grpc": ports.grpc, "operations": ports.operations},
        )
    finally:
        process.stop()


def _switch_off(process: GatewayProcess) -> None:
    off = ["destinations", "off", "archive", "--reason", "bench", "--config", str(process.config)]
    subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "gateway", *off], check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def empty(folder: Path, certs: Path, *, party: str = "gateway-lx") -> Iterator[Served]:
    """The bare baseline: aiohttp with uvloop, mutual TLS, every request read and answered 202.

    ``party`` is whose certificate it shows.
    """
    port = folder / f"empty-{party}.port"
    port.unlink(missing_ok=True)
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "bench.empty", str(certs), str(port), party]
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not port.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise OSError("the empty server did not start")
            time.sleep(0.02)
        yield Served(process.pid, certs, {"https": int(port.read_text())})
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
