"""What bad documents get: every fault at once, with code, canonical path, source path and line."""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translators.layout.layouts import plain
from translators.canonical import Header
from translators.faults import Fault
from translators.layout import packaged, packaged_ids
from translators.layout.entries import MAX_FAULTS
from translators.layout.fast import Fast
from translators.layout.reading import DocumentReader
from translators.translator import Entry
from translators.xml import TREE_LIMIT, Limits

LAYOUT = packaged("upu.itmatt.1")
HEAD = (
    '<itmatt xmlns="urn:luxor:layout:upu.itmatt.1"><interchange><from>A</from><to>B</to>'
    "<control-ref>1</control-ref><prepared>2026-11-21T09:30:00Z</prepared></interchange>\n"
)
PARTY = "<name>N</name><address-line>1</address-line><city>C</city><country>FR</country>"
ITEM = (
    "<item><item-id>{0}</item-id><mail-class>C</mail-class><nature-type>31</nature-type>"
    "<gross-weight>1</gross-weight>"
    f"<sender>{PARTY}</sender><addressee>{PARTY}</addressee>"
    "<content-piece><number>1</number><pieces>1</pieces><description>d</description>"
    "</content-piece></item>\n"
)
GOOD = ITEM.format("GOOD")
TAIL = "</itmatt>"


def read(content: str | bytes, limits: Limits | None = None) -> list[Any]:
    """Every reading of a document."""
    data = content.encode() if isinstance(content, str) else content
    reader = DocumentReader(LAYOUT.plan, Fast(LAYOUT.plan), limits or Limits())
    return [plain(reading) for reading in reader.read(io.BytesIO(data))]


def faults(content: str | bytes) -> list[tuple[str, str]]:
    """Code and path of every fault, wherever it is told."""
    found = []
    for reading in read(content):
        if isinstance(reading, Fault):
            found.append((reading.code, reading.path))
        elif isinstance(reading, Entry):
            found += [(fault.code, fault.path) for fault in reading.faults]
    return found


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("", "xml.empty", None),
        (" \n ", "xml.empty", None),
        ("rubbish", "xml.malformed", 1),
        (HEAD + GOOD + "\n<item>", "xml.malformed", 4),
        (HEAD + GOOD + "</itmatt><x/>", "xml.malformed", 3),
        ("<!DOCTYPE itmatt>" + HEAD + GOOD + TAIL, "xml.dtd", 1),
        ('<!DOCTYPE itmatt [<!ENTITY a "b">]>' + HEAD + "&a;" + TAIL, "xml.dtd", 1),
        ('<!DOCTYPE itmatt SYSTEM "file:///etc/passwd">' + HEAD + TAIL, "xml.dtd", 1),
        (
            "<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'>"
            + "".join(f"<!ENTITY a{n} '{('&a' + (str(n - 1) if n else '') + ';') * 10}'>"
                      for n in range(9))
            + "]><b x='&a8;'/>",
            "xml.dtd",
            1,
        ),
        (HEAD.encode() + b"<item>\xe9\xff</item></itmatt>", "xml.encoding", 2),
        ('<?xml version="1.0" encoding="EBCDIC"?>' + HEAD + TAIL, "xml.encoding", 1),
        ('<?xml version="1.0" encoding="UTF-7"?>' + HEAD + TAIL, "xml.encoding", 1),
        ("<a>" * 5000, "xml.depth", 1),
        ("<cusrsp/>", "xml.root", 1),
        ('\n<itmatt xmlns="urn:another"/>', "xml.root", 2),
        ("<itmatt/>", "xml.root", 1),
        ("<!--" + "x" * 70_000 + "-->" + "<itmatt/>", "xml.root", 1),
        ("<a>&unknown;</a>", "xml.malformed", 1),
        ("<a>\x00</a>", "xml.malformed", 1),
        ("<a xmlns:x='u' x:b='1' x:b='2'/>", "xml.malformed", 1),
        ("<a><y:b/></a>", "xml.malformed", 1),
    ],
)  # fmt: skip
def test_a_document_that_is_refused_as_a_whole(
    content: str | bytes, code: str, line: int | None
) -> None:
    found = read(content)
    assert [fault.code for fault in found if isinstance(fault, Fault)] == [code]
    assert found[-1].line == line
    assert not [entry for entry in found if isinstance(entry, Entry) and entry.faults]


