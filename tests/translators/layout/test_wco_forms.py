"""What the DMS layouts make of forms that matter: low value, functions, units, codes."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from translators.canonical import CustomsResponse, GoodsDeclaration, Interchange, TaxReference
from translators.faults import NoteKind, TranslationError
from translators.layout import packaged
from translators.translator import Entry, decode, encode

GOLDEN = Path(__file__).parent / "golden"
DECLARATION = packaged("gb.dms.declaration.2")
RESPONSE = packaged("gb.dms.response.2")


def declaration(**changes: str) -> bytes:
    """The golden declaration with the text of some elements changed; "" removes them."""
    return changed((GOLDEN / "gb.dms.declaration.2.xml").read_text("utf-8"), changes)


def response(**changes: str) -> bytes:
    return changed((GOLDEN / "gb.dms.response.2.xml").read_text("utf-8"), changes)


def changed(text: str, changes: dict[str, str]) -> bytes:
    for name, value in changes.items():
        made = f"<{name}>{value}</{name}>" if value else ""
        text = re.sub(f"<{name}>[^<]*</{name}>", made, text, count=1)
    return text.encode()


def declared(content: bytes) -> GoodsDeclaration:
    (message,) = decode(DECLARATION, content).messages
    assert isinstance(message, GoodsDeclaration)
    return message


def answered(content: bytes) -> CustomsResponse:
    (message,) = decode(RESPONSE, content).messages
    assert isinstance(message, CustomsResponse)
    return message


@pytest.mark.parametrize(
    ("code", "kind", "function"),
    [
        ("9", "IMD", "original"),
        ("13", "COR", "amendment"),
        ("13", "INV", "cancellation"),
        ("13", "GPR", "goods-presented"),
    ],
)
def test_the_function_is_made_of_two_codes_and_comes_back_as_they_were(
    code: str, kind: str, function: str
) -> None:
    content = declaration(FunctionCode=code, TypeCode=kind)
    # The agent's function code stands later and is left alone.
    message = declared(content)
    assert (function, kind) == (message.function, message.type_code)
    written = encode(DECLARATION, Interchange(messages=(message,)))
    assert f"<FunctionCode>{code}</FunctionCode>".encode() in written
    assert f"<TypeCode>{kind}</TypeCode>".encode() in written


def test_a_cancellation_needs_hardly_anything() -> None:
    document = re.sub(
        rb"<Declaration>.*</Declaration>",
        b"<Declaration><FunctionCode>13</FunctionCode>"
        b"<FunctionalReferenceID>L-1</FunctionalReferenceID><ID>26GB1</ID>"
        b"<TypeCode>INV</TypeCode></Declaration>",
        declaration(),
        flags=re.DOTALL,
    )
    expected = GoodsDeclaration(function="cancellation", type_code="INV", lrn="L-1", mrn="26GB1")
    assert expected == declared(document)


def test_a_low_value_item_by_post_names_its_scheme_and_procedures() -> None:
    message = declared(declaration())
    assert (TaxReference(scheme="IOSS", number="IM2760000742"),) == message.tax_references
    assert message.border_transport is not None
    assert "mail" == message.border_transport.mode
    assert ["40", "C07", "F48"] == [one.current for one in message.items[0].procedures]
    assert "61091000" == message.items[0].hs


def test_a_weight_in_another_unit_is_refused_because_it_would_be_another_weight() -> None:
    content = declaration().replace(b'unitCode="KGM">0.62', b'unitCode="GRM">620')
    (_, entry) = DECLARATION.read(io.BytesIO(content))
    assert isinstance(entry, Entry)
    assert entry.message is None
    (fault,) = entry.faults
    assert ("value.pattern", "'KGM' is expected") == (fault.code, fault.detail)
    assert (fault.source_path or "").endswith("/GrossMassMeasure/@unitCode")


def test_an_element_that_no_line_knows_is_reported_and_refuses_nothing() -> None:
    item = b"<ConsignmentItem><SequenceNumeric>1</SequenceNumeric></ConsignmentItem>"
    content = declaration().replace(
        b"<Declarant>", b"<Consignment>" + item + b"</Consignment><Declarant>", 1
    )
    (_, entry) = DECLARATION.read(io.BytesIO(content))
    assert isinstance(entry, Entry)
    assert entry.message is not None
    told = [note.source_path for note in entry.notes if note.kind is NoteKind.DROPPED]
    where = "/md:MetaData/Declaration[1]/Consignment/ConsignmentItem[1]/SequenceNumeric[1]"
    assert [where] == told


def test_every_code_of_a_response_comes_back_as_it_was() -> None:
    table = RESPONSE.plan.tables["dms-response"]
    padded = [code for code in table.wire if len(code) == 2]
    for code in padded:
        message = answered(response(FunctionCode=code))
        written = encode(RESPONSE, Interchange(messages=(message,)))
        assert f"<FunctionCode>{code}</FunctionCode>".encode() in written
    assert set(table.wire.values()) == {table.wire[code] for code in padded}


def test_a_code_without_its_zero_is_read_told_and_written_with_it() -> None:
    content = response(FunctionCode="2")
    assert "data-received" == answered(content).decision
    (_, entry) = RESPONSE.read(io.BytesIO(content))
    assert isinstance(entry, Entry)
    told = [note.detail for note in entry.notes if note.path == "/decision"]
    assert ["2 → data-received, which is written 02"] == told
    written = encode(RESPONSE, Interchange(messages=(answered(content),)))
    assert b"<FunctionCode>02</FunctionCode>" in written


def test_a_decision_without_a_code_is_refused_before_it_is_written() -> None:
    held = msgspec.structs.replace(answered(response()), decision="held")
    with pytest.raises(TranslationError, match=r"value\.too-long /decision"):
        encode(RESPONSE, Interchange(messages=(held,)))


def test_an_amount_without_a_currency_is_in_sterling() -> None:
    content = response().replace(b'<PaymentAmount currencyID="GBP">', b"<PaymentAmount>", 1)
    amount = answered(content).payments[0].amount
    assert amount is not None
    assert "GBP" == amount.currency


def test_a_second_declaration_in_one_document_refuses_all_of_it() -> None:
    whole = declaration().decode()
    start, end = whole.index("<Declaration"), whole.index("</Declaration>") + len("</Declaration>")
    twice = whole[:end] + whole[start:end] + whole[end:]

    with pytest.raises(TranslationError, match=r"element\.repeated"):
        decode(DECLARATION, twice.encode())


def test_an_element_that_nobody_knows_is_told_also_when_it_is_empty() -> None:
    content = declaration().replace(b"</Declaration>", b"<Colour/></Declaration>")

    (_, entry) = DECLARATION.read(io.BytesIO(content))

    assert isinstance(entry, Entry)
    told = [(note.source_path, note.detail) for note in entry.notes if not note.path]
    assert [("/md:MetaData/Declaration[1]/Colour[1]", "no such element here; it is empty")] == told


def day(date: str, code: str = "102") -> bytes:
    return f'<ds:DateTimeString formatCode="{code}">{date}</ds:DateTimeString>'.encode()


def test_a_day_alone_is_a_date_where_one_is_what_is_meant() -> None:
    invoice = (
        b"<Invoice><ID>I</ID><IssueDateTime>" + day("20261120") + b"</IssueDateTime></Invoice>"
    )
    content = declaration().replace(b"<GoodsShipment>", b"<GoodsShipment>" + invoice, 1)
    message = declared(content)
    assert (date(2026, 11, 20), None) == (message.invoice_issued_on, message.invoice_issued_at)
    assert invoice in re.sub(
        rb"\s*\n\s*", b"", encode(DECLARATION, Interchange(messages=(message,)))
    )
    both = msgspec.structs.replace(
        message, invoice_issued_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    )
    with pytest.raises(TranslationError, match=r"element.repeated /invoice_issued_on"):
        encode(DECLARATION, Interchange(messages=(both,)))


def test_a_day_alone_where_an_instant_is_meant_is_told_and_refuses_nothing() -> None:
    accepted = b"<AcceptanceDateTime>" + day("20261120") + b"</AcceptanceDateTime>"
    content = re.sub(rb"<AcceptanceDateTime>.*?</AcceptanceDateTime>", b"", declaration())
    content = content.replace(b"<Declaration>", b"<Declaration>" + accepted, 1)
    (_, entry) = DECLARATION.read(io.BytesIO(content))
    assert isinstance(entry, Entry)
    assert isinstance(entry.message, GoodsDeclaration)
    assert entry.message.accepted_at is None
    told = [note.source_path or "" for note in entry.notes if note.kind is NoteKind.DROPPED]
    assert 2 == sum("/AcceptanceDateTime/ds:DateTimeString" in path for path in told)


def test_a_day_that_does_not_exist_is_refused() -> None:
    limit = b"<LimitDateTime>" + day("20260230") + b"</LimitDateTime>"
    content = re.sub(rb"(?s)<LimitDateTime>.*?</LimitDateTime>", limit, response(), count=1)
    with pytest.raises(TranslationError, match=r"date.invalid /statements/0/limit_on"):
        decode(RESPONSE, content)


def test_more_goods_items_than_may_stand_refuse_the_declaration_once() -> None:
    (one,) = re.findall(
        rb"<GovernmentAgencyGoodsItem>.*?</GovernmentAgencyGoodsItem>", declaration(), re.DOTALL
    )[:1]
    small = b"<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>"
    content = declaration().replace(one, (small + b"</GovernmentAgencyGoodsItem>") * 1200, 1)
    (_, entry) = DECLARATION.read(io.BytesIO(content))
    assert isinstance(entry, Entry)
    assert entry.message is None
    assert ["element.repeated"] == [fault.code for fault in entry.faults]
