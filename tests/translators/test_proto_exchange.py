"""``luxor.proto.1``: interchanges as protobuf."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translators.strategies_model import interchanges
from translators.canonical import Header, Interchange, Money
from translators.defects import MAX_FAULTS
from translators.exchange import frames
from translators.exchange.frames import frame, varint
from translators.exchange.json_exchange import JsonExchange
from translators.exchange.proto_exchange import ProtoExchange
from translators.faults import Fault, TranslationError
from translators.translator import Entry, Reading, decode, encode
from translators.wire.exchange.v1 import controls_pb2, interchange_pb2, items_pb2, orders_pb2

FORMAT = ProtoExchange()
JSON = JsonExchange()


def aeo(**changes: Any) -> controls_pb2.AeoStatus:
    """A small message that is right."""
    small = {"number": "T1", "holder": "H", "status": "valid", "authority": {"code": "FR"}}
    return controls_pb2.AeoStatus(**(small | changes))


def body(*messages: controls_pb2.AeoStatus | bytes) -> bytes:
    """An interchange; a message may be given as the bytes of a ``Message``."""
    return b"".join(
        frame(
            2,
            message
            if isinstance(message, bytes)
            else interchange_pb2.Message(aeo_status=message).SerializeToString(),
        )
        for message in messages
    )


def read(content: bytes) -> list[Reading]:
    return list(FORMAT.read(io.BytesIO(content)))


def summary(readings: list[Reading]) -> list[Any]:
    """Headers, keys of good entries, code and path of faults."""
    told: list[Any] = []
    for reading in readings:
        if isinstance(reading, Header):
            told.append(reading)
        elif isinstance(reading, Fault):
            told.append(f"{reading.code} {reading.path}")
        elif reading.message is not None:
            told.append((reading.ordinal, reading.key))
        else:
            faults = [f"{f.code} {f.path}" for f in reading.faults]
            told.append((reading.ordinal, reading.key, faults))
    return told


@given(interchanges())
def test_an_interchange_comes_back_as_it_was(interchange: Interchange) -> None:
    back = decode(FORMAT, encode(FORMAT, interchange))
    assert back == interchange
    exact = msgspec.json.Encoder(order="deterministic")  # a map of protobuf has no order
    assert exact.encode(back) == exact.encode(interchange)  # offsets, digits and all


@given(interchanges())
def test_what_is_written_is_one_protobuf_message(interchange: Interchange) -> None:
    record = interchange_pb2.Interchange.FromString(encode(FORMAT, interchange))
    assert len(record.messages) == len(interchange.messages)
    assert decode(FORMAT, record.SerializeToString()) == interchange


def test_the_sample_comes_back_with_every_field() -> None:
    sample = FORMAT.sample()
    assert decode(FORMAT, encode(FORMAT, sample)) == sample


def test_one_bad_message_refuses_itself_alone() -> None:
    told = summary(read(body(aeo(), aeo(number="T2", holder="x" * 141, country="f"), aeo())))
    assert told == [
        (1, "T1"),
        (2, "T2", ["value.too-long /holder", "value.pattern /country"]),
        (3, "T1"),
    ]


def test_a_message_that_is_refused_leaves_a_draft() -> None:
    good, bad = read(body(aeo(), aeo(holder="x" * 141)))
    assert isinstance(good, Entry)
    assert isinstance(bad, Entry)
    assert good.draft is None
    assert bad.draft is not None
    assert (bad.draft["type"], bad.draft["authority"]) == ("AeoStatus", {"code": "FR"})


def test_what_is_missing_is_told() -> None:
    piece: Any = {"description": "socks"}
    item = items_pb2.ItemDeclaration(item_id="X", pieces=[piece])
    told = summary(read(body(interchange_pb2.Message(item_declaration=item).SerializeToString())))
    assert told[0][2] == [
        "value.missing /mail_class",
        "value.missing /nature",
        "value.missing /gross_weight",
        "value.missing /sender",
        "value.missing /addressee",
        "value.missing /pieces/0/number",
        "value.missing /pieces/0/pieces",
    ]


def test_an_optional_text_is_not_sent_empty() -> None:
    assert summary(read(body(aeo(reference="")))) == [(1, "T1", ["value.too-short /reference"])]


@pytest.mark.parametrize("text", ["1E-3", "NaN", "1e400", "0.0000001", "12345678901234567", ""])
def test_a_decimal_is_a_plain_text(text: str) -> None:
    line: Any = {"number": 1, "description": "x", "quantity": 1, "net_weight": text}
    order = orders_pb2.Order(lines=[line])
    told = summary(read(body(interchange_pb2.Message(order=order).SerializeToString())))
    assert "decimal.invalid /lines/0/net_weight" in told[0][2]


UNKNOWN = varint(99 << 3) + b"\x01"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (frame(12, aeo().SerializeToString() + UNKNOWN), "field.unknown /99"),
        (
            frame(12, aeo().SerializeToString() + frame(3, b"\x0a\x02DE" + UNKNOWN)),
            "field.unknown /authority/99",
        ),
        (frame(12, aeo().SerializeToString()) + UNKNOWN, "field.unknown /99"),
        (frame(12, aeo().SerializeToString() + b"\x08\x01"), "field.unknown /1"),
        (
            frame(12, aeo().SerializeToString() + frame(1, b"T2")),
            "proto.duplicate-field /number",
        ),
        (
            frame(12, aeo().SerializeToString()) + frame(2, b""),
            "proto.duplicate-field ",
        ),
    ],
)
def test_what_protobuf_would_skip_in_silence_is_refused(content: bytes, fault: str) -> None:
    (entry,) = read(body(content))
    assert isinstance(entry, Entry)
    assert entry.message is None
    assert fault in [f"{f.code} {f.path}" for f in entry.faults]


def test_the_number_of_faults_is_bounded() -> None:
    (entry,) = read(body(frame(12, aeo().SerializeToString() + UNKNOWN * 5000)))
    assert isinstance(entry, Entry)
    assert len(entry.faults) == MAX_FAULTS + 1


def test_the_number_of_faults_is_bounded_over_what_is_unknown_and_what_is_wrong() -> None:
    wrong = frame(2, b"") + frame(3, b"")  # a holder and an authority that say nothing
    (entry,) = read(body(frame(12, frame(1, b"T1") + wrong + UNKNOWN * 5000)))
    assert isinstance(entry, Entry)
    assert len(entry.faults) == MAX_FAULTS + 1
    assert "faults.truncated" == entry.faults[-1].code


def item(extra: bytes) -> bytes:
    sample = FORMAT.sample().messages[0]
    content = encode(FORMAT, Interchange(messages=(msgspec.structs.replace(sample, extra={}),)))
    record = interchange_pb2.Interchange.FromString(content).messages[0].item_declaration
    return frame(1, record.SerializeToString() + extra)


def entry_of(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    return frame(38, frame(1, name) + frame(2, value) + more)


def test_entries_of_a_map_are_inspected_too() -> None:
    told = summary(read(body(item(entry_of(b"a", b"x") + entry_of(b"b", b"y")))))
    assert len(told[0]) == 2
    told = summary(read(body(item(entry_of(b"a", b"x") + entry_of(b"a", b"y")))))
    assert told[0][2] == ["proto.duplicate-field /extra/a"]
    told = summary(read(body(item(entry_of(b"a", b"x", UNKNOWN)))))
    assert told[0][2] == ["field.unknown /extra/a/99"]


def test_fields_in_another_order_and_packed_lists_make_no_difference() -> None:
    authority, rest = frame(3, frame(1, b"FR")), aeo()
    rest.ClearField("authority")
    assert summary(read(body(frame(12, authority + rest.SerializeToString())))) == [(1, "T1")]
    order = JSON.sample().messages[1]
    content = encode(FORMAT, Interchange(messages=(order,)))
    record = interchange_pb2.Interchange.FromString(content).messages[0].order
    packed = record.parcels[0].SerializeToString()
    assert packed.endswith(b"\x22\x01\x01")
    number = orders_pb2.Order.PARCELS_FIELD_NUMBER
    unpacked = packed[:-3] + b"\x20\x01"
    del record.parcels[:]
    loose = frame(2, record.SerializeToString() + frame(number, unpacked))
    (reading,) = read(body(loose))
    assert isinstance(reading, Entry)
    assert reading.message == order


@pytest.mark.parametrize("content", [b"", UNKNOWN])
def test_a_message_without_a_kind_of_ours_is_told(content: bytes) -> None:
    told = summary(read(body(content, aeo())))
    assert told[0][2][0] == "kind.unknown "
    assert told[1] == (2, "T1")


def test_a_message_that_is_no_protobuf_refuses_itself_alone() -> None:
    broken = frame(12, aeo().SerializeToString())[:-1]
    assert summary(read(body(aeo(), broken, aeo()))) == [
        (1, "T1"),
        (2, None, ["proto.malformed "]),
        (3, "T1"),
    ]


def test_a_text_that_is_no_utf_8_is_no_protobuf() -> None:
    broken = frame(12, frame(1, b"\xff"))
    assert summary(read(body(broken))) == [(1, None, ["proto.malformed "])]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "body.empty "),
        (b"\x00", "proto.malformed "),
        (b"\x0b", "proto.malformed "),
        (b"\x12", "proto.malformed "),
        (b"\x12\x05ab", "proto.malformed "),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "proto.malformed "),
        (b"\x12\xff\xff\xff\xff\x0f", "proto.malformed "),
        (b"\xff", "proto.malformed "),
        (UNKNOWN, "field.unknown /99"),
        (b"\x08\x01", "field.unknown /1"),
        (b"\x09" + bytes(8), "field.unknown /1"),
        (frame(1, b"\x0a"), "proto.malformed /header"),
        (frame(1, frame(1, b"x" * 36)), "value.too-long /sender"),
        (frame(1, UNKNOWN), "field.unknown /header/99"),
        (frame(1, frame(1, b"A") + frame(1, b"B")), "proto.duplicate-field /header/sender"),
        (frame(1, frame(4, b"2026-11-21T10:00:00")), "instant.invalid /prepared_at"),
        (frame(1, b"") + frame(1, b""), "proto.late-header "),
        (b"{}", "proto.malformed "),
    ],
)
def test_what_is_wrong_as_a_whole_is_refused(content: bytes, fault: str) -> None:
    assert summary(read(content))[-1] == fault


def test_a_header_stands_before_the_messages() -> None:
    assert summary(read(body(aeo()) + frame(1, b""))) == [(1, "T1"), "proto.late-header "]


def test_a_message_beyond_the_bound_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME", 100)
    assert summary(read(body(aeo(), aeo(holder="x" * 120)))) == [(1, "T1"), "proto.malformed "]


def test_messages_are_read_one_by_one() -> None:
    source = io.BytesIO(body(*[aeo()] * 1000))
    next(FORMAT.read(source))
    assert source.tell() < 100


@given(st.binary(max_size=200))
def test_rubbish_never_raises(content: bytes) -> None:
    read(content)
    read(body(content))
    read(body(frame(12, content)))


@given(interchanges(), st.data())
def test_a_damaged_interchange_never_raises(interchange: Interchange, data: st.DataObject) -> None:
    content = bytearray(encode(FORMAT, interchange))
    for _ in range(data.draw(st.integers(1, 4))):
        spot = data.draw(st.integers(0, len(content) - 1))
        content[spot] = data.draw(st.integers(0, 255))
    for reading in read(bytes(content)):
        if isinstance(reading, Entry):
            assert (reading.message is None) == bool(reading.faults)


@pytest.mark.parametrize("form", [FORMAT, JSON])
def test_what_is_beyond_the_model_is_never_written(form: ProtoExchange | JsonExchange) -> None:
    first = form.sample().messages[0]
    wrong = msgspec.structs.replace(
        first, postage=Money(amount=Decimal("1E+20"), currency="EUR"), item_id="x" * 36
    )
    with pytest.raises(TranslationError) as refused:
        encode(form, Interchange(messages=(wrong,)))
    assert [(f.code, f.path) for f in refused.value.faults] == [
        ("value.too-long", "/item_id"),
        ("decimal.invalid", "/postage/amount"),
    ]


@pytest.mark.parametrize("form", [FORMAT, JSON])
def test_a_text_that_is_no_unicode_is_never_written(form: ProtoExchange | JsonExchange) -> None:
    wrong = msgspec.structs.replace(form.sample().messages[0], remark="\ud800")
    with pytest.raises(TranslationError, match=r"value\.type"):
        encode(form, Interchange(messages=(wrong,)))


def test_the_schema_is_the_contract_that_partners_compile() -> None:
    schema = FORMAT.schema()
    assert "exchange/v1/interchange.proto" in schema
    assert all(b"package exchange.v1;" in text for text in schema.values())


def test_the_documentation_names_the_kinds() -> None:
    assert "## RiskIndicator" in FORMAT.documentation()
