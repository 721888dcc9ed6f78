from __future__ import annotations

import msgspec
import pytest

from gateway.client.errors import ProblemError
from gateway.client.verdict import JUDGED, PROBLEM, Retold, failure_of
from gateway.core.errors import Unavailable, problem_kinds
from translators.faults import Fault

CODES = problem_kinds()


def told(
    status: int, *, code: str | None = None, media_type: str = PROBLEM, retry: str | None = None
) -> Retold:
    document = {} if code is None else {"code": code, "title": "T", "detail": "D", "new": 1}
    return Retold(
        status=status,
        media_type=media_type,
        retry_after=retry,
        body=msgspec.json.encode(document),
    )


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_success_is_no_failure(status: int) -> None:
    assert failure_of(told(status, media_type="application/json")) is None


def test_an_interchange_without_a_good_message_is_an_answer() -> None:
    assert failure_of(told(JUDGED, media_type="application/json")) is None


def test_the_same_status_with_a_problem_document_is_a_failure() -> None:
    assert isinstance(failure_of(told(JUDGED, code="interchange.refused")), ProblemError)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_either_for_ever_or_for_later(code: str) -> None:
    failure = failure_of(told(CODES[code].http, code=code))
    again = "again" in CODES[code].meaning and code not in ("inbox.cursor", "interchange.too-old")
    later = again or CODES[code].http >= 500
    assert isinstance(failure, Unavailable if later else ProblemError)


def test_a_problem_keeps_its_faults() -> None:
    fault = Fault(code="value.too-long", path="/item_id", line=3)
    body = msgspec.json.encode({"code": "interchange.refused", "faults": [fault]})
    failure = failure_of(Retold(status=422, media_type=PROBLEM, retry_after=None, body=body))
    assert isinstance(failure, ProblemError)
    assert failure.faults == (fault,)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_stands_between_may_be_better_later(status: int) -> None:
    failure = failure_of(told(status, media_type="text/html"))
    assert isinstance(failure, Unavailable)
    assert failure.reached


def test_a_status_that_nobody_explains_is_a_problem_of_its_own() -> None:
    failure = failure_of(told(418, media_type="text/html"))
    assert isinstance(failure, ProblemError)
    assert (failure.status, failure.code) == (418, "http.418")


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("Sat, 21 Nov 2026 12:00:00 GMT", None)]
)
def test_when_to_come_again_is_read_in_seconds(header: str, seconds: float | None) -> None:
    failure = failure_of(told(503, code="overload", retry=header))
    assert isinstance(failure, Unavailable)
    assert failure.retry_after == seconds


@pytest.mark.parametrize("body", [b'{"code": "\xb0"}', b"\xb0", b"[]"])
def test_a_problem_document_of_no_encoding_is_passed_over(body: bytes) -> None:
    failure = failure_of(Retold(status=400, media_type=PROBLEM, retry_after=None, body=body))

    assert isinstance(failure, ProblemError)


def test_a_problem_document_that_is_none_is_passed_over() -> None:
    failure = failure_of(Retold(status=409, media_type=PROBLEM, retry_after=None, body=b"<html>"))
    assert isinstance(failure, ProblemError)
    assert failure.code == "http.409"