def test_a_declaration_is_found_in_utf_16_too() -> None:
    content = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE itmatt>{HEAD}{GOOD}{TAIL}'
    assert [fault.code for fault in read(content.encode("utf-16"))] == ["xml.dtd"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    declared = "" if "sig" in encoding else f'<?xml version="1.0" encoding="{encoding}"?>'
    content = declared + HEAD + GOOD.replace("<city>C", "<city>Zürich") + TAIL
    _, entry = read(content.encode(encoding))
    assert entry.message.sender.address.city == "Zürich"


def test_a_document_beyond_the_size_is_refused() -> None:
    (fault,) = read(HEAD + GOOD + TAIL, Limits(size=300))
    assert fault.code == "xml.size"


def test_nesting_beyond_the_depth_is_refused() -> None:
    deep = "<x>" * 60 + "</x>" * 60
    content = HEAD + GOOD + GOOD.replace("<item-id>", f"{deep}<item-id>") + TAIL
    found = read(content, Limits(depth=50))
    assert [fault.code for fault in found if isinstance(fault, Fault)] == ["xml.depth"]


def test_a_break_far_behind_refuses_the_whole() -> None:
    content = HEAD + GOOD * 3000 + "<item>"
    assert len(content) > TREE_LIMIT
    found = read(content)
    assert isinstance(found[0], Header)
    assert isinstance(found[-1], Fault)
    assert (found[-1].code, found[-1].line) == ("xml.malformed", 3002)


def test_every_fault_of_several_bad_items_is_told_at_once_with_its_line() -> None:
    bad = ITEM.format("BAD")
    first = bad.replace("<gross-weight>1", "<gross-weight>1e3").replace("<city>C", "<city>", 1)
    second = bad.replace("<nature-type>31</nature-type>", "").replace(
        "<description>d", f"<description>{'d' * 600}"
    )
    content = HEAD + GOOD + first + GOOD + second + TAIL
    _, one, two, three, four = read(content)
    assert one.message is not None
    assert three.message is not None
    told = [
        sorted((fault.code, fault.path, fault.source_path, fault.line) for fault in entry.faults)
        for entry in (two, four)
    ]
    assert told == [
        [
            ("decimal.invalid", "/gross_weight", "/itmatt/item[2]/gross-weight", 3),
            ("value.empty", "/sender/address/city", "/itmatt/item[2]/sender/city", 3),
        ],
        [
            ("element.missing", "/nature", "/itmatt/item[4]/nature-type", 5),
            (
                "value.too-long",
                "/pieces/0/description",
                "/itmatt/item[4]/content-piece[1]/description",
                5,
            ),
        ],
    ]
    assert two.message is None
    assert (two.key, four.key) == ("BAD", "BAD")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<item-id>", "<bogus>x</bogus><item-id>", ("element.unknown", "")),
        ("<item>", '<item x="1">', ("attribute.unknown", "")),
        ("<item-id>", "stray<item-id>", ("element.text", "")),
        ("</item-id>", "</item-id>stray", ("element.text", "")),
        ("<mail-class>", "<local-id>a</local-id><local-id>b</local-id><mail-class>",
         ("element.repeated", "")),
        ("</nature-type>", "</nature-type><local-id>a</local-id>", ("element.order", "")),
        ("<nature-type>31", "<nature-type>gift", ("code.ambiguous", "/nature")),
        ("<country>FR", "<country>fr", ("value.pattern", "/sender/address/country")),
        ("</content-piece>", "<amount>5</amount></content-piece>",
         ("attribute.missing", "/pieces/0/amount/currency")),
        ("</content-piece>", '<amount currency="EUR"/></content-piece>',
         ("value.empty", "/pieces/0/amount/amount")),
        ("<number>1", "<number>0", ("value.range", "/pieces/0/number")),
        ("</item>", '<extra>x</extra></item>', ("attribute.missing", "/extra")),
        ("</item>", '<extra name="a">x</extra><extra name="a">y</extra></item>',
         ("element.repeated", "/extra/a")),
        ("<gross-weight>", "<posting-date>2026-02-30</posting-date><gross-weight>",
         ("date.invalid", "/posting_date")),
        ("<gross-weight>1", "<gross-weight>1.0001", ("decimal.invalid", "/gross_weight")),
        ("<gross-weight>1", "<gross-weight>-1", ("decimal.invalid", "/gross_weight")),
        ("<gross-weight>1", "<gross-weight>NaN", ("decimal.invalid", "/gross_weight")),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_message(old: str, new: str, expected: tuple[str, str]) -> None:
    content = HEAD + GOOD + ITEM.format("BAD").replace(old, new, 1) + GOOD + TAIL
    assert faults(content) == [expected]
    _, first, bad, last = read(content)
    assert bad.message is None
    assert first.message is not None
    assert last.message is not None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEAD + TAIL, ("element.missing", "")),
        (HEAD.replace("<from>A", "<from>"), ("value.empty", "/header/sender")),
        (HEAD.replace("<from>A</from>", ""), ("element.missing", "/header/sender")),
        (HEAD.replace("T09:30:00Z", ""), ("instant.invalid", "/header/prepared_at")),
        (HEAD.replace("<to>", "<x/><to>"), ("element.unknown", "")),
        (HEAD.replace("<itmatt", '<itmatt version="2"'), ("attribute.unknown", "")),
        (HEAD + "<bogus/>", ("element.unknown", "")),
        (HEAD + GOOD + "<bogus/>", ("element.order", "")),
        (HEAD + GOOD + "stray", ("element.text", "")),
        (HEAD + GOOD + HEAD[HEAD.index("<interchange") :], ("element.order", "")),
    ],
)
def test_what_is_wrong_around_the_messages_refuses_the_interchange(
    content: str, expected: tuple[str, str]
) -> None:
    whole = content if content.endswith(TAIL) else content + GOOD + TAIL
    found = [one for one in read(whole) if isinstance(one, Fault)]
    assert [(fault.code, fault.path) for fault in found][:1] == [expected]


