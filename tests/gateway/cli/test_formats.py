"""``luxor formats``, ``schema``, ``sample``, ``translate`` and ``validate`` from the outside."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from lxml import etree

from gateway.cli.main import COMMANDS, luxor
from tests.e2e import documents
from tests.samples import s10
from translators.registry import standard


def run(*arguments: str, content: bytes | None = None) -> Result:
    return CliRunner().invoke(luxor, list(arguments), input=content)


def test_formats_lists_what_is_spoken_as_json() -> None:
    rows = json.loads(run("formats", "--json").stdout)

    assert {"luxor.json.1", "luxor.proto.1", "upu.itmatt.1", "upu.cusrsp.1"} <= {
        row["id"] for row in rows
    }
    for row in rows:
        assert {"id", "kinds", "decode", "encode"} <= row.keys()
        assert row["kinds"]
        assert row["standing"]


def leaves(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    """The words of each command that is no group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, *above, name)
        else:
            yield (*above, name)


@pytest.mark.parametrize("words", [*leaves(luxor)], ids=" ".join)
def test_every_command_explains_itself_with_examples(words: tuple[str, ...]) -> None:
    result = run(*words, "--help")

    assert 0 == result.exit_code
    assert "Usage:" in result.output
    examples = result.output.partition("Examples:")[2].partition("\n\n")[0].strip().splitlines()
    assert examples
    for before, line in zip(["", *examples], examples, strict=False):
        assert "luxor " in line or before.endswith("\\"), "it cannot be typed as it stands"


@pytest.mark.parametrize("group", [name for name in COMMANDS if (name,) not in {*leaves(luxor)}])
def test_a_group_tells_all_of_the_first_sentence_of_its_commands(group: str) -> None:
    result = run(group, "--help")

    assert 0 == result.exit_code
    assert "..." not in result.output.partition("Commands:")[2]


@pytest.mark.parametrize("name", [translator.id for translator in standard()])
def test_every_format_has_schema_sample_and_documentation(name: str, tmp_path: Path) -> None:
    schema = run("schema", name, "--out", str(tmp_path), "--json")
    sample = run("sample", name)
    documentation = run("formats", name)

    assert [0, 0, 0] == [schema.exit_code, sample.exit_code, documentation.exit_code]
    assert all(Path(file).stat().st_size > 0 for file in json.loads(schema.stdout))
    assert sample.stdout_bytes
    assert name in documentation.stdout


@pytest.mark.parametrize("name", [translator.id for translator in standard()])
def test_the_page_of_every_format_is_fresh(name: str) -> None:
    page = Path(__file__).parents[3] / "docs/formats" / f"{name}.md"

    assert run("formats", name).stdout == page.read_text("utf-8"), "run: make docs"


def test_a_format_with_several_documents_has_a_sample_of_each() -> None:
    found = [
        etree.fromstring(run("sample", "eu.ics2.risk.2", "--root", root).stdout_bytes).tag
        for root in ("IE4S01", "IE4Q07")
    ]
    assert [f"{{urn:wco:datamodel:eu:ics2:2}}{root}" for root in ("IE4S01", "IE4Q07")] == found


@pytest.mark.parametrize("name", ["eu.ics2.risk.2", "luxor.json.1"])
def test_a_sample_of_a_document_that_there_is_not_names_those_that_there_are(name: str) -> None:
    result = run("sample", name, "--root", "IE3F43")
    assert 2 == result.exit_code
    assert "has no document element IE3F43" in result.output


def test_the_sample_of_itmatt_is_valid_against_its_schema(tmp_path: Path) -> None:
    (file,) = json.loads(run("schema", "upu.itmatt.1", "--out", str(tmp_path), "--json").stdout)

    document = etree.fromstring(run("sample", "upu.itmatt.1").stdout_bytes)

    etree.XMLSchema(etree.parse(file)).assertValid(document)


def test_an_unknown_format_is_a_usage_error_that_names_the_known_ones() -> None:
    result = run("sample", "upu.itmutt.1")

    assert 2 == result.exit_code
    assert "upu.itmatt.1" in result.stderr


def test_translate_writes_the_result_and_reports_on_standard_error(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = run(
        *("translate", "-", "--from", "upu.itmatt.1", "--to", "luxor.json.1"),
        *("--report", str(report)),
        content=documents.itmatt(documents.item(s10(1))),
    )

    assert 0 == result.exit_code
    assert s10(1) == json.loads(result.stdout)["messages"][0]["item_id"]
    assert 1 == json.loads(report.read_text("utf-8"))["messages"]


def test_translate_names_what_it_left_out_and_ends_with_status_1() -> None:
    bad = documents.item(s10(2)).replace("<gross-weight>0.750</gross-weight>", "")
    result = run(
        *("translate", "-", "--from", "upu.itmatt.1", "--to", "luxor.json.1", "--json"),
        content=documents.itmatt(documents.item(s10(1)), bad),
    )
    report = json.loads(result.stderr)

    assert 1 == result.exit_code
    assert 1 == len(json.loads(result.stdout)["messages"])
    assert ("/gross_weight", s10(2)) == (report["faults"][0]["path"], report["faults"][0]["key"])
    assert report["faults"][0]["line"] > 0


def test_dropped_paths_are_reported() -> None:
    item = run(
        *("translate", "-", "--from", "upu.itmatt.1", "--to", "luxor.json.1"),
        content=documents.itmatt(documents.item(s10(1))),
    ).stdout
    message = json.loads(item)
    message["messages"][0]["mrn"] = "26LU000000000001"
    result = run(
        *("translate", "-", "--from", "luxor.json.1", "--to", "upu.itmatt.1", "--json"),
        content=json.dumps(message).encode(),
    )

    assert 0 == result.exit_code
    notes = json.loads(result.stderr)["written"]
    assert ["/mrn"] == [note["path"] for note in notes if note["kind"] == "dropped"]


def test_validate_checks_form_identifiers_and_codes() -> None:
    result = run(
        *("validate", "-", "--format", "upu.itmatt.1", "--json"),
        content=documents.itmatt(documents.item("EE471108152FR", country="QQ")),
    )

    assert 1 == result.exit_code
    assert {"s10.check-digit", "country.unknown"} == {
        fault["code"] for fault in json.loads(result.stdout)["faults"]
    }
