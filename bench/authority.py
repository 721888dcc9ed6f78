"""What an authority costs: certificates, OCSP answers and lists, in CPU time, with a full ledger.

``python -m bench.authority [CERTIFICATES]``. One in twenty is revoked.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from bench.timing import each
from gateway.authority import Office
from gateway.authority.answers import Answers
from gateway.authority.expiry import expiring_of_authority
from gateway.authority.founding import found
from gateway.authority.office import open_office
from trust.authority import generate_key
from trust.enrolment import make_request
from trust.identity import PartyId
from trust.responder import issuer_hashes, read_question

NOW = datetime.now(UTC)
USUAL = 2_000
"""Certificates."""
ASKED = 2_000


def cost(work: Callable[[], object], times: int = 1) -> float:
    """Microseconds of CPU of one."""
    return each(work, times=times, rounds=1)


def fill(office: Office, count: int) -> list[str]:
    """Enrol so many parties and revoke some; every serial."""
    requests = [
        (
            PartyId(f"party-{number}"),
            make_request(generate_key("P-256"), party=PartyId(f"party-{number}")),
        )
        for number in range(count)
    ]
    cpu, wall = time.process_time(), time.perf_counter()
    serials = [
        office.enrol(party, request, purpose="tls", now=NOW).entry.serial
        for party, request in requests
    ]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    each = f"{cpu / count * 1e6:7.0f} µs of CPU, {count / wall:5.0f} a second"
    print(f"a certificate:              {each}")
    whole = cost(lambda: office.revoke(serials[::20], reason="superseded", now=NOW))
    print(f"revoke {len(serials[::20])} and write the list: {whole / 1e3:6.0f} ms of CPU")
    return serials


def question(office: Office, serial: int, nonce: bytes | None = None) -> bytes:
    """What a client asks."""
    name, key = issuer_hashes(office.holdings.certificates["issuing"], "sha256")
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, hashes.SHA256())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def run(count: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "authority"
        found(folder, identifier="bench", title="Bench", now=NOW, key="P-256")
        with open_office(folder) as office:
            serials = [int(serial, 16) for serial in fill(office, count)]
            answers = Answers(office)
            answers.prepare(now=NOW)
            same = question(office, serials[1])
            kept = cost(lambda: answers.give(read_question(same), now=NOW), ASKED)
            print(f"an answer that is kept:     {kept:7.1f} µs of CPU")
            different = iter([question(office, s, bytes(32)) for s in serials] * ASKED)
            fresh = cost(lambda: answers.give(read_question(next(different)), now=NOW), ASKED)
            print(f"an answer to a nonce:       {fresh:7.1f} µs of CPU")
            due = cost(lambda: office.publish(now=NOW))
            print(f"look whether a list is due: {due / 1e3:7.1f} ms of CPU")
            ends = cost(lambda: list(expiring_of_authority(office, now=NOW)))
            print(f"who expires when:           {ends / 1e3:7.1f} ms of CPU")
            for file in ("ledger.db", "crl/issuing.crl"):
                print(f"{file}: {(folder / file).stat().st_size >> 10} KiB")


def show() -> None:
    """Print the figures of the usual size."""
    run(USUAL)


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL)
