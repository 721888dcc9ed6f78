"""UPU S10: form, check digit, reserved letters."""

import pytest

from gateway.regimes.identifiers import s10_check_digit, s10_faults


@pytest.mark.parametrize("valid", ["EE471108151FR", "RR473124829GB"])
def test_published_identifiers_are_valid(valid: str) -> None:
    assert s10_faults(valid) == ()


@pytest.mark.parametrize(
    ("serial", "check"),
    [("00000000", 5), ("00000010", 2), ("47110815", 1), ("47312482", 9), ("00000008", 0)],
)
def test_check_digit(serial: str, check: int) -> None:
    # 11 - (sum mod 11), where 10 becomes 0 and 11 becomes 5
    assert check == s10_check_digit(serial)


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("EE471108152FR", ("s10.check-digit",)),
        ("CP001020301BR", ("s10.check-digit",)),
        ("ee471108151fr", ("s10.form",)),
        ("EE47110815FR", ("s10.form",)),
        ("EE471108151F1", ("s10.form",)),
        ("EE٤71108151FR", ("s10.form",)),
        ("", ("s10.form",)),
        ("JE471108151FR", ("s10.reserved",)),
        ("TE471108152FR", ("s10.check-digit", "s10.reserved")),
    ],
)
def test_everything_that_is_wrong_is_named(value: str, codes: tuple[str, ...]) -> None:
    assert codes == s10_faults(value)
