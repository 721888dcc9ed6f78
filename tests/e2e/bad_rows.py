"""Bad input as a table: the content, and what it gets."""

from __future__ import annotations

import grpc
import msgspec

from tests.e2e import documents
from tests.samples import s10

ITMATT = "upu.itmatt.1"
JSON = "luxor.json.1"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Bad content and what it gets; ``line``: the fault names a line of the document."""

    name: str
    content: bytes
    format: str = ITMATT
    code: str = "interchange.refused"
    fault: str = ""
    path: str | None = None
    status: int = 422
    grpc_status: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT
    line: bool = False


GOOD = documents.item(s10(1))
LONG = "very long description " * 30
DEEP_XML = b"<a>" * 5_000 + b"</a>" * 5_000
DTD = '<!DOCTYPE itmatt [<!ENTITY x "y">]>'
ENTITY = documents.item(s10(1), description="&x;")

ROWS = (
    Row(
        name="not well-formed",
        content=documents.itmatt(GOOD).replace(b"</sender>", b"</senders>"),
        fault="xml.malformed",
        line=True,
    ),
    Row(name="not XML at all", content=b"hello", fault="xml.malformed"),
    Row(
        name="wrong schema: root",
        content=documents.itmatt(GOOD, root="itmutt"),
        fault="xml.root",
    ),
    Row(
        name="wrong schema: element",
        content=documents.itmatt(GOOD.replace("mail-class", "mail-clazz")),
        fault="element.unknown",
        line=True,
    ),
    Row(
        name="bad S10",
        content=documents.itmatt(documents.item("EE471108152FR")),
        fault="s10.check-digit",
        path="/item_id",
        line=True,
    ),
    Row(
        name="unknown country",
        content=documents.itmatt(documents.item(s10(2), country="QQ")),
        fault="country.unknown",
        path="/addressee/address/country",
        line=True,
    ),
    Row(
        name="over-long field",
        content=documents.itmatt(documents.item(s10(3), description=LONG)),
        fault="value.too-long",
        path="/pieces/0/description",
        line=True,
    ),
    Row(
        name="wrong encoding",
        content=documents.itmatt(GOOD.replace("Lyon", "Besan\u00e7on")).decode().encode("latin-1"),
        fault="xml.encoding",
    ),
    Row(name="DTD", content=documents.itmatt(ENTITY, declaration=DTD), fault="xml.dtd"),
    Row(
        name="DTD in UTF-16",
        content=documents.itmatt(ENTITY, declaration=DTD)
        .decode()
        .replace("UTF-8", "UTF-16")
        .encode("utf-16"),
        fault="xml.dtd",
    ),
    Row(name="depth bomb in XML", content=DEEP_XML, fault="xml.depth"),
    Row(
        name="depth bomb in JSON",
        content=b"[" * 100_000,
        format=JSON,
        fault="json.depth",
    ),
    Row(
        name="duplicate JSON keys",
        content=documents.order("D-1").replace(b'"order_id"', b'"order_id": "x", "order_id"'),
        format=JSON,
        fault="json.duplicate-key",
    ),
    Row(
        name="unknown field",
        content=documents.order("D-2").replace(b'"order_id"', b'"discout": 1, "order_id"'),
        format=JSON,
        fault="field.unknown",
        path="/discout",
    ),
    Row(
        name="not JSON",
        content=b'{"type": "Order",',
        format=JSON,
        fault="json.malformed",
        line=True,
    ),
    Row(
        name="no route",
        content=documents.itmatt(documents.item(s10(4), country="BE")),
        fault="route.none",
    ),
    Row(
        name="empty body",
        content=b"",
        code="body.empty",
        status=400,
    ),
    Row(
        name="oversize",
        content=documents.itmatt(GOOD).replace(b"Lyon", b"L" * 4_200_000),
        code="body.oversize",
        status=413,
        grpc_status=grpc.StatusCode.RESOURCE_EXHAUSTED,
    ),
    Row(
        name="unknown format",
        content=documents.itmatt(GOOD),
        format="upu.itmatt.99",
        code="format.unknown",
        status=415,
    ),
    Row(
        name="a format without a grant",
        content=b"{}",
        format="luxor.proto.1",
        code="permission.format",
        status=403,
        grpc_status=grpc.StatusCode.PERMISSION_DENIED,
    ),
)
