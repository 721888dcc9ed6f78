"""What is shipped as an example is good."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor

MESSAGES = Path(__file__).parents[3] / "examples/messages"


@pytest.mark.parametrize(
    ("file", "name"), [("itmatt.xml", "upu.itmatt.1"), ("order.json", "luxor.json.1")]
)
def test_example_messages_have_no_fault(file: str, name: str) -> None:
    result = CliRunner().invoke(
        luxor, ["validate", str(MESSAGES / file), "--format", name, "--json"]
    )

    assert 0 == result.exit_code, result.output
    assert '"faults":[]' in result.output
