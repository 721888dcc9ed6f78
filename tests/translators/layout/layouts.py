"""Small layouts for tests, and the few calls that every test makes."""

from __future__ import annotations

import io
from typing import Any

import msgspec

from translators.canonical import Header, Interchange
from translators.faults import NoteKind
from translators.layout import LayoutTranslator, compile_layout
from translators.layout.documents import DocumentWriter, Writers
from translators.layout.reading import DocumentReader
from translators.translator import Entry, Reading, Report, decode, encode
from translators.xml import Limits


def compiled(text: str, **others: str) -> LayoutTranslator:
    """Compile a layout that may extend the others by their ids."""

    def resolve(name: str) -> tuple[str, str]:
        return others[name], f"{name}.toml"

    return compile_layout(text, name="test.toml", resolve=resolve)


def decoded(layout: LayoutTranslator, content: bytes) -> Any:
    """The only message of a document that has no fault."""
    (message,) = decode(layout, content).messages
    return message


def encoded(layout: LayoutTranslator, message: Any) -> str:
    """What stands behind the three required elements of a declaration."""
    content = encode(layout, Interchange(header=Header(), messages=(message,))).decode()
    return content.partition("</lrn>")[2].rpartition("</d>")[0]


def noted(layout: LayoutTranslator, content: bytes) -> list[tuple[NoteKind, str, str | None, str]]:
    """Every note about every message, complete."""
    return [
        (note.kind, note.path, note.source_path, note.detail)
        for reading in layout.read(io.BytesIO(content), explain=True)
        if isinstance(reading, Entry)
        for note in reading.notes
    ]


def read(layout: LayoutTranslator, content: bytes) -> list[Any]:
    """Every reading of a document; where things stand is left out, so that they compare."""
    return [plain(reading) for reading in layout.read(io.BytesIO(content))]


def by_reference(layout: LayoutTranslator, content: bytes, *, explain: bool = False) -> list[Any]:
    """What the reference reader alone reads."""
    reader = DocumentReader(layout.plan, None, Limits(), explain=explain)
    return [plain(reading) for reading in reader.read(io.BytesIO(content))]


def written_by_reference(
    layout: LayoutTranslator, interchange: Interchange, report: Report | None = None
) -> bytes:
    """What the reference writer alone writes."""
    writers = Writers(layout.plan)
    writers.fast = {}
    writer = DocumentWriter(layout.plan, writers, interchange.header, report)
    return b"".join(writer.write(interchange.messages))


def plain(reading: Reading) -> Reading:
    """The reading without its means to locate paths."""
    if isinstance(reading, Entry):
        return msgspec.structs.replace(reading, locate=None)
    return reading


ITEM = """
layout = "x.item.1"
title = "Items"
carries = "ItemDeclaration"
root = "r"
[document]
i = "messages *! : i"
[i]
id = "item_id !"
class = "mail_class ! : code class"
nature = "nature ! : code nature closed"
weight = "gross_weight ! : mass g 9"
from = "sender ! : party"
to = "addressee ! : party"
piece = "pieces *! : piece"
extra = "extra : pairs @name"
[party]
line = "address.lines *!"
city = "address.city !"
[piece]
number = "number ! : int 3"
pieces = "pieces ! : int 3"
what = "description !"
[codes.class]
C = "parcels"
CP = "parcels"
U = "letters"
read-only = ["CP"]
[codes.nature]
31 = "gift"
"""

HEAD = """
layout = "x.test.1"
title = "Test"
carries = "GoodsDeclaration"
root = "r"
unknown = "refuse"
"""


GOODS = """
[g]
number = "number ! : int 3"
{lines}
"""


def declaration(lines: str, more: str = "", header: str = "") -> str:
    """A layout of one message group with the three fields that the model requires."""
    return f"""{HEAD}{header}
[document]
d = "messages *! : d"
[d]
function = "function !"
type = "type_code !"
lrn = "lrn !"
{lines}
{more}
"""


def whole(inner: str) -> bytes:
    """A document of one declaration."""
    return f"<r><d><function>F</function><type>T</type><lrn>L</lrn>{inner}</d></r>".encode()


def item_document(inner: str) -> bytes:
    party = "<line>1</line><city>C</city>"
    return (
        f"<r><i><id>I</id><class>C</class><nature>31</nature><weight>500</weight>"
        f"<from>{party}</from><to>{party}</to>"
        f"<piece><number>1</number><pieces>1</pieces><what>x</what></piece>{inner}</i></r>"
    ).encode()