def test_hints_to_a_schema_are_no_content() -> None:
    hint = (
        '<itmatt xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="urn:a a.xsd"'
    )
    assert faults(HEAD.replace("<itmatt", hint) + GOOD + TAIL) == []


def test_comments_and_processing_instructions_do_not_cut_values() -> None:
    content = HEAD + GOOD.replace("<description>d", "<description>a<!-- x -->b<?p?>c") + TAIL
    _, entry = read(content)
    assert entry.message.pieces[0].description == "abcd"[:3]


def test_more_faults_than_are_told_end_in_one_that_says_so() -> None:
    bad = GOOD.replace("<gross-weight>1", "<gross-weight>x")
    entries = read(HEAD + bad * (MAX_FAULTS + 5) + GOOD + TAIL)[1:]
    codes = [fault.code for entry in entries for fault in entry.faults]
    assert codes.count("decimal.invalid") == MAX_FAULTS
    assert codes.count("faults.truncated") == 5
    assert all(entry.faults for entry in entries[:-1])
    assert entries[-1].message is not None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_rubbish_only_gives_faults(content: bytes) -> None:
    assert [reading for reading in read(content) if not isinstance(reading, Fault)] == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_document_never_raises(data: st.DataObject) -> None:
    content = bytearray((HEAD + GOOD * 2 + TAIL).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    for reading in read(bytes(content)):
        assert isinstance(reading, Header | Entry | Fault)


def test_every_code_is_in_the_table_of_faults_with_its_meaning() -> None:
    package = Path(__file__).parents[3] / "translators"
    listed = tomllib.loads((package / "codes" / "faults.toml").read_text())["code"]
    used = set()
    for file in package.rglob("*.py"):
        if "wire" not in file.parts:
            used |= set(re.findall(_CODE, file.read_text()))
    assert used - {"time.invalid", "local.invalid"} <= set(listed)
    assert all(one["meaning"] and one["category"] for one in listed.values())
    assert list(listed) == sorted(listed)
    assert packaged_ids()


_CODE = re.compile(
    r'"((?:attribute|bytes|code|date|decimal|element|faults|field|instant|json|kind|list|proto'
    r'|stream|value|xml)\.[a-z][a-z-]+)"'
)
