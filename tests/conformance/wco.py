"""The published examples of the WCO Data Model's DMS profile, and the schemas to hold them to."""

from __future__ import annotations

import csv
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.conformance.accounting import Account, account, as_number
from tests.conftest import Figure
from tests.data import cases_of, data_file
from translators.canonical import Pointer
from translators.layout import LayoutTranslator, packaged

_WCO = "urn:wco:datamodel:WCO:"
_NUMBERS = ("Amount", "Quantity", "Measure", "Numeric")
"""Ends of the names of elements that are decimals in the published schemas."""


def examples(validation: str) -> list[Any]:
    """A parameter for each example that the index says is valid so; one skipped without data."""

    def cases(root: Path) -> list[Any]:
        with (root / "INDEX.tsv").open(encoding="utf-8") as index:
            rows = list(csv.DictReader(index, delimiter="\t"))
        found = [row["path"] for row in rows if row["validation"] == validation]
        return [pytest.param(root / path, id=path.removeprefix("examples/")) for path in found]

    return cases_of("wco-hmrc", cases=cases)


def paths(cases: list[Any]) -> list[Path]:
    """The files of the cases, none without data."""
    return [case.values[0] for case in cases if case.values[0] is not None]


@cache
def declaration_schema() -> etree.XMLSchema:
    """The published schema of declarations with their envelope."""
    return _published(
        {"DocumentMetaData": "declaration/DocumentMetaData_2_DMS.xsd",
         "DEC": "declaration/WCO_DEC_2_DMS.xsd"}
    )  # fmt: skip


@cache
def response_schema() -> etree.XMLSchema:
    """The published schema of responses with their envelope."""
    return _published(
        {"DocumentMetaData": "notification/DocumentMetaData_2_DMS.xsd",
         "RES": "notification/WCO_RES_2_DMS.xsd"}
    )  # fmt: skip


def _published(files: dict[str, str]) -> etree.XMLSchema:
    """The envelope takes any body, strictly: one driver schema compiles both."""
    folder = data_file("wco-hmrc", "schemas", "wco")
    imports = "".join(
        f'<xs:import namespace="{_WCO}{name}-DMS:2" schemaLocation="{(folder / file).as_uri()}"/>'
        for name, file in files.items()
    )
    driver = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(driver))


@cache
def generated_schema(layout: LayoutTranslator) -> etree.XMLSchema:
    """The schema that a layout gives."""
    with tempfile.TemporaryDirectory() as folder:
        files = layout.schema()
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        return etree.XMLSchema(etree.parse(Path(folder, next(iter(files)))))


@cache
def accounted(format_id: str, path: Path) -> Account:
    """What becomes of the values of an example."""
    return account(packaged(format_id), document(path), typed)


def typed(path: str, text: str) -> object:
    """Decimals by value, everything else as it is spelled."""
    return as_number(text) if path.endswith(_NUMBERS) else text


def count(content: bytes) -> int:
    """How many values a document has, counted in another way than the account's."""
    root = _parsed(content)
    hints = "namespace-uri()='http://www.w3.org/2001/XMLSchema-instance'"
    found = root.xpath(f"count(//@*[not({hints})])+count(//*[not(*)][normalize-space()])")
    assert isinstance(found, float)
    return int(found)


def document(path: Path) -> bytes:
    """An example, with the namespaces that published responses lack."""
    root = _parsed(path.read_bytes())
    if root.tag == "MetaData":
        root.tag = f"{{{_WCO}DocumentMetaData-DMS:2}}MetaData"
        for one in root:
            _named(one, "RES" if one.tag == "Response" else "DocumentMetaData")
    return etree.tostring(root)


def _named(node: etree._Element, namespace: str) -> None:
    if not str(node.tag).startswith("{"):
        whole = f"{namespace}-DMS:2"
        if node.tag == "DateTimeString":
            whole = "Response_DS:DMS:2"
        node.tag = f"{{{_WCO}{whole}}}{node.tag}"
    for one in node:
        _named(one, namespace)


def _parsed(content: bytes) -> etree._Element:
    return etree.fromstring(content, etree.XMLParser(remove_comments=True, remove_pis=True))


def chains(content: bytes) -> list[tuple[Pointer, ...]]:
    """Every chain of pointers of a document, in its order."""
    found = []
    for node in _parsed(content).iter("{*}Pointer"):
        previous = node.getprevious()
        if previous is None or previous.tag != node.tag:
            chain = [node, *node.itersiblings(node.tag)]
            found.append(tuple(_pointer(one) for one in chain))
    return found


def _pointer(node: etree._Element) -> Pointer:
    section, tag, sequence = (
        (node.findtext(f"{{*}}{name}") or "").strip()
        for name in ("DocumentSectionCode", "TagID", "SequenceNumeric")
    )
    number = int(sequence) if sequence else None
    return Pointer(section=section or None, tag=tag or None, sequence=number)


def plain(chain: tuple[Pointer, ...]) -> list[tuple[str | None, str | None, int | None]]:
    """A chain as it compares: the number 1 says no more than none where nothing repeats."""
    numbers = [None if one.sequence == 1 else one.sequence for one in chain]
    return [(one.section, one.tag, number) for one, number in zip(chain, numbers, strict=True)]


def pointers_that_become_paths(layout: LayoutTranslator, cases: list[Any], figure: Figure) -> float:
    """The share of the chains in examples that have a canonical path; each comes back equal."""
    assert layout.pointers is not None
    found = [one for path in paths(cases) for one in chains(document(path))]
    placed = [(one, layout.pointers.find_path(one)) for one in found]
    translated = [(one, place) for one, place in placed if place is not None]
    figure("pointers with a canonical path", len(translated), len(found))
    back = [layout.pointers.find_chain(*place) or () for _, place in translated]
    assert [plain(one) for one, _ in translated] == [plain(one) for one in back]
    figure("of which come back equal", len(back), len(translated))
    return len(translated) / len(found)
