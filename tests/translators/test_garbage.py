"""Garbage: whatever comes in, only faults come out, and no more of them or of time than is bounded.

``make fuzz`` tries many times more than ``make test``.
"""

from __future__ import annotations

import io
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats import every_format
from tests.mutations import garbled, mutants
from tests.strategies import tried
from tests.variations import all_samples
from translators.canonical import Header
from translators.defects import MAX_FAULTS
from translators.faults import Fault
from translators.translator import Entry, Translator, encode

pytestmark = pytest.mark.fuzz

each_format = pytest.mark.parametrize(
    "translator", [pytest.param(each, id=each.id) for each in every_format()]
)
SAMPLES = {
    each.id: [encode(each, sample) for sample in all_samples(each)] for each in every_format()
}
MOST_READINGS = 20_000
"""Far more than the garbled samples hold; a reader that never ends would come here."""


def judged(translator: Translator, content: bytes) -> None:
    """Read to the end; fails on anything but a header, entries with their faults, and faults."""
    faults = 0
    for number, reading in enumerate(translator.read(io.BytesIO(content))):
        assert number < MOST_READINGS
        match reading:
            case Entry():
                refused = any(fault.refuses for fault in reading.faults)
                assert (reading.message is None) == refused
                assert len(reading.faults) <= MAX_FAULTS + 1
                faults += len(reading.faults)
            case Fault():
                faults += 1
            case _:
                assert isinstance(reading, Header)
    assert faults <= MOST_READINGS


@each_format
@tried(150)
@given(seed=st.integers(0, 1 << 62))
def test_a_garbled_sample_gives_faults_and_nothing_else(translator: Translator, seed: int) -> None:
    random = Random(seed)

    judged(translator, garbled(random.choice(SAMPLES[translator.id]), random))


@each_format
@tried(30)
@given(content=st.binary(max_size=300))
def test_bytes_of_no_format_give_faults_and_nothing_else(
    translator: Translator, content: bytes
) -> None:
    judged(translator, content)


@each_format
@tried(20)
@given(seed=st.integers(0, 1 << 62))
def test_a_sample_of_another_format_gives_faults_and_nothing_else(
    translator: Translator, seed: int
) -> None:
    random = Random(seed)
    other = random.choice(sorted(set(SAMPLES) - {translator.id}))

    judged(translator, garbled(random.choice(SAMPLES[other]), random))


@each_format
@tried(10)
@given(seed=st.integers(0, 1 << 62))
def test_an_explaining_reader_gives_the_same_entries(translator: Translator, seed: int) -> None:
    random = Random(seed)
    sample = random.choice(SAMPLES[translator.id])
    text = (
        sample if translator.id.startswith("luxor.proto") else next(mutants(sample, random, 1))[1]
    )

    def told(*, explain: bool) -> list[object]:
        return [
            (reading.ordinal, reading.message, reading.faults)
            if isinstance(reading, Entry)
            else reading
            for reading in translator.read(io.BytesIO(text), explain=explain)
        ]

    assert told(explain=False) == told(explain=True)
