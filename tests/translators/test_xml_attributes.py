"""How many attributes an element may have, wherever it stands and however it is read."""

from __future__ import annotations

import io

import pytest

from translators.xml import TREE_LIMIT, Limits, Stream, XmlError, parse, parse_exactly

CROWD = " ".join(f'a{number}=""' for number in range(257))
FILLING = "<row>text</row>" * (TREE_LIMIT // 14)


def streamed(content: bytes) -> int:
    """How many rows a reader of rows is given; the document is read to its end."""
    stream = Stream(io.BytesIO(content), "row", Limits())
    found = sum(1 for _ in stream)
    assert stream.root.tag == "all"
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        f"<all {CROWD}/>",
        f"<all><row {CROWD}/></all>",
        f"<all><head><one {CROWD}/></head><row/></all>",
        f"<all><row/><tail {CROWD}/></all>",
    ],
)
def test_an_element_with_very_many_attributes_is_refused(text: str, encoding: str) -> None:
    small = text.encode(encoding)
    large = text.replace("</all>", f"{FILLING}</all>").encode(encoding)

    for read in (parse, parse_exactly, streamed):
        with pytest.raises(XmlError, match=r"xml\.size.*attributes"):
            read(small)
    if "<row" in text:
        with pytest.raises(XmlError, match=r"xml\.size.*attributes"):
            streamed(large)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_long_texts_and_values_are_no_crowd(encoding: str) -> None:
    row = f'<row a="{"=" * 5000}">{"b=" * 5000}</row>'

    assert streamed(f"<all>{row}</all>".encode(encoding)) == 1
    assert streamed(f"<all>{row * 200}</all>".encode(encoding)) == 200
    assert len(parse(f"<all>{row}</all>".encode(encoding))) == 1


@pytest.mark.parametrize("before", range(63_000, 66_000, 250))
def test_a_crowd_across_two_pieces_of_a_document_is_refused(before: int) -> None:
    shortest = "".join(f' {chr(97 + n // 20)}{chr(97 + n % 20)}=""' for n in range(257))
    filling = "<a>b</a>" * (before // 8)
    large = f"<all>{filling}<row{shortest}/>{FILLING}</all>".encode()

    with pytest.raises(XmlError, match=r"xml\.size.*attributes"):
        streamed(large)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize(
    ("document", "at_most"),
    [
        ("<all/>", 0),
        ('<all a="1" xmlns="urn:a" xmlns:b="urn:b"><row b:c="2" d=\'3\'/></all>', 2),
        ("<all><row a = '=='>==</row></all>", 5),
        ('<all><row xmlns="urn:a" a=""/></all>', 2),
    ],
)
def test_attributes_are_never_more_than_their_bound(
    document: str, at_most: int, encoding: str
) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{document}'
    stream = Stream(io.BytesIO(text.encode(encoding)), "row", Limits())
    below = sum(len(one.attrib) for row in stream for one in row.iter())

    assert stream.attributes is not None
    assert below <= stream.attributes
    # In two bytes the declaration is not seen: its two signs are counted too.
    assert at_most + 2 * (encoding == "utf-16") == stream.attributes
