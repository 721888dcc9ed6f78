"""The published ICS2 schemas, and documents of traders in the dress of their published twins."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lxml import etree

from tests.data import data_file
from translators.xml import Node

NAMESPACE = "urn:wco:datamodel:eu:ics2:2"
_XS = "http://www.w3.org/2001/XMLSchema"
TWINS = {"IE3Q02": "IE4Q04", "IE3Q03": "IE4Q05", "IE3R02": "IE4R02", "IE3R03": "IE4R03"}
"""Messages between customs that carry on what a trader's message says, and are published."""
_HEADER = """<MessageHeader xmlns="urn:wco:datamodel:eu:ics2:2"><messageId>m-1</messageId>
<messageTimestamp>2026-11-21T12:00:00Z</messageTimestamp><messageSender>LU</messageSender>
<messageRecipient>EU</messageRecipient></MessageHeader>"""


@cache
def published(message: str) -> etree.XMLSchema:
    """The published schema of one message."""
    return etree.XMLSchema(etree.parse(data_file("ics2", "schemas", f"{message}.xsd")))


@cache
def of_type(element: str, type_name: str, folder: Path) -> etree.XMLSchema:
    """A schema with one element of a published type, where only the type is published."""
    types = data_file("ics2", "schemas", "ctypes.xsd").as_uri()
    driver = folder / f"{element}-{type_name}.xsd"
    driver.write_text(
        f'<xs:schema xmlns:xs="{_XS}" xmlns="{NAMESPACE}" targetNamespace="{NAMESPACE}" '
        f'elementFormDefault="qualified"><xs:include schemaLocation="{types}"/>'
        f'<xs:element name="{element}" type="{type_name}"/></xs:schema>',
        encoding="utf-8",
    )
    return etree.XMLSchema(etree.parse(driver))


def as_twin(document: bytes) -> Node:
    """A trader's message as the one between customs: its name, header and request reference."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    twin = TWINS[local(root)]
    root.tag = f"{{{NAMESPACE}}}{twin}"
    root.insert(0, etree.fromstring(_HEADER, etree.XMLParser(remove_blank_text=True)))
    if twin in ("IE4Q04", "IE4Q05"):
        reference = etree.Element(f"{{{NAMESPACE}}}riskAnalysisRequestReference")
        reference.text = "LU-RA-1"
        root.insert(2, reference)
    return root


def local(node: Node) -> str:
    """The name of an element without its namespace."""
    return str(node.tag).rpartition("}")[2]


def rows(message: str) -> dict[str, bool]:
    """Paths of a published message below its root that hold a value, from its element tree, and
    whether an attribute or text of it does."""
    table = data_file("element-trees", f"ics2-{message}.tsv").read_text("utf-8").splitlines()
    paths = [line.split("\t")[0] for line in table[1:]]
    return {path: not any(other.startswith(f"{path}/") for other in paths) for path in paths}


def value_paths(message: str) -> set[str]:
    """The paths of a published message at which values stand, without its root."""
    return {path.partition("/")[2] for path, leaf in rows(message).items() if leaf}


def filled(root: Node) -> set[str]:
    """The paths at which values stand in a document, without its root and without indices."""
    found = set()
    for node in root.iter():
        if (node.text or "").strip():
            above = [local(one) for one in node.iterancestors()][::-1]
            found.add("/".join([*above, local(node)][1:]))
    return found
