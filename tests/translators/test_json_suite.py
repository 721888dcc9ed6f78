"""The published JSON parsing test suite: what must be refused is refused, and nothing breaks."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.conformance.cases import file_cases
from translators import json
from translators.exchange.json_exchange import JsonExchange
from translators.faults import Fault, TranslationError
from translators.translator import Entry, decode

pytestmark = pytest.mark.conformance("JSONTestSuite")

FORMAT = JsonExchange()


def cases(prefix: str) -> pytest.MarkDecorator:
    """One case per file whose name begins so: n(o), y(es) or i (left to the implementation)."""
    files = file_cases("trust", "jsontestsuite", "test_parsing", pattern=f"{prefix}_*.json")
    return pytest.mark.parametrize("case", files)


@cases("n")
def test_what_must_be_refused_is_refused(case: Path) -> None:
    with pytest.raises(TranslationError) as refused:
        json.parse(case.read_bytes())
    assert refused.value.faults[0].code.startswith("json.")


@cases("n")
def test_the_format_refuses_it_with_faults_and_nothing_else(case: Path) -> None:
    with pytest.raises(TranslationError) as refused:
        decode(FORMAT, case.read_bytes())
    codes = {fault.code for fault in refused.value.faults}
    assert codes <= {"json.malformed", "json.encoding", "json.depth", "body.empty"}


@cases("y")
def test_what_must_be_read_is_read(case: Path) -> None:
    json.parse(case.read_bytes())


@cases("i")
def test_what_is_left_open_is_read_or_refused(case: Path) -> None:
    for reading in FORMAT.read(io.BytesIO(case.read_bytes())):
        assert isinstance(reading, Fault | Entry)
        assert isinstance(reading, Fault) or reading.faults
