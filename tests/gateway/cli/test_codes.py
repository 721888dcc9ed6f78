"""Every code that the gateway says is documented, and the page is fresh."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.codes import faults, problems, reference
from gateway.cli.main import luxor

ROOT = Path(__file__).parents[3]
SAID = re.compile(r'(?:code=|Refused\(\s*|_none\()"([a-z0-9-]+\.[a-z0-9.-]+)"')


def test_the_page_of_codes_is_fresh() -> None:
    assert reference() == (ROOT / "docs/faults.md").read_text("utf-8"), (
        "run: luxor codes --markdown > docs/faults.md"
    )


def test_every_code_in_the_gateways_source_is_in_a_table() -> None:
    known = [row.code for row in (*problems(), *faults())]
    said = {
        (code, file.name)
        for file in (ROOT / "gateway").rglob("*.py")
        for code in SAID.findall(file.read_text("utf-8"))
    }

    assert len(said) > 30
    assert [] == [
        (code, file) for code, file in sorted(said) if not any(fnmatchcase(code, k) for k in known)
    ]


def test_codes_are_looked_up_by_their_beginning() -> None:
    result = CliRunner().invoke(luxor, ["codes", "interchange.conf", "--json"])

    assert 0 == result.exit_code
    assert '"code":"interchange.conflict"' in result.output
    assert '"http":409' in result.output
