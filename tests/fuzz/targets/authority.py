"""OCSP answers and questions, and certificate requests: what authorities and their clients read."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fuzz.target import Broken, Prepared, Target
from tests.fuzz.targets.certificates import TAGS, refusing, signed
from tests.trust.town import NOW, POST, Town
from trust.enrolment import KeyRules, make_request, read_request
from trust.ocsp import Unanswered, read_answer, write_question
from trust.responder import Good, Refusal, Revoked, Seat, answer, find_seat, read_question

NONCE = bytes(range(16))
HOUR = timedelta(hours=1)


def _seat(town: Town) -> Seat:
    issuing = town.issuing
    return Seat(issuer=issuing.certificate, responder=issuing.certificate, key=issuing.key)


def _answer_target() -> Prepared:
    """Answers of a responder about one certificate: read, or none."""
    town = Town("luxor")
    certificate, issuer = town.certificate(), town.issuing.certificate
    asked = read_question(write_question(certificate, issuer, nonce=NONCE))
    seeds = [
        answer(asked, standing, seat=_seat(town), this_update=NOW - HOUR, until=NOW + HOUR)
        for standing in (Good(), Revoked(NOW - HOUR))
    ]

    def judge(data: bytes) -> bool:
        try:
            found = read_answer(data, certificate, issuer, nonce=NONCE)
        except Unanswered:
            return False
        if found.until <= found.this_update:
            raise Broken("an answer that ends before it begins")
        found.holds(NOW)
        return True

    return Prepared(judge=judge, seeds=seeds, words=[*TAGS, b"\x80\x00", b"\x82\x00", NONCE])


def _question_target() -> Prepared:
    """Questions to our own responder: answered for its own issuer, or refused."""
    town = Town("luxor")
    seat = _seat(town)
    question = write_question(town.certificate(), town.issuing.certificate, nonce=NONCE)

    def judge(data: bytes) -> bool:
        try:
            asked = read_question(data)
            found = find_seat(asked, [seat])
        except Refusal:
            return False
        answer(asked, Good(), seat=found, this_update=NOW, until=NOW + HOUR)
        return True

    return Prepared(judge=judge, seeds=[question], words=TAGS)


def _read_requests(data: bytes) -> None:
    read_request(data, party=POST, purpose="signing", rules=KeyRules())
    found = read_request(data, party=POST, purpose="tls", rules=KeyRules())
    if len(found.key_id) != 64:
        raise Broken("a key without a name")


def _request_target() -> Prepared:
    """Requests as they come, PEM and DER."""
    pem = make_request(Town("luxor").key, party=POST, hosts=["localhost"])
    der = x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)
    return Prepared(judge=refusing(_read_requests), seeds=[pem, der], words=TAGS)


def _signed_request_target() -> Prepared:
    """Requests whose signature holds and whose content nobody checked."""
    town = Town("luxor")
    pem = make_request(town.key, party=POST, hosts=["localhost", "127.0.0.1"])
    part = x509.load_pem_x509_csr(pem).tbs_certrequest_bytes
    return Prepared(
        judge=refusing(lambda data: _read_requests(signed(data, town.key))),
        seeds=[part],
        words=TAGS,
    )


TARGETS = (
    Target(name="ocsp-answer", prepare=_answer_target),
    Target(name="ocsp-question", prepare=_question_target, share=0.5),
    Target(name="certificate-request", prepare=_request_target),
    Target(name="certificate-request-signed", prepare=_signed_request_target, share=0.5),
)
