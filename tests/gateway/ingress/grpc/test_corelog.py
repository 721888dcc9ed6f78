"""Standard error stays usable while the core's lines are read from it."""

from __future__ import annotations

import subprocess
import sys

from gateway.ingress.grpc.handshakes import Handshakes
from tests.fakes import Seen

PROGRAM = """
import io, os, sys
from gateway.ingress.grpc.corelog import CoreLog
from gateway.telemetry import event_log

events = io.StringIO()
log = CoreLog(
    log=event_log(stream=events, level="debug"),
    on_failed_handshake=lambda reason: print("failed:", reason) or "expired" in reason,
)
log.start()
print("from python", file=sys.stderr)
prefix = b"E1121 20:34:01.561962    6785 ssl_transport_security.cc:2563] "
os.write(2, prefix + b"Handshake failed with error SSL_ERROR_SSL: error:1000007d:"
    b"SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: certificate has expired\\n")
os.write(2, prefix + b"Handshake failed with error SSL_ERROR_SSL: error:1:"
    b"SSL routines:OPENSSL_internal:OUTGOING: x\\n")
os.write(2, prefix + b"something else\\n")
os.system("echo from a child >&2")
{ending}
"""


def run(ending: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(ending=ending)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_lines_of_others_pass_and_lines_of_the_core_become_events() -> None:
    done = run("log.close(); print(events.getvalue()); print('after', file=sys.stderr)")

    first, outgoing, child, last = done.stderr.splitlines()
    assert (first, child, last) == ("from python", "from a child", "after")
    assert outgoing.endswith("OPENSSL_internal:OUTGOING: x")
    assert "failed: certificate has expired" in done.stdout
    assert '"text": "something else"' in done.stdout


def test_nothing_is_lost_when_the_program_dies_of_an_exception() -> None:
    done = run("raise RuntimeError('the end')")

    assert done.stderr.startswith("from python\n")
    assert "\nfrom a child\nTraceback" in done.stderr
    assert done.stderr.endswith("RuntimeError: the end\n")
    assert done.returncode == 1


class Ticks:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_failure_counts_only_while_an_incoming_handshake_is_open(seen: Seen) -> None:
    ticks = Ticks()
    handshakes = Handshakes(telemetry=seen.telemetry, timeout=10, monotonic=ticks)

    assert not handshakes.failed("nobody came")
    handshakes.begun()
    assert handshakes.failed("refused")
    assert not handshakes.failed("one failure for one handshake")
    handshakes.begun()
    handshakes.succeeded("ipv4:127.0.0.1:1")
    handshakes.succeeded("ipv4:127.0.0.1:1")
    assert not handshakes.failed("it was an outgoing one")
    handshakes.begun()
    ticks.now = 11
    assert not handshakes.failed("too late to be that one")
    assert seen.count("luxor_tls_refused_total", transport="grpc") == 1
