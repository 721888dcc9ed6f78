"""EORI, VAT, IOSS, LEI, ABN and GTIN; all examples are published ones or made up by their rule."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.regimes.codes.lists import packaged
from gateway.regimes.identifiers.traders import (
    abn_faults,
    eori_check,
    gtin_faults,
    ioss_faults,
    lei_faults,
    vat_faults,
    vendor_faults,
)

eori_faults = eori_check(frozenset({"FR", "GB", "XI", "DE"}), packaged("eori")["form"])


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("FR12345678901234", ()),
        ("DE 1234567", ()),
        ("GB123456789000", ()),
        ("XI123456789000123", ()),
        ("GB12345678", ("eori.national",)),
        ("ZZ123", ("eori.country",)),
        ("FR", ("eori.form",)),
        ("FR1234567890123456", ("eori.form",)),
        ("fr123", ("eori.form",)),
        ("FR-123", ("eori.form",)),
        ("", ("eori.form",)),
    ],
)
def test_eori_numbers(value: str, codes: tuple[str, ...]) -> None:
    assert codes == eori_faults(value)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("FR61954506077", ()),
        ("FR 61 954 506 077", ()),
        ("BE0697449992", ()),
        ("ATU57194903", ()),
        ("GB980780684", ()),
        ("EL094259216", ()),
        ("FR61954506078", ("vat.rule",)),
        ("BE0697449993", ("vat.rule",)),
        ("GB980780685", ("vat.rule",)),
        ("CHE107787577", ()),  # whose rule is not known here is not judged
        ("123", ()),
        ("FR٦١954506077", ("vat.rule",)),
        ("", ("vat.rule",)),
    ],
)
def test_vat_numbers_follow_the_rule_of_their_state(value: str, codes: tuple[str, ...]) -> None:
    assert codes == vat_faults(value)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("IM2760000742", ()),
        ("im 276 0000742", ()),
        ("IM9000000017", ()),  # Northern Ireland
        ("IM8400000742", ("ioss.form",)),  # 840: not a member state
        ("IM276000074", ("ioss.form",)),
        ("EU372022452", ("ioss.form",)),  # the non-union scheme is for services
        ("IN2760000742", ("ioss.form",)),  # an intermediary's own number
        ("1", ("ioss.form",)),
        ("", ("ioss.form",)),
    ],
)
def test_ioss_numbers(value: str, codes: tuple[str, ...]) -> None:
    assert codes == ioss_faults(value)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("IM2760000742", ()),
        ("IM1", ("ioss.form",)),
        ("FR61954506077", ()),
        ("FR61954506078", ("vat.rule",)),
    ],
)
def test_the_vendor_is_named_by_either_number(value: str, codes: tuple[str, ...]) -> None:
    assert codes == vendor_faults(value)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (lei_faults, "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D16"),
        (abn_faults, "83 914 571 673", "99 999 999 999"),
        (gtin_faults, "73513537", "73513536"),
        (gtin_faults, "9780471117094", "9780471117095"),
    ],
)
def test_check_digits(check: Callable[[str], tuple[str, ...]], good: str, bad: str) -> None:
    assert () == check(good)
    assert 1 == len(check(bad))


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.tuples(
            st.sampled_from(["FR", "DE", "ES", "IE", "LV", "BG", "RO", "GB", "EL", "XI", "IM"]),
            st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+*", max_size=14),
        ).map("".join),
    )
)
def test_no_text_makes_a_check_raise(value: str) -> None:
    for check in (vat_faults, ioss_faults, vendor_faults, lei_faults, abn_faults, gtin_faults):
        assert len(check(value)) <= 1
    assert len(eori_faults(value)) <= 1
