"""Documents of the layout language: header, kinds, envelopes, overlays."""

from __future__ import annotations

import io

import pytest

from tests.translators.layout.layouts import (
    HEAD,
    compiled,
    declaration,
    decoded,
    encoded,
    noted,
    read,
    whole,
)
from translators.canonical import Header
from translators.faults import TranslationError
from translators.translator import Entry, decode


def test_header_values_may_stand_in_the_message() -> None:
    layout = compiled(
        declaration('ref = "header.control_reference !"', header="").replace(
            'd = "messages *! : d"', '"@sender" = "header.sender"\nd = "messages *! : d"'
        )
    )
    content = (
        b'<r sender="S"><d><function>F</function><type>T</type><lrn>L</lrn>'
        b"<ref>{}</ref></d><d><function>F</function><type>T</type><lrn>L</lrn>"
        b"<ref>{}</ref></d></r>"
    )
    good = content.replace(b"{}", b"R")
    header, first, second = read(layout, good)
    assert (header.sender, header.control_reference) == ("S", "R")
    assert first.message is not None
    assert second.message is not None
    written = b"".join(layout.write(header, (first.message, second.message)))
    assert written.count(b"<ref>R</ref>") == 2
    assert b'<r sender="S">' in written
    other = content.replace(b"{}", b"R", 1).replace(b"{}", b"Q")
    codes = [fault.code for entry in read(layout, other)[1:] for fault in entry.faults]
    assert codes == ["value.disagrees"]


def test_the_kind_is_told_by_values() -> None:
    layout = compiled(
        """
layout = "x.test.1"
title = "Test"
carries = { declared = "GoodsDeclaration", answered = "CustomsResponse" }
root = "r"
[document]
m = "messages *! : by kind"
[choice.document.kind]
declared = { code = "9" }
answered = { code = "1" }
[declared]
code = "= 9"
function = "function !"
type = "type_code !"
lrn = "lrn !"
[answered]
code = "= 1"
decision = "decision !"
at = "decided_at ! : instant"
"""
    )
    content = (
        b"<r><m><code>9</code><function>F</function><type>T</type><lrn>L</lrn></m>"
        b"<m><code>1</code><decision>held</decision><at>2026-11-21T09:30:00Z</at></m>"
        b"<m><code>5</code></m></r>"
    )
    _, first, second, third = read(layout, content)
    assert type(first.message).__name__ == "GoodsDeclaration"
    assert type(second.message).__name__ == "CustomsResponse"
    assert third.message is None
    assert [fault.code for fault in third.faults] == ["kind.unknown"]
    written = b"".join(layout.write(Header(), (first.message, second.message)))
    assert written.count(b"<code>9</code>") == written.count(b"<code>1</code>") == 1


def test_the_root_may_be_the_message() -> None:
    layout = compiled(
        f"""{HEAD}
[document]
"." = "messages ! : d"
[d]
lrn = "header.control_reference !"
function = "function !"
type = "type_code !"
own = "lrn !"
"""
    )
    content = b"<r><lrn>R</lrn><function>F</function><type>T</type><own>L</own></r>"
    header, entry = read(layout, content)
    assert header.control_reference == "R"
    assert entry.message.lrn == "L"
    written = b"".join(layout.write(header, (entry.message,)))
    assert content in written


def test_a_count_of_messages_is_checked_at_the_end_and_needed_to_write() -> None:
    layout = compiled(
        f"""{HEAD}
[document]
count = "= count messages"
d = "messages *! : d"
[d]
function = "function !"
type = "type_code !"
lrn = "lrn !"
"""
    )
    one = b"<d><function>F</function><type>T</type><lrn>L</lrn></d>"
    readings = read(layout, b"<r><count>2</count>" + one + b"</r>")
    assert [reading.code for reading in readings[2:]] == ["value.disagrees"]
    header, entry = read(layout, b"<r><count>1</count>" + one + b"</r>")
    assert b"<count>1</count>" in b"".join(layout.write(header, (entry.message,)))
    with pytest.raises(TranslationError, match=r"stream.count"):
        b"".join(layout.write(header, iter((entry.message,))))


