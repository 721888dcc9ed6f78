"""What a certificate costs: to prove it, to judge it by evidence, and to look at it per message.

``python -m bench.certificates``. The least of several rounds of CPU time. A certificate is proved
once per registry and judged once per evidence; every message pays for the look alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from bench.timing import each
from trust.authenticator import Authenticator
from trust.authority import Validity, generate_tls_key, issue_crl, issue_intermediate, issue_root
from trust.authority import issue_tls as issue
from trust.binding import Bindings
from trust.certificates import Purpose, pem_of
from trust.chain import Path, anchor, build_paths
from trust.identity import PartyId
from trust.members import Authority, Party
from trust.ocsp import read_answer, write_question
from trust.party import Registry
from trust.revocation import Question, Revocations

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
LONG = Validity(NOW - DAY, NOW + 30 * DAY)
ROUNDS = 5
ENTRIES = 20_000
"""Of a long list."""


def cost(label: str, work: Callable[[], object], *, times: int = 50) -> None:
    """Print the microseconds of one call."""
    print(f"{label}: {each(work, times=times, rounds=ROUNDS):,.1f} µs")


def judge_anew(found: Revocations, path: Path) -> None:
    """Judge a path about which nothing is remembered."""
    found.judge(msgspec.structs.replace(path, identity=secrets.token_bytes(8)), now=NOW)


def show() -> None:
    """Print a line for each step."""
    root = issue_root(generate_tls_key("P-256"), name="root", validity=LONG)
    issuing = issue_intermediate(
        generate_tls_key("P-256"), issuer=root, name="issuing", validity=LONG
    )
    leaf = issue(
        generate_tls_key("P-256"),
        issuer=issuing,
        name="a party",
        party=PartyId("post-a"),
        validity=LONG,
        purposes=(Purpose.CLIENT,),
    )
    authority = Authority(
        id="luxor", certificates=tuple(pem_of(one.certificate) for one in (root, issuing))
    )
    files = {
        name: issue_crl(
            issuer,
            number=1,
            revoked={},
            this_update=NOW - DAY,
            next_update=NOW + DAY,
        ).public_bytes(Encoding.DER)
        for name, issuer in (("root", root), ("issuing", issuing))
    }
    registry = Registry(
        authorities=[authority], parties=[Party(id=PartyId("post-a"), authorities=("luxor",))]
    )
    der = leaf.public_bytes(Encoding.DER)

    def lists_of(entries: int) -> dict[str, bytes]:
        crl = issue_crl(
            issuing,
            number=1,
            revoked=dict.fromkeys(range(1, entries + 1), NOW - DAY),
            this_update=NOW - DAY,
            next_update=NOW + DAY,
        )
        return {"root": files["root"], "issuing": crl.public_bytes(Encoding.DER)}

    held = anchor(authority)
    (path,) = build_paths(leaf, [held], now=NOW)
    cost("stage one, the path", lambda: build_paths(leaf, [held], now=NOW))
    cost("stage one with profiles and binding", lambda: Bindings(registry).find(der, now=NOW))
    for entries in (0, ENTRIES):
        lists = lists_of(entries)
        began = time.process_time()
        found = Revocations.from_files([authority], lists)
        print(f"reading lists of {entries:,} entries: {time.process_time() - began:.3f} s")
        cost(f"stage two by lists of {entries:,} entries", partial(judge_anew, found, path))

    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            leaf,
            issuing.certificate,
            hashes.SHA256(),
            ocsp.OCSPCertStatus.GOOD,
            NOW,
            NOW + DAY,
            None,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuing.certificate)
        .sign(issuing.key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    asked = Authority(
        id="luxor", certificates=authority.certificates, require="ocsp", ocsp=("http://ocsp/",)
    )
    question = Question(path=path, at=0)
    cost("OCSP, a question", lambda: write_question(leaf, issuing.certificate))
    cost("OCSP, reading an answer", lambda: read_answer(response, leaf, issuing.certificate))
    known = read_answer(response, leaf, issuing.certificate)
    by_answer = Revocations.from_files([asked], {"root": files["root"]})
    cost("OCSP, proving an answer", lambda: by_answer.prove(question, known, now=NOW))
    answered = by_answer.with_answers({question.link: known})
    cost("stage two by an answer", lambda: judge_anew(answered, path))

    gate = Authenticator(registry, Revocations.from_files([authority], files))
    gate.identify(der, now=NOW)
    cost(
        "per message: the look at the verdict",
        lambda: gate.revocations.judge(path, now=NOW),
        times=20_000,
    )
    cost("per message: all of identify", lambda: gate.identify(der, now=NOW), times=20_000)


if __name__ == "__main__":
    show()
