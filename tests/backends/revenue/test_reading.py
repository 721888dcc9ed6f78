"""Tables: every mistake with its place; the examples that are shipped can be used."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from backends.revenue.rates import decimal_places
from backends.revenue.reading import read_tables
from backends.service.configuration import ConfigurationError

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/backends/revenue").glob("*.toml"))

GOOD = """
[table]
version = "t"
jurisdiction = "XA"
currency = "EUR"
duties = "duties.csv"

[groups]
pref = ["XB"]

[[period]]
valid_from = 2024-01-01
valid_to = 2025-12-31
standard_vat = "20"
fallback_duty = "4"

[[period]]
valid_from = 2026-01-01
standard_vat = "20"
fallback_duty = "4"
"""
DUTIES = "prefix,group,rate,valid_from,valid_to\n6109,*,12,2024-01-01,2024-12-31\n"


def mistakes(folder: Path, text: str, duties: str = DUTIES) -> list[str]:
    (folder / "duties.csv").write_text(duties)
    path = folder / "t.toml"
    path.write_text(text)
    try:
        read_tables(path)
    except ConfigurationError as error:
        return [mistake.path for mistake in error.mistakes]
    return []


def test_good_tables_have_no_mistakes(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ('currency = "EUR"', 'currency = "euro"', ["table.currency"]),
        ('version = "t"', "", ["table.version"]),
        ('"duties.csv"', '"gone.csv"', ["table.duties"]),
        (
            'standard_vat = "20"\nfallback_duty = "4"\n\n',
            "\n",
            ["period[0].standard_vat", "period[0].fallback_duty"],
        ),
        ("valid_to = 2025-12-31", "valid_to = 2026-01-01", ["period"]),
        ("[groups]", "[grups]", ["grups"]),
        ('pref = ["XB"]', 'pref = ["XB"]\nother = ["XB"]', ["groups.other"]),
        ('"EUR"', '"EUR"\nrounding = "0"', ["table.rounding"]),
    ],
)
def test_mistakes_of_the_frame(tmp_path: Path, old: str, new: str, paths: list[str]) -> None:
    assert mistakes(tmp_path, GOOD.replace(old, new, 1)) == paths


@pytest.mark.parametrize(
    "row",
    [
        "61x9,*,12,2024-01-01,",
        "6109,*,-1,2024-01-01,",
        "6109,*,many,2024-01-01,",
        "6109,*,1E3,2024-01-01,",
        "6109,*,NaN,2024-01-01,",
        "6109,*,0.1234567,2024-01-01,",
        "6109,unknown,1,2024-01-01,",
        "6109,*,1,2024-02-30,",
        "6109,*,1,2024-01-02,2024-01-01",
    ],
)
def test_mistakes_of_a_rate_name_its_line(tmp_path: Path, row: str) -> None:
    text = "# a comment\nprefix,group,rate,valid_from,valid_to\n" + row + "\n"
    assert mistakes(tmp_path, GOOD, text) == ["table.duties: duties.csv line 3"]


def test_rates_that_overlap_are_told(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD, DUTIES + "6109,*,10,2024-12-31,\n") == ["6109 *"]


def test_rates_that_follow_each_other_do_not_overlap(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD, DUTIES + "6109,*,10,2025-01-01,\n") == []


def test_rates_may_stand_in_the_file_itself(tmp_path: Path) -> None:
    text = (
        GOOD
        + """
[[duty]]
prefix = "61"
rate = "9"
valid_from = 2024-01-01

[[rate]]
currency = "USD"
units = "1.25"
valid_from = 2024-01-01
"""
    )
    assert mistakes(tmp_path, text) == []
    tables = read_tables(tmp_path / "t.toml")
    assert tables.duties["61", "*"][0].rate == 9
    assert tables.quotations["USD"][0].units == Decimal("1.25")


def test_a_mistake_in_a_written_rate_has_its_place(tmp_path: Path) -> None:
    text = GOOD + '[[vat]]\nprefix = "61"\nvalid_from = 2024-01-01\n'
    assert mistakes(tmp_path, text) == ["vat[0]"]


def test_a_column_that_lacks_is_told(tmp_path: Path) -> None:
    found = mistakes(tmp_path, GOOD, "prefix,rate,valid_from,valid_to\n6109,1,2024-01-01,\n")
    assert found == ["table.duties: duties.csv line 2"]


def test_minor_units_are_those_of_iso_4217() -> None:
    places = {currency: decimal_places(currency) for currency in ("EUR", "JPY", "KWD", "XTS")}
    assert places == {"EUR": 2, "JPY": 0, "KWD": 3, "XTS": 2}


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_the_examples_can_be_used(path: Path) -> None:
    tables = read_tables(path)
    assert tables.periods
    assert tables.version.startswith("example")
