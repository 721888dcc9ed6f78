"""UPU S9 receptacles, IMPC codes, operator codes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.regimes.identifiers.receptacles import (
    Receptacle,
    impc_faults,
    operator_faults,
    read_s9,
    s9_faults,
)

WHOLE = "FRCDGADEFRAAAUN" + "6" + "0042" + "007" + "1" + "0" + "0123"


def test_every_part_of_a_receptacle_is_read() -> None:
    assert read_s9(WHOLE) == Receptacle(
        origin="FRCDGA",
        destination="DEFRAA",
        category="A",
        subclass="UN",
        year=6,
        despatch=42,
        number=7,
        highest=True,
        registered=False,
        weight=123,
    )


def test_the_sure_part_is_read_although_the_rest_is_unusual() -> None:
    assert read_s9(WHOLE[:15] + "X" * 14) == Receptacle(
        origin="FRCDGA", destination="DEFRAA", category="A", subclass="UN"
    )


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        (WHOLE, ()),
        (WHOLE[:15] + "X" * 14, ("s9.rest",)),
        (WHOLE + "1", ("s9.rest",)),
        (WHOLE[:15], ("s9.rest",)),
        (WHOLE[:14], ("s9.form",)),
        ("1RCDGADEFRAAAUN60042007100123", ("s9.form",)),
        (WHOLE.lower(), ("s9.form",)),
        ("", ("s9.form",)),
    ],
)
def test_what_is_wrong_with_a_receptacle_is_named(value: str, codes: tuple[str, ...]) -> None:
    assert codes == s9_faults(value)


@pytest.mark.parametrize(
    ("value", "codes"),
    [("FRCDGA", ()), ("DEFRA1", ()), ("FRCDG", ("impc.form",)), ("F1CDGA", ("impc.form",))],
)
def test_impc_codes_have_their_form(value: str, codes: tuple[str, ...]) -> None:
    assert codes == impc_faults(value)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("FRA", ()),
        ("J1A", ()),
        ("FRCDGA", ()),
        ("FR", ("operator.form",)),
        ("fra", ("operator.form",)),
    ],
)
def test_an_operator_is_named_by_its_code_or_an_office(value: str, codes: tuple[str, ...]) -> None:
    assert codes == operator_faults(value)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_the_checks_raise(value: str) -> None:
    assert set(s9_faults(value)) <= {"s9.form", "s9.rest"}
    assert (read_s9(value) is None) == ("s9.form" in s9_faults(value))
    impc_faults(value)
    operator_faults(value)
