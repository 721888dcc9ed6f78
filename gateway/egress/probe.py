"""Testing the way to a destination step by step; no message is sent and none is left behind.

Each step says what was found or why it failed; what can not be tested after a failure is skipped.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from gateway.egress.registry import Target
from gateway.egress.steps import Failed, Probe, Step
from gateway.egress.tls import ClientTls, client_context

NAMES = ("name", "connection", "tls", "own certificate", "answer")
ALERT_S = 0.5
"""TLS 1.3 tells a client after the handshake that its certificate is not taken (RFC 8446, 4.4.2.4);
a server that says nothing for so long has taken it."""

Asking = Callable[[Probe, float], Awaitable[None]]
"""Adds the steps that only a gateway answers; each question may take so many seconds."""


class Place(msgspec.Struct, frozen=True):
    """Where a receiver listens."""

    host: str
    port: int


async def probe_network(
    target: Target, tls: ClientTls, asking: Asking, *, seconds: float
) -> tuple[Step, ...]:
    """Name, connection, TLS, our certificate; then what only a gateway answers."""
    probe = Probe()
    place = place_of(target)
    addresses: list[str] = []
    with probe.step("name") as told:
        addresses += await _resolved(place, seconds)
        told.append(f"{place.host}: {', '.join(addresses)}")
    if not probe.failed:
        with probe.step("connection") as told:
            told.append(await _connected(addresses, place, seconds))
    if not probe.failed:
        await _shake_hands(probe, place, target, tls, seconds)
    if probe.failed:
        made = {step.name for step in probe.steps}
        for name in NAMES:
            if name not in made:
                probe.add(name, "skipped", "after what failed before it")
    elif not target.receipt_required:
        probe.add("answer", "skipped", "a plain receiver is not asked anything")
    else:
        await asking(probe, seconds)
    return tuple(probe.steps)


def probe_folder(folder: Path) -> tuple[Step, ...]:
    """Whether a file can be put there, by one that is gone again."""
    probe = Probe()
    with probe.step("folder") as told:
        if not folder.is_dir():
            raise Failed(f"{folder} is no folder")
        told.append(str(folder))
    if probe.failed:
        probe.add("write", "skipped", "after what failed before it")
        return tuple(probe.steps)
    with probe.step("write") as told:
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".luxor-ping-", suffix=".tmp"):
                told.append("a file can be written and taken away")
        except OSError as error:
            raise Failed(error.strerror or str(error)) from error
    return tuple(probe.steps)


def place_of(target: Target) -> Place:
    """Host and port of a destination's address."""
    if target.transport == "grpc":
        parts = urlsplit(f"//{target.address}")
        return Place(parts.hostname or "", parts.port or 443)
    parts = urlsplit(target.address)
    return Place(parts.hostname or "", parts.port or 443)


async def _resolved(place: Place, seconds: float) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise Failed(f"no answer within {seconds:g} s") from error
    except OSError as error:  # socket.gaierror is one
        raise Failed(f"{place.host}: {error.strerror or error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _connected(addresses: list[str], place: Place, seconds: float) -> str:
    """The first address that takes a connection."""
    reasons = []
    for address in addresses:
        try:
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(address, place.port)
        except TimeoutError:
            reasons.append(f"{address}: no answer within {seconds:g} s")
        except OSError as error:
            reasons.append(f"{address}: {os.strerror(error.errno) if error.errno else error}")
        else:
            await _let_go(writer)
            return f"{address} port {place.port}"
    raise Failed("; ".join(reasons))


async def _shake_hands(
    probe: Probe, place: Place, target: Target, tls: ClientTls, seconds: float
) -> None:
    """The handshake, and what the receiver says of our certificate after it."""
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    with probe.step("tls") as told:
        context = _context(target, tls)
        try:
            async with asyncio.timeout(seconds):
                opened.append(await asyncio.open_connection(place.host, place.port, ssl=context))
        except TimeoutError as error:
            raise Failed(f"no handshake within {seconds:g} s") from error
        except ssl.SSLCertVerificationError as error:
            pinned = target.authority or "the system's authorities"
            raise Failed(
                f"the receiver's certificate is not accepted: {error.verify_message}"
                f" (believed: {pinned})"
            ) from error
        except OSError as error:  # ssl.SSLError is one
            raise Failed(_why(error)) from error
        told += _shown(opened[0][1].get_extra_info("ssl_object"), target)
    for reader, writer in opened:
        with probe.step("own certificate") as told:
            told.append(await _taken(reader))
        await _let_go(writer)


def _context(target: Target, tls: ClientTls) -> ssl.SSLContext:
    try:
        context = client_context(tls)
    except OSError as error:
        raise Failed(f"our own certificate or the pinned authority: {_why(error)}") from error
    context.set_alpn_protocols(["h2"] if target.transport == "grpc" else ["http/1.1"])
    return context


def _shown(connection: ssl.SSLObject, target: Target) -> Iterator[str]:
    """The version, and whose certificate by whom until when."""
    shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    yield connection.version() or "?"
    yield f"{shown.subject.rfc4514_string()} by {shown.issuer.rfc4514_string()}"
    yield f"until {shown.not_valid_after_utc:%Y-%m-%d}"
    yield f"believed by {target.authority.name if target.authority else 'the system'}"


async def _let_go(writer: asyncio.StreamWriter) -> None:
    """Close without waiting for what the other side says to it."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def _taken(reader: asyncio.StreamReader) -> str:
    try:
        async with asyncio.timeout(ALERT_S):
            first = await reader.read(1)
    except TimeoutError:
        return "taken: nothing was said against it"
    except OSError as error:
        raise Failed(_why(error)) from error
    if not first:
        raise Failed(
            "the receiver ended the connection after the handshake:"
            " it does not take our certificate"
        )
    return "taken"


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror or str(error) or type(error).__name__
