"""The registry of formats."""

from __future__ import annotations

import pytest

from tests.translators.layout.json_layouts import small
from translators.canonical import Header, Interchange
from translators.exchange.json_exchange import JsonExchange
from translators.exchange.proto_exchange import ProtoExchange
from translators.layout import packaged_ids
from translators.registry import Registry, standard
from translators.translator import FormatId, decode, encode

FORMATS = standard()


def test_every_packaged_layout_has_its_line() -> None:
    own = {"luxor.json.1", "luxor.proto.1"}
    assert {translator.id for translator in FORMATS} == own | set(packaged_ids())


def test_a_format_is_found_by_its_id() -> None:
    assert isinstance(FORMATS.get(FormatId("luxor.proto.1")), ProtoExchange)
    assert FORMATS.find(FormatId("luxor.yaml.1")) is None


def test_an_unknown_id_is_told_with_those_that_are_known() -> None:
    with pytest.raises(KeyError, match=r"luxor\.yaml\.1.*luxor\.json\.1.*upu\.itmatt\.1"):
        FORMATS.get(FormatId("luxor.yaml.1"))


@pytest.mark.parametrize(
    ("media_type", "format_id"),
    [
        ("application/json", "luxor.json.1"),
        ("application/vnd.luxor.exchange+json", "luxor.json.1"),
        ("Application/JSON; charset=utf-8", "luxor.json.1"),
        ("application/x-ndjson", "luxor.json.1"),
        ("application/x-protobuf", "luxor.proto.1"),
        ("application/vnd.luxor.exchange+protobuf", "luxor.proto.1"),
        ("application/vnd.luxor.upu.itmatt.1+xml", "upu.itmatt.1"),
        ("application/vnd.luxor.upu.cusrsp.1+xml", "upu.cusrsp.1"),
    ],
)
def test_a_format_is_found_by_its_media_type(media_type: str, format_id: str) -> None:
    assert [format_id] == [found.id for found in FORMATS.by_media_type(media_type)]


@pytest.mark.parametrize("media_type", ["application/xml", "text/plain", ""])
def test_a_media_type_that_names_no_format_finds_none(media_type: str) -> None:
    assert FORMATS.by_media_type(media_type) == ()


def test_case_has_no_meaning_in_the_media_type_of_a_layout() -> None:
    layout = small(header='media-types = ["Application/VND.Acme+JSON"]')
    for written in (layout.media_types[0], layout.media_types[0].upper()):
        assert (layout,) == Registry([layout]).by_media_type(written)


def test_every_media_type_of_a_format_leads_back_to_it() -> None:
    for translator in FORMATS:
        for media_type in translator.media_types:
            assert [translator.id] == [one.id for one in FORMATS.by_media_type(media_type)]


def test_ndjson_writes_lines_and_json_one_document() -> None:
    interchange = Interchange(header=Header(sender="A"), messages=JsonExchange().sample().messages)
    written = {}
    for media_type in ("application/json", "application/x-ndjson"):
        (translator,) = FORMATS.by_media_type(media_type)
        written[media_type] = encode(translator, interchange)
        assert decode(translator, written[media_type]) == interchange
    assert len(written["application/x-ndjson"].splitlines()) == 1 + len(interchange.messages)
    assert written["application/json"].startswith(b'{"interchange":{"sender":"A"},"messages":[')


def test_an_xml_format_is_found_by_its_document_element() -> None:
    namespace = "urn:luxor:layout:upu.itmatt.1"
    head = f'<?xml version="1.0"?>\n<i:itmatt xmlns:i="{namespace}">\n  <i:interch'.encode()
    for found in (FORMATS.by_root(head), FORMATS.by_element(namespace, "itmatt")):
        assert ["upu.itmatt.1"] == [one.id for one in found]


@pytest.mark.parametrize(
    "head",
    [b"", b"{}", b"<itmatt>", b"<!DOCTYPE x><x/>", b'<itmatt xmlns="urn:other"/>', b"\xff\xfe"],
)
def test_another_document_element_finds_none(head: bytes) -> None:
    assert FORMATS.by_root(head) == ()


def test_a_later_format_takes_the_place_of_an_earlier_one() -> None:
    mine = JsonExchange(title="mine")
    formats = Registry([*standard(), mine])
    assert formats.get(mine.id).title == "mine"
    assert [translator.id for translator in formats] == [t.id for t in FORMATS]
