"""The packaged layouts: golden documents, samples, schemas, pages."""

from __future__ import annotations

import io
import re
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from translators.canonical import Interchange, kind_of
from translators.described import Described
from translators.layout import LayoutTranslator, leaves, packaged, packaged_ids, without
from translators.layout.fast import Fast
from translators.model import paths
from translators.translator import decode, encode

GOLDEN = Path(__file__).parent / "golden"
LAYOUTS = [packaged(name) for name in packaged_ids()]
each_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.id))
UPU = [layout for layout in LAYOUTS if layout.id.startswith("upu.")]
each_upu_layout = pytest.mark.parametrize("layout", UPU, ids=lambda layout: str(layout.id))


OTHER_FORMS = {
    ("gb.dms.declaration.2", "GoodsDeclaration"): frozenset({"/invoice_issued_on"}),
    ("eu.ics2.referral.2", "CustomsResponse"): frozenset(
        {"/transport_document/number", "/transport_document/type"}
    ),
}
"""What stands where another form of the same element stands, and is not in a list of such."""
each_document = pytest.mark.parametrize(
    ("layout", "name"),
    [
        pytest.param(layout, path.stem, id=path.stem)
        for layout in LAYOUTS
        for path in sorted(GOLDEN.glob(f"{layout.id}*.xml"))
    ],
)


def golden(name: str) -> tuple[bytes, Interchange]:
    """A hand-written document and what it says."""
    expected = msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=Interchange)
    return (GOLDEN / f"{name}.xml").read_bytes(), expected


def schema_of(layout: LayoutTranslator, folder: Path) -> etree.XMLSchema:
    """The generated schema, its files side by side as a user has them."""
    files = layout.schema()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return etree.XMLSchema(etree.parse(folder / next(iter(files))))


def canonical(content: str) -> str:
    """Canonical XML without the declaration and without blanks."""
    return str(etree.canonicalize(content.partition("?>")[2], strip_text=True))


@each_layout
def test_every_layout_has_a_golden_document(layout: LayoutTranslator) -> None:
    assert list(GOLDEN.glob(f"{layout.id}*.xml"))


@each_document
def test_the_golden_document_is_read(layout: LayoutTranslator, name: str) -> None:
    content, expected = golden(name)
    assert decode(layout, content) == expected


@each_document
def test_the_golden_document_is_written(layout: LayoutTranslator, name: str) -> None:
    content, expected = golden(name)
    written = encode(layout, expected).decode()
    assert canonical(written) == canonical(content.decode())


@each_upu_layout
def test_good_messages_are_taken_by_the_fast_reader(layout: LayoutTranslator) -> None:
    content, expected = golden(str(layout.id))
    root = etree.fromstring(content, etree.XMLParser(remove_blank_text=True))
    (fast,) = Fast(layout.plan).readers.values()
    found = [fast.one(node) for node in root.iterchildren(layout.plan.chain[-1].tag)]
    assert len(found) == len(expected.messages)


@each_layout
@pytest.mark.parametrize("full", [True, False])
def test_the_samples_satisfy_the_schema_and_read_back_equal(
    layout: LayoutTranslator, full: bool, tmp_path: Path
) -> None:
    checked = schema_of(layout, tmp_path)
    for sample in layout.samples(full=full):
        content = encode(layout, sample)
        assert checked.validate(etree.fromstring(content)), checked.error_log
        assert decode(layout, content) == sample


@pytest.mark.parametrize(
    ("layout", "kind"),
    [
        pytest.param(one, kind, id=f"{one.id}-{kind}")
        for one in LAYOUTS
        for kind in sorted(one.kinds)
    ],
)
def test_the_full_samples_fill_every_line(layout: LayoutTranslator, kind: str) -> None:
    filled = {
        "/".join("*" if step.isdigit() else step for step in pointer.split("/"))
        for sample in layout.samples()
        for message in sample.messages
        if kind_of(message) == kind
        for pointer, _ in leaves(message)
    }
    filled = {re.sub("/extra/.*", "/extra/*", path) for path in filled}
    lost = layout.drops[kind]
    carried = {
        path
        for path in paths(kind)
        if not any(path == one or path.startswith(f"{one}/") for one in lost)
    }
    # What a document leaves unsaid is set on reading though it is dropped on writing.
    rows = [row for plan in layout.plans for row in plan.messages.rows if row.kind == kind]
    filled -= {f"/{name}" for row in rows for name, _ in row.content.unsaid} - carried
    if "join `first_name` `last_name`" in layout.documentation():
        # Written as one name, and read as one.
        carried = {path for path in carried if not path.endswith(("/first_name", "/last_name"))}
    assert filled == carried - OTHER_FORMS.get((str(layout.id), kind), frozenset())


@each_document
def test_the_golden_document_satisfies_the_schema(
    layout: LayoutTranslator, name: str, tmp_path: Path
) -> None:
    checked = schema_of(layout, tmp_path)
    assert checked.validate(etree.fromstring(golden(name)[0])), checked.error_log


@each_document
def test_the_page_names_every_element_and_what_is_not_carried(
    layout: LayoutTranslator, name: str
) -> None:
    page = layout.documentation()
    names = {
        str(node.tag).rpartition("}")[2] for node in etree.fromstring(golden(name)[0]).iter("*")
    }
    assert all(name in page for name in names)
    assert all(f"- `{path}`" in page for lost in layout.drops.values() for path in lost)
    assert layout.standing in page


@each_layout
def test_a_layout_is_a_translator_that_describes_itself(layout: LayoutTranslator) -> None:
    assert isinstance(layout, Described)
    assert layout.media_types[0] == f"application/vnd.luxor.{layout.id}+xml"
    assert layout.root_elements == tuple(plan.root for plan in layout.plans)


def test_only_packaged_layouts_have_a_name() -> None:
    assert set(packaged_ids()) >= {"upu.itmatt.1", "upu.cusitm.1", "upu.cusrsp.1"}
    with pytest.raises(LookupError):
        packaged("upu.nothing.1")
    with pytest.raises(LookupError):
        packaged("../codes/nature")


def test_the_overlay_for_customs_adds_two_references() -> None:
    itmatt, cusitm = packaged("upu.itmatt.1"), packaged("upu.cusitm.1")
    gained = itmatt.drops["ItemDeclaration"] - cusitm.drops["ItemDeclaration"]
    assert gained == {"/customs_reference", "/postal_reference"}


def test_a_message_without_its_drops_is_what_a_layout_carries() -> None:
    layout = packaged("upu.itmatt.1")
    (first, *_) = layout.sample().messages
    more = msgspec.structs.replace(first, mrn="26FR1", remark="seen", contact="desk")
    content = b"".join(layout.write(layout.sample().header, [more]))
    assert decode(layout, content).messages == (without(more, layout.drops["ItemDeclaration"]),)
    assert list(layout.read(io.BytesIO(content)))[1].message == first  # type: ignore[union-attr]