def test_an_overlay_replaces_removes_and_places_lines() -> None:
    base = declaration('ucr = "ucr"\nmrn = "mrn"', header='standing = "base"\n')
    over = """
layout = "x.test.2"
extends = "x.test.1"
[d]
mrn = "-"
ucr = "ucr : text 5"
box = "containerised : text 1, before ucr"
mode = "freight_payment : text 1, after lrn"
"""
    layout = compiled(over, **{"x.test.1": base})
    inner = "<mode>A</mode><box>1</box><ucr>12345</ucr>"
    message = decoded(layout, whole(inner))
    assert encoded(layout, message) == inner
    assert layout.id == "x.test.2"
    assert layout.standing == "base"
    with pytest.raises(TranslationError, match=r"value.too-long /ucr"):
        decode(layout, whole("<ucr>123456</ucr>"))


def test_a_group_may_be_like_another() -> None:
    layout = compiled(
        declaration(
            'importer = "importer : party"\nexporter = "exporter : narrow"',
            """
[party]
name = "name"
email = "email"
[narrow]
like = "party"
email = "-"
phone = "telephone, before name"
""",
        )
    )
    inner = (
        "<importer><name>A</name><email>a@x</email></importer>"
        "<exporter><phone>1</phone><name>B</name></exporter>"
    )
    message = decoded(layout, whole(inner))
    assert encoded(layout, message) == inner
    with pytest.raises(TranslationError, match=r"element.unknown"):
        decode(layout, whole("<exporter><email>a@x</email></exporter>"))


def test_what_has_no_line_is_reported_where_the_layout_says_so() -> None:
    text = declaration('ucr = "ucr"').replace('unknown = "refuse"', 'unknown = "report"')
    layout = compiled(text)
    content = whole('stray<x a="1">2<y>3</y>tail</x><ucr>U</ucr><ucr>V</ucr>')
    message = decoded(layout, content)
    assert message.ucr == "U"
    found = {(note[2], note[3]) for note in noted(layout, content)}
    assert {path for path, _ in found} == {
        "/r/d[1]",
        "/r/d[1]/x[1]",
        "/r/d[1]/x[1]/@a",
        "/r/d[1]/x[1]/y[1]",
        "/r/d[1]/ucr[2]",
    }


def test_a_count_may_stand_before_a_group_that_is_the_header() -> None:
    layout = compiled(
        f"""{HEAD}
[document]
count = "= count messages"
head = "header : head"
d = "messages *! : line"
[head]
ref = "control_reference"
[line]
function = "function !"
type = "type_code !"
lrn = "lrn !"
"""
    )
    one = b"<d><function>F</function><type>T</type><lrn>L</lrn></d>"
    whole = b"<r><count>%d</count><head><ref>R</ref></head>" + one + b"</r>"

    header, entry = read(layout, whole % 1)
    assert ("R", "L") == (header.control_reference, entry.message.lrn)
    assert ["value.disagrees"] == [reading.code for reading in read(layout, whole % 3)[2:]]


def test_text_behind_what_holds_the_messages_is_told() -> None:
    head = HEAD.replace('unknown = "refuse"', 'unknown = "report"')
    layout = compiled(
        f'{head}\n[document]\n"all/d" = "messages *! : d"\n[d]\nlrn = "lrn !"\n'
        'function = "function !"\ntype = "type_code !"\n'
    )
    one = b"<d><lrn>L</lrn><function>F</function><type>T</type></d>"

    (_, quiet) = layout.read(io.BytesIO(b"<r><all>" + one + b"</all></r>"))
    (_, told) = layout.read(io.BytesIO(b"<r><all>" + one + b"</all>stray</r>"))

    assert isinstance(quiet, Entry)
    assert isinstance(told, Entry)
    assert (0, ["/r"]) == (len(quiet.notes), [note.source_path for note in told.notes])
