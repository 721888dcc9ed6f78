"""The published JSON parsing test suite: what must be refused is refused, and nothing breaks."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.data import data_file
from translators import json
from translators.exchange.json_exchange import JsonExchange
from translators.faults import Fault, TranslationError
from translators.translator import Entry, decode

FORMAT = JsonExchange()


def cases(prefix: str) -> list[Path]:
    folder = data_file("trust", "jsontestsuite", "test_parsing")
    found = sorted(folder.glob(f"{prefix}_*.json"))
    assert found
    return found


def test_everything_that_must_be_refused_is_refused() -> None:
    accepted = []
    for case in cases("n"):
        try:
            json.parse(case.read_bytes())
        except TranslationError as refused:
            assert refused.faults[0].code.startswith("json.")  # noqa: PT017 - one of many cases
        else:
            accepted.append(case.name)
    assert accepted == []


def test_the_format_refuses_them_with_faults_and_nothing_else() -> None:
    for case in cases("n"):
        with pytest.raises(TranslationError) as refused:
            decode(FORMAT, case.read_bytes())
        codes = {fault.code for fault in refused.value.faults}
        assert codes <= {"json.malformed", "json.encoding", "json.depth", "body.empty"}, case.name


def test_everything_that_must_be_read_is_read() -> None:
    for case in cases("y"):
        json.parse(case.read_bytes())


def test_what_is_left_open_is_read_or_refused() -> None:
    for case in cases("i"):
        for reading in FORMAT.read(io.BytesIO(case.read_bytes())):
            assert isinstance(reading, Fault | Entry)
            assert isinstance(reading, Fault) or reading.faults
