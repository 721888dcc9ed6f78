"""What keeping the sender's signature costs: bytes of the journal and CPU of an interchange.

``python -m bench.proofs [INTERCHANGES]``. Each has one message and a detached JWS of ES256; all
are committed once without and once with their proofs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.core.records import Proof, ProofMethod
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import acceptance, item, message
from trust.authority import generate_key
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
USUAL = 20_000
"""Interchanges."""


def signed(count: int) -> list[Proof]:
    """A proof for each interchange, all by one key."""
    signer = KeySigner(generate_key("P-256"))
    pem = signer.public_pem.decode()
    return [
        Proof(
            method=ProofMethod.JWS,
            kid=signer.kid,
            public_key=pem,
            algorithm=signer.alg,
            fingerprint="5f" * 32,
            signature=sign_detached(
                b"%d" % number,
                signer=signer,
                interchange_id=f"bench-{number}",
                format="upu.itmatt.1",
                audience="gateway-lx",
                now=AT,
            ).encode(),
        )
        for number in range(count)
    ]


async def committed(proofs: Sequence[Proof | None]) -> tuple[float, float]:
    """Bytes of the file and µs of CPU of each interchange."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = await open_sqlite(path, gateway=1, clock=lambda: AT)
        waiting = iter(enumerate(proofs))

        async def one_after_the_other() -> None:
            for number, proof in waiting:
                about = message(1, about=item(number))
                await journal.commit(
                    acceptance(
                        await journal.reserve(),
                        f"bench-{number}",
                        content=b"%d" % number,
                        messages=[about],
                        proof=proof,
                    )
                )

        began = time.process_time()
        await asyncio.gather(*(one_after_the_other() for _ in range(64)))
        spent = time.process_time() - began
        await journal.close()
        return path.stat().st_size / len(proofs), spent / len(proofs) * 1e6


async def run(count: int) -> None:
    """Print the figures."""
    proofs = signed(count)
    print(f"the signature itself: {len(proofs[0].signature)} bytes")
    for name, given in (("without proof", [None] * count), ("with proof", proofs)):
        size, spent = await committed(given)
        print(f"{name:14} {size:6.0f} bytes, {spent:5.0f} µs of CPU an interchange")


def show() -> None:
    """Print the figures of the usual size."""
    asyncio.run(run(USUAL))


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL))
