"""A gateway as a process of its own, with a real PKI and every kind of stranger.

Loopback only, random ports, everything below one temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from trust.authority import (
    Issuer,
    Validity,
    generate_tls_key,
    issue_root,
    issue_tls,
    load_tls_key,
    private_key_pem,
)
from trust.development import development_network
from trust.identity import PartyId
from trust.profile import Profile, default_profile, read_profile

START_SECONDS = 60.0
STOP_SECONDS = 30.0

CONFIG = """
[gateway]
id = "gateway-lx"
number = 1

[tls]
certificate = "{certs}/luxor/parties/gateway-lx/tls.pem"
key = "{certs}/luxor/parties/gateway-lx/tls.key"

[signing]
key = "{certs}/luxor/parties/gateway-lx/signing.key"

[registry]
file = "{certs}/luxor/registry.toml"
crls = "{certs}/luxor"
poll = 0.2

[ingress.https]
port = 0
limits.spool.max_bytes = 4194304

[ingress.grpc]
port = 0
limits.message_bytes = 4194304

[ingress.operations]
port = 0

[[destination]]
id = "archive"
party = "customs-risk"
transport = "folder"
address = "archive"
format = "luxor.json.1"

[[agreement]]
name = "archive"
purpose = "tests"
role = "backend"
kinds = ["ItemDeclaration", "Order"]
fields = ["**"]

[[route]]
name = "items"
kinds = ["ItemDeclaration", "Order"]
destination_countries = ["LU"]
to = ["archive"]
"""


def make_pki(
    folder: Path, *, age: timedelta = timedelta(0), profile: Profile | None = None
) -> Path:
    """The development network, made so long ago; in ``strangers/`` certificates of strangers."""
    profile, now = profile or read_profile(default_profile()), datetime.now(UTC)
    files = development_network(profile, now=now - age)
    for name, content in files.items():
        _write(folder / name, content)
    issuer = Issuer(
        x509.load_pem_x509_certificate((folder / "luxor/issuing.pem").read_bytes()),
        load_tls_key((folder / "luxor/private/issuing.key").read_bytes()),
    )
    valid = Validity(now - timedelta(hours=1), now + timedelta(days=30))
    past = Validity(now - timedelta(minutes=4), now - timedelta(minutes=1))
    foreign = issue_root(generate_tls_key("P-256"), name="Nobody Knows", validity=valid)
    _stranger(folder, "unknown-party", issuer, valid, party="nobody-registered")
    _stranger(folder, "expired", issuer, past, party="post-a")
    _stranger(folder, "unknown-ca", foreign, valid, party="post-a")
    return folder


def _stranger(folder: Path, name: str, issuer: Issuer, valid: Validity, *, party: str) -> None:
    key = generate_tls_key("P-256")
    certificate = issue_tls(
        key,
        issuer=issuer,
        name=name,
        party=PartyId(party),
        validity=valid,
        hosts=["localhost"],
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    _write(folder / "strangers" / name / "tls.pem", pem)
    _write(folder / "strangers" / name / "tls.key", private_key_pem(key))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.suffix == ".key":
        path.chmod(0o600)


class Ports(msgspec.Struct, frozen=True):
    """Where a gateway listens."""

    https: int = 0
    grpc: int = 0
    operations: int = 0
    signed: int = 0


class GatewayProcess:
    """One gateway process; may be killed and started again on the same data."""

    network = "luxor"
    """Whose authority has issued its certificate."""

    def __init__(
        self,
        folder: Path,
        certs: Path,
        config: str = CONFIG,
        *,
        entry: tuple[str, ...] = ("-m", "gateway"),
    ) -> None:
        """``entry`` is what Python runs as the command ``luxor``."""
        self._entry = entry
        self.prefix: tuple[str, ...] = ()
        """A command that ends by becoming the gateway, which is appended to it."""
        self.folder = folder
        self.certs = certs
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "archive").mkdir(exist_ok=True)
        self.config = folder / "gateway.toml"
        self.config.write_text(config.format(certs=certs), "utf-8")
        self.ports = Ports(0, 0, 0)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the gateway says."""
        return self.folder / "gateway.log"

    @property
    def pid(self) -> int | None:
        """The process that was started, when there is one."""
        return None if self._process is None else self._process.pid

    def start(self, *changes: str) -> None:
        """Start and wait until it serves; raises ``AssertionError`` with its log when it ends."""
        ports = self.folder / "ports.json"
        ports.unlink(missing_ok=True)
        command = [*self.prefix, sys.executable, *self._entry, "serve"]
        command += ["--config", str(self.config)]
        command += ["--ports-file", str(ports)]
        for change in changes:
            command += ["--set", change]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ})
        until = time.monotonic() + START_SECONDS
        while not ports.exists():
            ended = self._process.poll()
            assert ended is None, f"ended with {ended}: {self.log.read_text('utf-8')[-4000:]}"
            assert time.monotonic() < until, self.log.read_text("utf-8")[-4000:]
            time.sleep(0.02)
        self.ports = msgspec.json.decode(ports.read_bytes(), type=Ports)

    def kill(self) -> None:
        """End it without a word, as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Ask it to stop and wait; the exit status."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(STOP_SECONDS)

    def party(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a party or stranger."""
        for folder in ("luxor/parties", "partner/parties", "strangers"):
            place = self.certs / folder / name
            if place.exists():
                return place / "tls.pem", place / "tls.key"
        raise KeyError(name)


@contextlib.contextmanager
def running(folder: Path, certs: Path, config: str = CONFIG) -> Iterator[GatewayProcess]:
    """A gateway that is stopped at the end, whatever happens."""
    gateway = GatewayProcess(folder, certs, config)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
