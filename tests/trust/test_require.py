"""What an authority requires, against every combination of what lists and responders say."""

from __future__ import annotations

import itertools

import pytest
from cryptography import x509

from tests.trust.ocsp_answers import GOOD, REVOKED, UNKNOWN, Told, answer, own
from tests.trust.town import NOW, Town
from trust.chain import anchor, build_paths
from trust.errors import TrustError
from trust.members import Authority, Require
from trust.ocsp import read_answer
from trust.revocation import Question, Revocations

STATUSES = {"good": GOOD, "revoked": REVOKED, "unknown": UNKNOWN}
LISTS = ("good", "revoked", "none")
ANSWERS = (*STATUSES, "none")


@pytest.fixture(scope="module")
def leaf(luxor: Town) -> x509.Certificate:
    """The certificate that is judged."""
    return luxor.certificate()


def expected(require: Require, of_list: str, of_answer: str) -> str:
    """The table in docs/identity.md, in other words."""
    if "revoked" in (of_list, of_answer):
        return "certificate.revoked"
    enough = {
        "crl": of_list == "good",
        "ocsp": of_answer == "good",
        "either": "good" in (of_list, of_answer),
        "both": of_list == of_answer == "good",
    }
    return "" if enough[require] else "revocation.unavailable"


def evidence(
    town: Town, leaf: x509.Certificate, require: Require, of_list: str, of_answer: str
) -> tuple[Revocations, Question]:
    """What is known, and the question about the leaf."""
    authority = Authority(
        id="luxor",
        certificates=town.authority.certificates,
        require=require,
        ocsp=() if require == "crl" else ("http://ocsp.example/",),
    )
    files = town.crls(*([leaf] if of_list == "revoked" else []))
    if of_list == "none":
        del files["luxor-issuing.crl"]
    found = Revocations.from_files([authority], files)
    (path,) = build_paths(leaf, [anchor(authority)], now=NOW)
    question = Question(path=path, at=0)
    if of_answer == "none":
        return found, question
    told = Told(certificate=leaf, issuer=town.issuing.certificate, status=STATUSES[of_answer])
    known = read_answer(answer(told, by=own(town.issuing)), leaf, town.issuing.certificate)
    return found.with_answers({question.link: known}), question


@pytest.mark.parametrize("require", ["crl", "ocsp", "either", "both"])
@pytest.mark.parametrize(("of_list", "of_answer"), [*itertools.product(LISTS, ANSWERS)])
def test_what_is_required_decides_and_revoked_is_always_believed(
    luxor: Town, leaf: x509.Certificate, require: Require, of_list: str, of_answer: str
) -> None:
    found, question = evidence(luxor, leaf, require, of_list, of_answer)
    try:
        found.judge(question.path, now=NOW)
    except TrustError as error:
        code = error.code
    else:
        code = ""

    assert expected(require, of_list, of_answer) == code


@pytest.mark.parametrize(
    ("require", "of_list", "asked"),
    [
        ("crl", "none", False),
        ("ocsp", "good", True),
        ("either", "good", False),
        ("either", "none", True),
        ("both", "good", True),
    ],
)
def test_a_responder_is_asked_only_when_its_answer_is_needed(
    luxor: Town, leaf: x509.Certificate, require: Require, of_list: str, asked: bool
) -> None:
    found, question = evidence(luxor, leaf, require, of_list, "none")

    assert ([question] if asked else []) == list(found.missing(question.path, now=NOW))
    known, _ = evidence(luxor, leaf, require, of_list, "good")
    assert () == known.missing(question.path, now=NOW)
