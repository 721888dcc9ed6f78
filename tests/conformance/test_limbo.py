"""C2SP x509-limbo's core cases through stage one, both profiles and stage two.

What is waived, and why, stands in ``waivers.toml``. Where a case brings revocation lists, they are
evidence as in a registry; where it brings none, only revocation is left out.
"""

from __future__ import annotations

import ipaddress
import json
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import Store

from tests.conftest import Figure
from tests.data import cases_of
from trust.case import Case, Issuers, parsed
from trust.certificates import Purpose, check_profile, load_certificate
from trust.chain import MAX_INTERMEDIATES, Anchor, build_paths
from trust.chain import Path as ChainPath
from trust.errors import TrustError
from trust.issuers import check_authorities
from trust.lists import RevocationList, Unusable, read_lists
from trust.pkix import STRICT

FAST_SECONDS = 0.25
HANG_SECONDS = 2.5


def cases(path: Path) -> list[Any]:
    """A parameter for each case, by its id."""
    return [
        pytest.param(case, id=case["id"])
        for case in json.loads(path.read_text("utf-8"))["testcases"]
    ]


def server_name(case: Mapping[str, Any]) -> x509.DNSName | x509.IPAddress | None:
    """The name that a server must have; ``None`` for a client."""
    name = case["expected_peer_name"]
    if case["validation_kind"] != "SERVER" or name is None:
        return None
    if name["kind"] == "IP":
        return x509.IPAddress(ipaddress.ip_address(name["value"]))
    return x509.DNSName(name["value"])


def judge(case: Mapping[str, Any]) -> None:
    """What the product says of the case; raises ``TrustError``."""
    now = datetime.fromisoformat(case["validation_time"]) if case["validation_time"] else None
    now = now or datetime.now(UTC)
    roots, between = (
        [x509.load_pem_x509_certificate(pem.encode()) for pem in case[kind]]
        for kind in ("trusted_certs", "untrusted_intermediates")
    )
    pem = x509.load_pem_x509_certificate(case["peer_certificate"].encode())
    leaf = load_certificate(pem.public_bytes(Encoding.DER))
    issuers = (*roots, *between)
    anchor = Anchor(
        authority="limbo",
        roots=Store(roots),
        intermediates=between,
        subjects=frozenset(each.subject.public_bytes() for each in issuers),
    )
    depth = case["max_chain_depth"]
    paths = build_paths(
        leaf,
        [anchor],
        now=now,
        server=server_name(case),
        depth=MAX_INTERMEDIATES if depth is None else depth,
    )
    check_profile(leaf, Purpose[case["validation_kind"]])
    for path in paths:
        path.judge_time(now)
        check_authorities(path.chain)
        judge_revocation(path, issuers, case["crls"], now)


def judge_revocation(
    path: ChainPath, issuers: tuple[x509.Certificate, ...], crls: list[str], now: datetime
) -> None:
    """Stage two; a list that cannot be used is none."""
    lists: list[RevocationList] = []
    for pem in crls:
        try:
            lists += read_lists(pem.encode(), issuers)
        except Unusable:
            continue
    held = Issuers("crl", (), issuers, tuple(map(parsed, issuers)), tuple(lists))
    found = Case(held, {}, path, now, STRICT)
    if crls:
        found.judge()
    else:
        found.check_path()


@pytest.mark.conformance("x509-limbo core")
@pytest.mark.parametrize("case", cases_of("trust", "x509-limbo", "limbo-core.json", cases=cases))
def test_the_verdict_is_limbos(case: Mapping[str, Any], figure: Figure) -> None:
    began = time.perf_counter()
    try:
        with warnings.catch_warnings():  # of serial numbers that a later version will not read
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            judge(case)
    except TrustError:
        ours = "FAILURE"
    except ValueError:  # an authority's certificate cannot be loaded, so no registry has it
        ours = "FAILURE"
    else:
        ours = "SUCCESS"
    seconds = time.perf_counter() - began

    figure("judged within 250 ms", int(seconds < FAST_SECONDS), 1)
    assert seconds < HANG_SECONDS
    assert case["expected_result"] == ours
