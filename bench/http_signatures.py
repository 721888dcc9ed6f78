"""What a signed request costs: microseconds of CPU to verify one, beside a detached JWS.

``python -m bench.http_signatures [REQUESTS]``. A submission of 1,000 bytes that covers what the
profile requires; its content is hashed as it arrives in any case. ``once`` is what a nonce costs in
a journal on disk, one after another and 64 at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bench.timing import each
from gateway.store.sqlite import open_sqlite
from trust.identity import PartyId
from trust.keys import KeySigner, PrivateKey
from trust.signatures.http.digest import write_content_digest
from trust.signatures.http.offer import prove_offer, read_offer
from trust.signatures.http.sign import sign_request
from trust.signatures.http.signature_base import Message
from trust.signatures.jws import sign_detached, verify_detached

CONTENT = b"x" * 1_000
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
USUAL = 1_000
"""Requests."""
ROUNDS = 3
NAMES = frozenset({"gw.example"})
KEYS: dict[str, Callable[[], PrivateKey]] = {
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "PS512": lambda: rsa.generate_private_key(65537, 2048),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


def signed(signer: KeySigner) -> Message:
    """A request as it arrives."""
    fields = [
        ("host", "gw.example:8445"),
        ("content-type", "application/json"),
        ("content-digest", write_content_digest(hashlib.sha256(CONTENT).digest())),
        ("luxor-interchange-id", "2026-11-23-0001"),
        ("luxor-format", "luxor.json.1"),
    ]
    message = Message(
        method="POST", authority=fields[0][1], target="/v1/interchanges", fields=tuple(fields)
    )
    given = sign_request(message, signer=signer, party=PartyId("shop"), nonce="n" * 24, now=NOW)
    fields += [(name.lower(), value) for name, value in given.items()]
    return Message(
        method="POST", authority=fields[0][1], target="/v1/interchanges", fields=tuple(fields)
    )


def verifying(name: str, count: int) -> None:
    """One line: reading and judging, the arithmetic, and the same content under a JWS."""
    signer = KeySigner(KEYS[name](), algorithm=name)
    keys, message = {signer.kid: signer.public_key}, signed(signer)

    def offer() -> object:
        return read_offer(message, content=True, names=NAMES, now=NOW)

    read = read_offer(message, content=True, names=NAMES, now=NOW)
    token = sign_detached(
        CONTENT,
        signer=signer,
        interchange_id="i",
        format="luxor.json.1",
        audience="gw",
        now=NOW,
    )

    def jws() -> object:
        return verify_detached(
            token,
            CONTENT,
            keys=keys,
            interchange_id="i",
            format="luxor.json.1",
            audience="gw",
            now=NOW,
        )

    reading = each(offer, times=count, rounds=ROUNDS)
    proving = each(lambda: prove_offer(read, keys), times=count, rounds=ROUNDS)
    under_jws = each(jws, times=count, rounds=ROUNDS)
    print(
        f"{name:>8}  read and judged {reading:6.0f}  proved {proving:6.0f}"
        f"  together {reading + proving:6.0f}  JWS {under_jws:6.0f}"
    )


async def remembering(count: int) -> None:
    """What it costs that a nonce counts once, durable on return."""
    with tempfile.TemporaryDirectory() as folder:
        journal = await open_sqlite(Path(folder) / "journal.db", gateway=1, clock=lambda: NOW)
        until = NOW + timedelta(seconds=360)

        async def remember(number: int) -> None:
            assert await journal.remember("bench", f"nonce-{number:018}", until=until, now=NOW)

        began, wall = time.process_time(), time.perf_counter()
        for number in range(count):
            await remember(number)
        alone = (time.process_time() - began) / count * 1e6
        alone_wall = (time.perf_counter() - wall) / count * 1e6
        began, wall = time.process_time(), time.perf_counter()
        for start in range(count, 2 * count, 64):
            await asyncio.gather(*(remember(n) for n in range(start, min(start + 64, 2 * count))))
        many = (time.process_time() - began) / count * 1e6
        many_wall = (time.perf_counter() - wall) / count * 1e6
        await journal.close()
    print(f"    once  one by one {alone:6.0f} ({alone_wall:.0f} of wall time)", end="")
    print(f"  64 at a time {many:6.0f} ({many_wall:.0f})")


def main(count: int) -> None:
    """All lines."""
    print(f"signed requests of {len(CONTENT)} bytes, microseconds each")
    for name in KEYS:
        verifying(name, count)
    asyncio.run(remembering(count))


def show() -> None:
    """Print the figures of the usual size."""
    main(USUAL)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL)
