"""The one XML parser: what it refuses, and what it makes of what it takes."""

from __future__ import annotations

import io

import pytest

from translators.xml import (
    TREE_LIMIT,
    Limits,
    Stream,
    XmlError,
    check_depth,
    line_of,
    opening,
    parse,
)


def refusal(content: bytes, limits: Limits | None = None) -> tuple[str, int | None]:
    """Code and line with which a document is refused."""
    with pytest.raises(XmlError) as caught:
        parse(content, limits=limits)
    assert caught.value.detail
    return caught.value.code, caught.value.line


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "xml.empty", None),
        (b"\n\t ", "xml.empty", None),
        (b"<a>", "xml.malformed", 1),
        (b"<a>\n<b></a>", "xml.malformed", 2),
        (b"{}", "xml.malformed", 1),
        (b"<!DOCTYPE a><a/>", "xml.dtd", 1),
        (b"<!DOCTYPE a PUBLIC '-//x' 'http://127.0.0.1/x'><a/>", "xml.dtd", 1),
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>", "xml.dtd", 1),
        (b"<!DOCTYPE a [<!ENTITY % p 'x'> %p;]><a/>", "xml.dtd", 1),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a", "xml.dtd", 1),
        ("<!DOCTYPE a><a/>".encode("utf-16"), "xml.dtd", 1),
        (b"<a>\xff</a>", "xml.encoding", 1),
        (b"<?xml version='1.0' encoding='x-none'?><a/>", "xml.encoding", 1),
        (b"<?xml version='1.0' encoding='UTF-7'?><a/>", "xml.encoding", 1),
        (b"<a>" * 300 + b"</a>" * 300, "xml.depth", 1),
        (b"<a b='" + b"x" * 10_000_010 + b"'/>", "xml.size", 1),
    ],
)
def test_what_is_refused(content: bytes, code: str, line: int | None) -> None:
    assert refusal(content) == (code, line)


def test_depth_and_size_are_bounded_by_name() -> None:
    assert refusal(b"<a>\n<a>\n<a/></a></a>", Limits(depth=2)) == ("xml.depth", 3)
    assert refusal(b"<a>text</a>", Limits(size=5)) == ("xml.size", None)
    check_depth(parse(b"<a><b/></a>"), 2)


def test_a_doctype_in_a_comment_or_a_text_is_none() -> None:
    root = parse(b"<!-- <!DOCTYPE a> --><a>&lt;!DOCTYPE a&gt;<![CDATA[<!DOCTYPE b>]]></a>")
    assert root.text == "<!DOCTYPE a><!DOCTYPE b>"


def test_comments_and_instructions_are_removed_and_texts_joined() -> None:
    root = parse(b"<a>1<!-- x -->2<?y z?>3</a>")
    assert (root.text, len(root)) == ("123", 0)


def test_entities_of_xml_itself_are_resolved() -> None:
    assert parse(b"<a>&lt;&#233;&amp;</a>").text == "<é&"


def test_nothing_is_fetched() -> None:
    content = b"<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd'/></a>"
    assert len(parse(content)) == 1


def test_an_opening_is_known_from_the_beginning_of_a_document() -> None:
    found = opening(b"<!-- c -->\n<p:a xmlns:p='urn:p' b='1'><unfinished")
    assert (found.tag, found.attributes, found.line) == ("{urn:p}a", {"b": "1"}, 2)
    with pytest.raises(XmlError):
        opening(b"<!-- no end")
    with pytest.raises(XmlError):
        opening(b"<!DOCTYPE a><a>")


@pytest.mark.parametrize("padding", [0, TREE_LIMIT])
def test_a_stream_gives_elements_as_a_tree_or_as_they_come(padding: int) -> None:
    content = b"<r>\n<i>1</i>\n<i>2</i><!--" + b"x" * padding + b"--></r>"
    stream = Stream(io.BytesIO(content), "i", Limits())
    assert stream.whole is (padding == 0)
    assert [(element.text, line_of(element)) for element in stream] == [("1", 2), ("2", 3)]
    assert stream.root.tag == "r"


def test_a_stream_that_breaks_gives_first_what_was_whole() -> None:
    content = b"<r><i>1</i>" + b"<!--" + b"x" * TREE_LIMIT + b"--><i>"
    elements = iter(Stream(io.BytesIO(content), "i", Limits()))
    assert next(elements).text == "1"
    with pytest.raises(XmlError, match=r"xml\.malformed"):
        next(elements)


def test_a_stream_is_bounded_while_it_is_read() -> None:
    content = b"<r>" + b"<i>1</i>" * 300_000 + b"</r>"
    stream = Stream(io.BytesIO(content), "i", Limits(size=2 << 20))
    with pytest.raises(XmlError, match=r"xml\.size"):
        sum(1 for _ in stream)
