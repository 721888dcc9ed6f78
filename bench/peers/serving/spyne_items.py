"""The document as a spyne service: XML that a schema validates in, the same as JSON out.

Runs in the environment of the peers, under gunicorn: `spyne_items:application`. The model names
every element and attribute of the document, its type, its length and how often it may stand, as
the layout `upu.itmatt.1` does for them; spyne makes the schema of it.
"""

from typing import ClassVar

from spyne import (
    Application,
    Boolean,
    ComplexModel,
    Date,
    DateTime,
    Decimal,
    Integer,
    ServiceBase,
    Unicode,
    rpc,
)
from spyne.model.complex import XmlAttribute, XmlData
from spyne.protocol.json import JsonDocument
from spyne.protocol.xml import XmlDocument
from spyne.server.wsgi import WsgiApplication

NAMESPACE = "urn:luxor:layout:upu.itmatt.1"
COUNTRY = {"pattern": "[A-Z]{2}"}
MASS = {"total_digits": 12, "fraction_digits": 3, "ge": 0}
REQUIRED = {"min_occurs": 1, "nillable": False}


class Valued(ComplexModel):
    """What the models have in common: the namespace of the document."""

    __namespace__ = NAMESPACE


class Preamble(Valued):
    """Who sends the document to whom."""

    _type_info: ClassVar = [
        ("from", Unicode(35, **REQUIRED)),
        ("to", Unicode(35, **REQUIRED)),
        ("control-ref", Unicode(70, **REQUIRED)),
        ("prepared", DateTime(**REQUIRED)),
        ("test", Boolean),
    ]


class Money(Valued):
    """An amount in a currency."""

    _type_info: ClassVar = [
        ("amount", XmlData(Decimal)),
        ("currency", XmlAttribute(Unicode(pattern="[A-Z]{3}"), use="required")),
    ]


class TaxReference(Valued):
    """A registration under a tax scheme."""

    _type_info: ClassVar = [
        ("number", XmlData(Unicode)),
        ("scheme", XmlAttribute(Unicode(35), use="required")),
    ]


class Reference(Valued):
    """An identifier of a party."""

    _type_info: ClassVar = [
        ("value", XmlData(Unicode)),
        ("type", XmlAttribute(Unicode(35), use="required")),
    ]


class Party(Valued):
    """A sender or an addressee."""

    _type_info: ClassVar = [
        ("name", Unicode(140, **REQUIRED)),
        ("address-line", Unicode(140, max_occurs=9)),
        ("city", Unicode(70)),
        ("postcode", Unicode(17)),
        ("country", Unicode(**COUNTRY, **REQUIRED)),
        ("telephone", Unicode(50)),
        ("email", Unicode(254)),
        ("reference", Reference.customize(max_occurs=9)),
    ]


class Piece(Valued):
    """One kind of goods in an item."""

    _type_info: ClassVar = [
        ("number", Integer(ge=1, **REQUIRED)),
        ("pieces", Integer(ge=1)),
        ("description", Unicode(512, **REQUIRED)),
        ("hs", Unicode(pattern="[0-9]{4,10}")),
        ("origin-country", Unicode(**COUNTRY)),
        ("net-weight", Decimal(**MASS)),
        ("amount", Money),
    ]


class Item(Valued):
    """One postal item."""

    _type_info: ClassVar = [
        ("item-id", Unicode(35, **REQUIRED)),
        ("mail-class", Unicode(values=["U", "C", "E"], **REQUIRED)),
        ("nature-type", Unicode(values=["11", "21", "31", "32", "91", "991", "999"], **REQUIRED)),
        ("posting-date", Date),
        ("gross-weight", Decimal(**MASS, **REQUIRED)),
        ("declared-value", Money),
        ("postage", Money),
        ("order-ref", Unicode(35)),
        ("tax-reference", TaxReference.customize(max_occurs=9)),
        ("sender", Party.customize(**REQUIRED)),
        ("addressee", Party.customize(**REQUIRED)),
        ("content-piece", Piece.customize(max_occurs=999, **REQUIRED)),
    ]


class Document(Valued):
    """A whole document."""

    __type_name__ = "itmatt"
    _type_info: ClassVar = [
        ("interchange", Preamble.customize(**REQUIRED)),
        ("item", Item.customize(max_occurs="unbounded", **REQUIRED)),
    ]


class Translation(ServiceBase):
    """The one operation, named like the element of the document."""

    @rpc(Document, _body_style="bare", _returns=Document)
    def itmatt(self, document):
        """The document that came, as it was understood."""
        return document


SERVICE = WsgiApplication(
    Application(
        [Translation],
        tns=NAMESPACE,
        in_protocol=XmlDocument(validator="lxml"),
        out_protocol=JsonDocument(),
    )
)


def application(environ, start_response):
    """The service, its answers with their length; spyne's own way to say it fails on Python 3."""
    begun = []

    def keep(status, headers, exc_info=None):
        begun[:] = [status, headers]

    body = b"".join(SERVICE(environ, keep))
    status, headers = begun
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
