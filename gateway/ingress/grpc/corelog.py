"""Reads what gRPC's core writes to standard error, and passes everything else on.

The core is C++ and writes to file descriptor 2 directly; there is no hook. So the descriptor is
replaced by a pipe at the start of the process, a thread reads it, lines of the core become events,
and every other line goes to the real standard error unchanged.
"""

from __future__ import annotations

import atexit
import os
import re
import threading
from collections.abc import Callable

from gateway.telemetry import EventLog

MAX_LINE = 65_536
_STDERR = 2
_READ_BYTES = 65_536
_JOIN_S = 2.0

# absl's format: "I1121 20:34:01.561962    6785 ssl_transport_security.cc:2563] text"
_LINE = re.compile(
    rb"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ (?P<place>[\w./-]+:\d+)\] (?P<text>.*)"
)
_HANDSHAKE = re.compile(rb"Handshake failed with error .*?SSL routines:[^:]*:(?P<reason>.+)")


class CoreLog:
    """Reads from :meth:`start` to :meth:`close`. Several in one process pass lines on in turn."""

    def __init__(self, *, log: EventLog, on_failed_handshake: Callable[[str], bool]) -> None:
        """``on_failed_handshake`` gets the core's reason, from the reading thread.

        When it says no, the line is passed on.
        """
        self._log = log.bind(part="grpc.core")
        self._on_failed_handshake = on_failed_handshake
        self._saved = -1
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Put the pipe in place. What is written from now on arrives in lines."""
        if os.environ.get("GRPC_VERBOSITY", "INFO").upper() not in ("DEBUG", "INFO"):
            self._log.warning("tls.refusals-unseen", reason="GRPC_VERBOSITY hides them")
        self._saved = os.dup(_STDERR)
        reading, writing = os.pipe()
        os.dup2(writing, _STDERR)
        os.close(writing)
        self._thread = threading.Thread(
            target=self._read, args=(reading,), name="grpc.core.log", daemon=True
        )
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Give the descriptor back after everything written to it was passed on; idempotent."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        atexit.unregister(self.close)
        os.dup2(self._saved, _STDERR)
        # A child process may hold the pipe open, so the end is not waited for without bound.
        thread.join(_JOIN_S)
        if not thread.is_alive():
            os.close(self._saved)

    def _read(self, descriptor: int) -> None:
        rest = b""
        while piece := os.read(descriptor, _READ_BYTES):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(line, b"\n")
            if len(rest) > MAX_LINE:
                self._take(rest, b"")
                rest = b""
        if rest:
            self._take(rest, b"")
        os.close(descriptor)

    def _take(self, line: bytes, ending: bytes) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            os.write(self._saved, line + ending)
            return
        failed = _HANDSHAKE.fullmatch(found["text"])
        if failed is not None:
            if not self._on_failed_handshake(_reason(failed["reason"])):
                os.write(self._saved, line + ending)  # of an outgoing connection, or another's
            return
        write = self._log.debug if found["level"] == b"I" else self._log.warning
        write(
            "grpc.core", place=found["place"].decode(), text=found["text"].decode(errors="replace")
        )


def _reason(text: bytes) -> str:
    """``CERTIFICATE_VERIFY_FAILED: certificate has expired`` → ``certificate has expired``.

    What follows the other codes says nothing.
    """
    code, _, explanation = text.decode("ascii", "replace").partition(": ")
    return explanation if code == "CERTIFICATE_VERIFY_FAILED" else code
