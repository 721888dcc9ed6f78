"""Movement reference numbers and codes of the Harmonized System."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.regimes.codes.lists import packaged
from gateway.regimes.identifiers.customs import hs_check, mrn_check, mrn_check_digit

mrn_faults = mrn_check(frozenset(packaged("mrn")["countries"]))
CHAPTERS = frozenset(packaged("hs-chapters")["chapters"])


@pytest.mark.parametrize("published", ["10NL5663962BE1E825", "06DE586600006143E1"])
def test_published_movement_reference_numbers_fit(published: str) -> None:
    assert int(published[17]) == mrn_check_digit(published[:17])
    assert () == mrn_faults(published)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("10NL5663962BE1E826", ("mrn.check-digit",)),
        ("26GB27IUBOXLIE4AR0", ()),  # the United Kingdom numbers in its own way
        ("ENTRY-7", ()),
        ("", ()),
    ],
)
def test_only_numbers_of_the_common_system_are_judged(value: str, codes: tuple[str, ...]) -> None:
    assert codes == mrn_faults(value)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("610910", ()),
        ("6109100010", ()),
        ("990500", ()),
        ("6109", ("hs.form",)),
        ("61091000101", ("hs.form",)),
        ("61O910", ("hs.form",)),
        ("770000", ("hs.chapter",)),
        ("000000", ("hs.chapter",)),
    ],
)
def test_hs_codes_have_a_form_and_a_chapter(value: str, codes: tuple[str, ...]) -> None:
    assert codes == hs_check(CHAPTERS, None)(value)


def test_there_are_96_chapters_and_two_for_national_use() -> None:
    assert 98 == len(CHAPTERS)


def test_a_list_of_subheadings_is_judged_by_when_there_is_one() -> None:
    check = hs_check(CHAPTERS, frozenset({"610910"}))

    assert () == check("6109100010")
    assert ("hs.unknown",) == check("610990")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20))
def test_no_text_makes_the_checks_raise(value: str) -> None:
    assert len(mrn_faults(value)) <= 1
    assert len(hs_check(CHAPTERS, None)(value)) <= 1
