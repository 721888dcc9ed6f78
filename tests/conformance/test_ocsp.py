"""OCSP: OpenSSL's cases, and files of cryptography's tests. Our own are in ``tests/trust``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.data import cases_of, data_file
from tests.trust.town import Town
from trust.case import parsed
from trust.errors import TrustError
from trust.lists import Unusable, read_crls, read_list
from trust.ocsp import Unanswered, read_answer
from trust.pkix import Examination, Strictness, Unproven
from trust.responder import Refusal, read_question

OF_ITS_TIME = Strictness(
    hashes=frozenset({"sha1", "sha256"}), rsa_bits=1024, responders_proved=False
)
"""The suite brings nothing about its responders, whose own issuers do not say that nobody asks."""
OPENSSL = ("trust", "ocsp-crl", "openssl-ocsp")


@pytest.fixture(scope="module")
def town() -> Town:
    """The authority at home."""
    return Town("luxor")


@pytest.fixture(scope="module")
def leaf(town: Town) -> x509.Certificate:
    """The certificate that is asked about."""
    return town.certificate()


def openssl_cases(path: Path) -> list[Any]:
    """A parameter for each case, by its name."""
    return [pytest.param(case, id=case["name"]) for case in json.loads(path.read_text("utf-8"))]


def counts(case: Mapping[str, Any]) -> bool:
    """Whether the engine proves the path, and that nothing in it is revoked.

    A case brings as many responses as certificates, from the leaf up, are to be judged by one.
    """

    def certificate(name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate(data_file(*OPENSSL, name).read_bytes())

    chain = [certificate(n) for n in (case["cert"], *case.get("other_certs", ()), case["root"])]
    now = datetime.fromisoformat(case["moment"])
    examination = Examination([parsed(c) for c in chain], now=now, strictness=OF_ITS_TIME)
    try:
        examination.check_path()
        for at in range(len(case["ocsps"])):
            check(examination, case, chain, at, now)
    except (TrustError, Unproven, Unanswered):
        return False
    return True


def check(
    examination: Examination,
    case: Mapping[str, Any],
    chain: list[x509.Certificate],
    at: int,
    now: datetime,
) -> None:
    """Judge one certificate by the response of the case that is about it."""
    reason: Exception = Unanswered("there is no response")
    for name in case["ocsps"]:
        # OpenSSL keeps its responses as one line of base64.
        content = base64.b64decode(data_file(*OPENSSL, name).read_bytes())
        try:
            found = read_answer(content, chain[at], chain[at + 1], strictness=OF_ITS_TIME)
        except Unanswered as error:
            reason = error
            continue
        if not found.holds(now):
            raise Unanswered("it is not in force")
        examination.check_answer(at, found.response)
        return
    raise reason


# One of the suite's roots has the serial number 0, which a later version will not read.
@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@pytest.mark.conformance("OCSP")
@pytest.mark.parametrize("case", cases_of(*OPENSSL, "openssl-ocsp.json", cases=openssl_cases))
def test_openssls_verdict(case: Mapping[str, Any]) -> None:
    assert ("error" not in case) == counts(case)


READ = "read"
OTHER = "it is not about this certificate"
NO_RESPONSE = "not an OCSP response"
NO_LIST = "not a revocation list"
UNKNOWN_ENTRY = "an entry has a critical extension that is not understood"
NO_NUMBER = "it has no number"
MALFORMED = "MALFORMED"
FILES = {
    "crl_all_reasons.pem": "an entry is for another issuer, and the list is not indirect",
    "crl_almost_10k.pem": NO_NUMBER,
    "crl_bad_version.pem": NO_LIST,
    "crl_delta_crl_indicator.pem": READ,
    "crl_dup_entry_ext.pem": "it cannot be read",
    "crl_empty.pem": READ,
    "crl_empty_no_sequence.der": NO_NUMBER,
    "crl_ian_aia_aki.pem": READ,
    "crl_idp_fullname_indirect_crl.pem": NO_NUMBER,
    "crl_idp_fullname_only.pem": NO_NUMBER,
    "crl_idp_fullname_only_aa.pem": NO_NUMBER,
    "crl_idp_fullname_only_user.pem": NO_NUMBER,
    "crl_idp_only_ca.pem": NO_NUMBER,
    "crl_idp_reasons_only.pem": NO_NUMBER,
    "crl_idp_relative_user_all_reasons.pem": NO_NUMBER,
    "crl_idp_relativename_only.pem": NO_NUMBER,
    "crl_inner_outer_mismatch.der": NO_LIST,
    "crl_inval_cert_issuer_entry_ext.pem": "it cannot be read",
    "crl_inval_date_fractional_seconds.der": "it does not say when the next one comes",
    "crl_invalid_time.der": NO_LIST,
    "crl_issuer_invalid_printable_string.der": NO_LIST,
    "crl_md2_unknown_crit_entry_ext.pem": UNKNOWN_ENTRY,
    "crl_no_next_update.pem": "it does not say when the next one comes",
    "crl_unrecognized_extension.der": NO_NUMBER,
    "crl_unsupported_reason.pem": "it cannot be read",
    "ocsp-army.deps.mil-resp.der": OTHER,
    "ocsp-army.inapplicable-req.der": READ,
    "ocsp-army.revoked-req.der": READ,
    "ocsp-army.valid-req.der": READ,
    "req-acceptable-responses.der": READ,
    "req-duplicate-ext.der": MALFORMED,
    "req-ext-nonce.der": READ,
    "req-ext-unknown-oid.der": READ,
    "req-invalid-hash-alg.der": MALFORMED,
    "req-invalid-version.der": MALFORMED,
    "req-multi-sha1.der": MALFORMED,
    "req-sha1.der": READ,
    "resp-delegate-unknown-cert.der": OTHER,
    "resp-invalid-signature-oid.der": NO_RESPONSE,
    "resp-invalid-version.der": NO_RESPONSE,
    "resp-responder-key-hash.der": OTHER,
    "resp-response-type-unknown-oid.der": NO_RESPONSE,
    "resp-revoked-no-next-update.der": OTHER,
    "resp-revoked-reason.der": OTHER,
    "resp-revoked.der": OTHER,
    "resp-sct-extension.der": OTHER,
    "resp-sha256.der": OTHER,
    "resp-single-extension-reason.der": OTHER,
    "resp-successful-no-response-bytes.der": NO_RESPONSE,
    "resp-unauthorized.der": "the responder says unauthorized",
    "resp-unknown-extension.der": OTHER,
    "resp-unknown-hash-alg.der": OTHER,
    "resp-unknown-response-status.der": NO_RESPONSE,
}
"""What becomes of each file: it is read, or refused for this reason."""


def judge_list(content: bytes, town: Town) -> str:
    """How reading a list ends, when its signature is not asked about."""
    try:
        for crl in read_crls(content):
            read_list(crl, town.root.certificate)
    except Unusable as error:
        return str(error)
    return READ


def judge_response(content: bytes, town: Town, leaf: x509.Certificate) -> str:
    """How reading a response ends."""
    try:
        read_answer(content, leaf, town.issuing.certificate)
    except Unanswered as error:
        return str(error)
    return READ


def judge_request(content: bytes) -> str:
    """How reading a request ends."""
    try:
        read_question(content)
    except Refusal as refusal:
        return refusal.unanswered.name
    return READ


def parse_cases(folder: Path) -> list[Any]:
    """A parameter for each file."""
    found = [*folder.glob("crl_*"), *(folder / "ocsp").iterdir()]
    return [pytest.param(path, id=path.name) for path in sorted(found, key=lambda p: p.name)]


@pytest.mark.conformance("OCSP")
@pytest.mark.parametrize("path", cases_of("trust", "ocsp-crl", cases=parse_cases))
def test_a_file_is_read_or_refused_for_its_reason(
    path: Path, town: Town, leaf: x509.Certificate
) -> None:
    content = path.read_bytes()
    if path.name.startswith("crl_"):
        found = judge_list(content, town)
    elif "req-" in path.name or "-req." in path.name:
        found = judge_request(content)
    else:
        found = judge_response(content, town, leaf)

    assert FILES[path.name] == found
