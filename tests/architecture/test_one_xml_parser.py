"""One module parses XML, so that what it refuses is refused everywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARSER = "translators/xml.py"
PACKAGES = ("gateway", "translators", "trust", "backends")
PARSING = frozenset(
    {
        "fromstring", "fromstringlist", "parse", "parseid", "iterparse", "XML", "XMLID", "HTML",
        "XMLParser", "XMLPullParser", "HTMLParser", "HTMLPullParser", "ETCompatXMLParser",
        "XSLT", "XInclude", "DTD", "RelaxNG", "Schematron", "XMLSchema",
    }
)  # fmt: skip
"""What of lxml reads text as XML, or follows what a document names."""
OTHERS = frozenset({"xml", "defusedxml", "xmltodict", "bs4", "html5lib", "signxml", "xmlsec"})


def parsing(source: str) -> Iterator[str]:
    """Every use of a parser, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="etree"), attr=name) if name in PARSING:
                yield f"{node.lineno}: etree.{name}"
            case ast.ImportFrom(module=str() as module, names=names):
                top = module.partition(".")[0]
                bad = {"lxml"} if any(one.name != "etree" for one in names) else set()
                if top in OTHERS | bad:
                    yield f"{node.lineno}: from {module}"
            case ast.Import(names=names):
                for one in names:
                    if one.name.partition(".")[0] in OTHERS | {"lxml"}:
                        yield f"{node.lineno}: import {one.name}"


def test_xml_is_parsed_in_one_module() -> None:
    files = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
    found = {
        str(path.relative_to(ROOT)): uses
        for path in files
        if (uses := list(parsing(path.read_text("utf-8"))))
    }

    assert len(files) > 100
    assert [PARSER] == list(found), found


def test_what_would_be_another_parser_is_found() -> None:
    for line in (
        "from lxml import etree\netree.fromstring(b'')",
        "import xml.etree.ElementTree",
        "from xml.sax import make_parser",
        "import lxml.html",
        "from lxml import objectify",
        "from defusedxml import lxml",
    ):
        assert list(parsing(line)), line
    assert not list(parsing("from lxml import etree\netree.tostring(node)"))
