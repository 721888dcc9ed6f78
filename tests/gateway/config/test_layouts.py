"""Layout files of a configuration: what lies beside them, and how their mistakes are told."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner, Result
from lxml import etree

from gateway.cli.main import luxor
from gateway.config.layouts import read_layout
from translators.canonical import ItemDeclaration, Order
from translators.faults import Note, NoteKind
from translators.layout import LayoutError, LayoutTranslator
from translators.translator import Entry, decode, encode

EXAMPLES = Path(__file__).parents[3] / "examples"
LAYOUTS = EXAMPLES / "layouts"
FLAT_FILE = LAYOUTS / "example.flat-items.1.toml"
ORDER_FILE = LAYOUTS / "example.platform-order.1.toml"
FLAT, PLATFORM = read_layout(FLAT_FILE), read_layout(ORDER_FILE)
ITEMS = (EXAMPLES / "messages/flat-items.xml").read_bytes()
ORDER = (EXAMPLES / "messages/platform-order.json").read_bytes()
BOTH = [(FLAT, ITEMS), (PLATFORM, ORDER)]
both = pytest.mark.parametrize(("layout", "content"), BOTH, ids=["flat", "platform"])


def run(*arguments: object, content: bytes | None = None) -> Result:
    return CliRunner().invoke(luxor, [str(one) for one in arguments], input=content)


def faults(layout: LayoutTranslator, content: bytes) -> set[tuple[str, str, str | None]]:
    return {
        (fault.code, fault.path, fault.source_path)
        for reading in layout.read(io.BytesIO(content))
        if isinstance(reading, Entry)
        for fault in reading.faults
    }


def valid(layout: LayoutTranslator, content: bytes) -> bool:
    """Whether a document satisfies the schema of its layout."""
    (schema,) = layout.schema().values()
    if layout.plan.syntax == "json":
        validator: Any = jsonschema.Draft202012Validator(msgspec.json.decode(schema))
        return bool(validator.is_valid(msgspec.json.decode(content)))
    return bool(etree.XMLSchema(etree.fromstring(schema)).validate(etree.fromstring(content)))


def test_the_flat_document_says_what_it_says() -> None:
    first, second = decode(FLAT, ITEMS).messages
    assert isinstance(first, ItemDeclaration)
    assert isinstance(second, ItemDeclaration)
    assert ("parcels", "sale", "0.750") == (first.mail_class, first.nature, str(first.gross_weight))
    assert first.sender.address is not None
    assert ("12 rue des Essais", "Bâtiment B") == first.sender.address.lines
    assert ["GBP", "GBP"] == [piece.amount and piece.amount.currency for piece in second.pieces]


def test_the_order_of_the_platform_says_what_it_says() -> None:
    (order,) = decode(PLATFORM, ORDER).messages
    assert isinstance(order, Order)
    assert {"IOSS": "IM2760000742"} == {one.scheme: one.number for one in order.tax_references}
    assert ["12.25", "3.50"] == [str(line.unit_price.amount) for line in order.lines]
    assert ["0.600", "0.012"] == [str(line.net_weight) for line in order.lines]
    assert [("card", "paid")] == [(one.method, one.status) for one in order.payments]
    assert [(1, 2)] == [parcel.lines for parcel in order.parcels]
    assert "GTIN" == order.lines[0].product_ids[0].type


@both
def test_what_is_read_is_written_within_the_schema_and_reads_back(
    layout: LayoutTranslator, content: bytes
) -> None:
    found = decode(layout, content)
    notes: list[Note] = []
    written = encode(layout, found, notes.append)

    assert valid(layout, written)
    assert found == decode(layout, written)
    assert [] == [note.path for note in notes if note.kind is NoteKind.DROPPED]


def test_the_written_order_is_the_one_that_came_but_for_null_and_the_newer_code() -> None:
    expected = json.loads(ORDER)
    del expected["customer"]["billing"]
    expected["items"][0]["barcodes"][0]["type"] = "gtin"
    assert expected == json.loads(encode(PLATFORM, decode(PLATFORM, ORDER)))


@both
@pytest.mark.parametrize("full", [True, False])
def test_samples_satisfy_the_schema_and_read_back(
    layout: LayoutTranslator, content: bytes, full: bool
) -> None:
    del content
    sample = layout.sample(full=full)
    written = encode(layout, sample)
    assert valid(layout, written)
    assert sample == decode(layout, written)


def test_what_the_flat_dialect_has_and_we_do_not_is_reported() -> None:
    notes = [
        (note.kind, note.source_path)
        for reading in FLAT.read(io.BytesIO(ITEMS))
        if isinstance(reading, Entry)
        for note in reading.notes
    ]
    assert [(NoteKind.DROPPED, "/Items/Item[1]/SortingLane[1]")] == notes


def test_what_we_have_and_the_dialects_do_not_is_dropped() -> None:
    assert {"/extra", "/customs_reference", "/documents"} <= FLAT.drops["ItemDeclaration"]
    assert {"/documents", "/lines/*/image", "/incoterm"} <= PLATFORM.drops["Order"]


def test_faults_of_the_flat_dialect_have_its_own_paths() -> None:
    content = ITEMS.replace(b"<TotalWeight>750", b"<TotalWeight>0.75").replace(
        b"<Gift>true", b"<Gift>maybe"
    )
    assert {
        ("decimal.invalid", "/gross_weight", "/Items/Item[1]/TotalWeight"),
        ("code.unknown", "/nature", "/Items/Item[2]/Gift"),
    } == faults(FLAT, content)


def test_faults_of_the_platform_have_its_own_paths() -> None:
    content = (
        ORDER.replace(b'"amount": "12.25"', b'"amount": 12.25')
        .replace(b'"settled": true', b'"settled": 1')
        .replace(b'"shop": "shop.example",', b"")
    )
    assert {
        ("value.type", "/lines/0/unit_price/amount", "/items/0/price/amount"),
        ("value.type", "/payments/0/status", "/payments/0/settled"),
        ("element.missing", "/platform_id", "/shop"),
    } == faults(PLATFORM, content)


def test_a_layout_finds_what_it_extends_and_its_codes_beside_it(tmp_path: Path) -> None:
    shutil.copytree(LAYOUTS, tmp_path, dirs_exist_ok=True)
    newer = tmp_path / "example.flat-items.2.toml"
    newer.write_text('layout = "example.flat-items.2"\nextends = "example.flat-items.1"\n')

    assert "example.flat-items.2" == read_layout(newer).id


@pytest.mark.parametrize("name", ["../example.flat-items.1", "codes/../../x", "no.such.1"])
def test_what_is_extended_lies_in_the_same_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(FLAT_FILE, tmp_path)
    newer = tmp_path / "in" / "newer.toml"
    newer.write_text(f'layout = "newer.1"\nextends = "{name}"\n')

    with pytest.raises(LayoutError, match=r"newer\.toml:2: \[\] extends: unknown layout"):
        read_layout(newer)


def test_mistakes_in_a_layout_are_told_with_file_and_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    text = ORDER_FILE.read_text("utf-8").replace('"order_id ! : text 70"', '"order_number !"')
    bad.write_text(text, "utf-8")
    number = next(at for at, line in enumerate(text.splitlines(), 1) if line.startswith("orderNo"))

    result = run("sample", "--layout", bad)

    assert 2 == result.exit_code
    assert f"{bad}:{number}: [order] orderNo: " in result.stderr


@pytest.mark.parametrize("name", ["../../other", "two words", "x.*", ".hidden", "x.1\\n"])
def test_an_id_is_one_that_can_stand_in_a_header_and_in_the_name_of_a_file(
    name: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(ORDER_FILE.read_text("utf-8").replace("example.platform-order.1", name), "utf-8")

    with pytest.raises(LayoutError, match=r"bad\.toml:3: \[\] layout: .* is no id"):
        read_layout(bad)


@pytest.mark.parametrize(
    "name", ["order", "application/json; charset=utf-8", "a/b\\r\\nX: 1", "a/"]
)
def test_a_media_type_is_one_without_parameters(name: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    text = ORDER_FILE.read_text("utf-8").replace("application/vnd.example.order+json", name)
    bad.write_text(text, "utf-8")

    with pytest.raises(LayoutError, match=r"bad\.toml:9: \[\] media-types: .* is no media type"):
        read_layout(bad)


def test_two_layout_files_never_define_the_same_format(tmp_path: Path) -> None:
    shutil.copytree(LAYOUTS, tmp_path, dirs_exist_ok=True)
    copy = tmp_path / "copy.toml"
    shutil.copy(ORDER_FILE, copy)
    config = tmp_path / "gateway.toml"
    layouts = [FLAT_FILE, ORDER_FILE, copy]
    sections = "".join(f'[[format]]\nlayout = "{path}"\n' for path in layouts)
    config.write_text((EXAMPLES / "gateway.toml").read_text("utf-8") + sections, "utf-8")
    detail = f"{copy}:3: [] layout: {PLATFORM.id} is what {ORDER_FILE} defines"

    checked = run("serve", "--config", config, "--check")
    tried = run("formats", "--layout", ORDER_FILE, "--layout", copy)

    assert (2, 2) == (checked.exit_code, tried.exit_code)
    assert f"format[2]: {detail}" in checked.output
    assert [detail] == tried.stderr.splitlines()


def test_commands_take_a_layout_without_a_gateway(tmp_path: Path) -> None:
    schema = run("schema", "--layout", ORDER_FILE, "--out", tmp_path, "--json")
    sample = run("sample", "--layout", ORDER_FILE)
    page = run("formats", PLATFORM.id, "--layout", ORDER_FILE)
    valid_ = run("validate", "-", "--layout", ORDER_FILE, "--json", content=sample.stdout_bytes)

    assert [0, 0, 0] == [schema.exit_code, sample.exit_code, page.exit_code]
    assert [str(tmp_path / "example.platform-order.1.schema.json")] == json.loads(schema.stdout)
    assert 1 == json.loads(valid_.stdout)["messages"]


def test_a_report_tells_reading_and_writing_apart() -> None:
    result = run(
        *("translate", "-", "--layout", FLAT_FILE, "--from", FLAT.id, "--to", FLAT.id),
        "--json",
        content=ITEMS,
    )
    report = json.loads(result.stderr)

    details = {side: [note["detail"] for note in report[side]] for side in ("read", "written")}
    assert "C → parcels" in details["read"]
    assert "parcels → C" in details["written"]
    assert "dropped" in {note["kind"] for note in report["read"]}


def test_a_report_for_people_groups_what_is_alike() -> None:
    result = run(
        *("translate", "-", "--layout", FLAT_FILE, "--from", FLAT.id, "--to", "luxor.json.1"),
        "--report",
        content=ITEMS,
    )

    assert "Read (example.flat-items.1)" in result.stderr
    assert "/Items/Item[*]/SortingLane[*]" in result.stderr
    assert "U → letters" in result.stderr


@both
def test_a_command_counts_messages_in_words_that_fit(
    layout: LayoutTranslator, content: bytes
) -> None:
    file = FLAT_FILE if layout is FLAT else ORDER_FILE
    count = "2 messages" if layout is FLAT else "1 message"
    result = run("validate", "-", "--layout", file, content=content)

    assert f"{count} read, 0 refused" == result.stdout.splitlines()[-1]


def test_a_configuration_names_mistakes_of_its_layouts(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('layout = "bad.1"\ntitle = "x"\nsyntax = "json"\nroot = "r"\n', "utf-8")
    config = tmp_path / "gateway.toml"
    base = (EXAMPLES / "gateway.toml").read_text("utf-8")
    config.write_text(f'{base}\n[[format]]\nlayout = "bad.toml"\n', "utf-8")

    result = run("serve", "--config", config, "--check")

    assert 0 != result.exit_code
    assert f"{bad}:4: [] root: JSON has no document element" in result.output
