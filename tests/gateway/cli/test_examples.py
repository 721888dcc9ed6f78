"""What is shipped as an example is good."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor

EXAMPLES = Path(__file__).parents[3] / "examples"
MESSAGES = EXAMPLES / "messages"


@pytest.mark.parametrize(
    ("file", "name"), [("itmatt.xml", "upu.itmatt.1"), ("order.json", "luxor.json.1")]
)
def test_example_messages_have_no_fault(file: str, name: str) -> None:
    result = CliRunner().invoke(
        luxor, ["validate", str(MESSAGES / file), "--format", name, "--json"]
    )

    assert 0 == result.exit_code, result.output
    assert '"faults":[]' in result.output


@pytest.mark.parametrize(
    ("file", "layout"),
    [
        ("flat-items.xml", "example.flat-items.1.toml"),
        ("platform-order.json", "example.platform-order.1.toml"),
    ],
)
def test_example_messages_of_partner_layouts_have_no_fault(file: str, layout: str) -> None:
    path = EXAMPLES / "layouts" / layout
    result = CliRunner().invoke(
        luxor, ["validate", str(MESSAGES / file), "--layout", str(path), "--json"]
    )

    assert 0 == result.exit_code, result.output
    assert '"faults":[]' in result.output


def test_the_example_configuration_starts_on_the_development_pki(
    certs: Path, tmp_path: Path
) -> None:
    shutil.copytree(certs, tmp_path / "certs")
    (tmp_path / "examples").mkdir()
    (tmp_path / "var/received").mkdir(parents=True)
    config = shutil.copy(EXAMPLES / "gateway.toml", tmp_path / "examples")

    result = CliRunner().invoke(luxor, ["serve", "--config", str(config), "--check"])

    assert 0 == result.exit_code, result.output
