"""What an agreement withholds, and what a refusal is about, is quoted nowhere.

The first law (TRUST, rule 11): a canary in any field of any kind that an agreement leaves out is
in no format, report, refusal or note. The second: whatever is wrong with a value, no fault, note
or log says the value. ``test_demo.py`` searches a whole run.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, MessageId, RecordNumber
from gateway.core.records import Delivery, StoredMessage, Subject
from gateway.pipeline.plan import Network
from gateway.pipeline.prepare import Preparer
from gateway.routing import Endpoint
from gateway.routing.endpoint import Endpoints
from gateway.routing.route import Routes
from gateway.store.memory import MemoryJournal
from tests.e2e.canary import DIGITS, FORMS, MARK, leaks_in
from tests.examples import TIMES
from tests.formats import every_format
from tests.variations import all_samples, message_of, tree
from translators.canonical import KINDS, Message, kind_of
from translators.faults import Fault
from translators.layout.leaves import leaves
from translators.model import SHAPES, Form, Shape
from translators.model import leaves as shapes_below
from translators.registry import standard
from translators.translator import Entry, FormatId, Translator, decode, encode
from trust.identity import PartyId
from trust.members import Party
from trust.party import Registry

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JSON = FormatId("luxor.json.1")
DAY = date(1917, 3, 10)
"""A day that nothing else is about."""
ALL_FORMS = (*FORMS, b"1917-03-10", b"19170310")
GROUPS = 8
"""How many agreements for each kind, each without another part of its fields."""
INDEX = re.compile(r"/\d+(?=/|$)")
FORMATS = standard()
RECEIVER = PartyId("receiver")


HIDDEN = f"to {MARK}0001 of Lyon"


@pytest.mark.parametrize(
    "content",
    [
        HIDDEN.encode(),
        HIDDEN.lower().encode(),
        HIDDEN.encode("utf-16"),
        HIDDEN.encode("utf-32-be"),
        HIDDEN.encode().hex().encode(),
        *(base64.b64encode(b"x" * shift + HIDDEN.encode()) for shift in range(3)),
        *(base64.urlsafe_b64encode(b"x" * shift + HIDDEN.encode()) for shift in range(3)),
        "".join(f"%{byte:02X}" for byte in HIDDEN.encode()).encode(),
        json.dumps({"n": HIDDEN}).encode(),
        f"+{DIGITS[0]}0001".encode(),
    ],
)
def test_the_search_sees_through_encodings(content: bytes) -> None:
    assert leaks_in(b"before " + content + b" after")
    assert [] == leaks_in(b"before after QZKAN ARY 917310445")


def general(pointer: str) -> str:
    """The path of a pointer, as the model has it."""
    return INDEX.sub("/*", pointer).replace("/extra/note", "/extra/*")


def sample_of(kind: str) -> Message:
    """A message of a kind in which every path of the model is set."""
    (found,) = [m for m in all_samples(FORMATS.get(JSON))[0].messages if kind_of(m) == kind][:1]
    return found


def canary(shape: Shape, number: int) -> Any:
    """A value of that shape that can be searched for; ``None`` where it can not have one."""
    match shape.form:
        case Form.TEXT if shape.pattern is None and (shape.max_length or 99) >= len(MARK) + 4:
            return f"{MARK}{number:04}"
        case Form.TEXT if shape.pattern is None and (shape.max_length or 99) >= len(MARK):
            return MARK
        case Form.DECIMAL:
            return Decimal(f"{DIGITS[1]}.17")
        case Form.DATE:
            return DAY
        case Form.INSTANT:
            return datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
        case Form.BYTES:
            return MARK.encode()
    return None


def branded(kind: str, withheld: frozenset[str]) -> tuple[Message, set[str]]:
    """The sample with canaries at the withheld paths, and the paths that have one."""
    message = sample_of(kind)
    shapes = dict(shapes_below(SHAPES[kind]))
    plain, marked = tree(message), set()
    for number, (pointer, _) in enumerate(leaves(message)):
        path = general(pointer)
        value = canary(shapes[path], number) if path in withheld else None
        if value is not None:
            _put(plain, pointer.split("/")[1:], value)
            marked.add(path)
    return message_of(kind, plain), marked


def _put(plain: Any, steps: Sequence[str], value: Any) -> None:
    for step in steps[:-1]:
        plain = plain[int(step) if isinstance(plain, list) else step]
    last = steps[-1]
    plain[int(last) if isinstance(plain, list) else last] = value


def content_of(kind: str) -> list[str]:
    """The paths of a kind that are the sender's; what the gateway says of a message is its own."""
    every = (path for path, _ in shapes_below(SHAPES[kind]))
    return [path for path in every if not path.startswith("/provenance/")]


def agreements_of(kind: str) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """Fields that are seen and paths that are withheld, such that together every path that can be
    withheld is withheld once; amounts and their currencies go together."""
    every = content_of(kind)
    parents = sorted({path.rpartition("/")[0] for path in every})
    for group in range(GROUPS):
        chosen = set(parents[group::GROUPS])
        withheld = {path for path in every if path.rpartition("/")[0] in chosen}
        if group == 0:  # those at the top are too many for one
            withheld |= {path for path in every if path.count("/") == 1}
        fields = set(every) - withheld
        while needed := set(Minimiser(fields).missing(kind)):
            fields |= needed
        yield tuple(sorted(fields)), frozenset(every) - fields


ENDPOINT = Endpoint(id="to", party=RECEIVER, format=JSON, transport="folder")


def preparer(kind: str, fields: tuple[str, ...]) -> Preparer:
    """A gateway's preparing half under one agreement."""
    agreement = Agreement(name="a", purpose="p", party=RECEIVER, kinds=(kind,), fields=fields)
    network = Network(
        routes=Routes(()),
        agreements=Agreements.of([agreement]),
        minimisers={"a": Minimiser(fields)},
        endpoints=Endpoints.of([ENDPOINT]),
        formats=FORMATS,
    )
    parties = Registry(parties=[Party(id=RECEIVER), Party(id=PartyId("sender"))])
    return Preparer(
        gateway_id="gateway-lx",
        journal=MemoryJournal(gateway=1, clock=lambda: NOW),
        network=lambda: network,
        parties=lambda: parties,
    )


def delivery(message: Message) -> Delivery:
    """The message as the journal has it."""
    stored = StoredMessage(
        message_id=MessageId("00000000-081a-8ca0-b580-000500000001"),
        record=RecordNumber(5),
        ordinal=1,
        kind=kind_of(message),
        party=PartyId("sender"),
        interchange_id=InterchangeId("i-1"),
        accepted_at=NOW,
        version=1,
        function="original",
        key=Subject(kind="item", value="x"),
        destinations=("to",),
        body=msgspec.json.encode(message),
    )
    return Delivery(destination="to", seq=1, key=1, tries=0, lane=0, route="r", message=stored)


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_what_an_agreement_withholds_is_in_no_format_report_or_refusal(kind: str) -> None:
    carrying = [each.id for each in FORMATS if kind in each.kinds]
    seen: set[str] = set()
    searched: set[str] = set()
    prepared = 0
    for fields, withheld in agreements_of(kind):
        message, marked = branded(kind, withheld)
        assert not marked or leaks_in(msgspec.json.encode(message), ALL_FORMS)
        half = preparer(kind, fields)
        for format_id in carrying:
            try:
                found = await half.prepare(delivery(message), ENDPOINT, format_id=format_id)
            except Refused as refused:
                told = msgspec.json.encode([refused.detail, refused.faults, str(refused)])
                assert refused.code == "translation.failed"  # noqa: PT017 - it may or may not be
                assert [] == leaks_in(told, ALL_FORMS), (format_id, withheld)
                continue
            prepared += 1
            said = found.outgoing.content + msgspec.json.encode(found.report)
            assert [] == leaks_in(said, ALL_FORMS), (format_id, withheld)
            if format_id == JSON:
                (out,) = decode(FORMATS.get(JSON), found.outgoing.content).messages
                assert set() == {general(path) for path, _ in leaves(out)} & withheld
        seen |= withheld
        searched |= marked

    every = set(content_of(kind))
    required = set(Minimiser([]).missing(kind))
    assert prepared >= GROUPS
    assert every - seen <= required | alone(every - seen, kind), "each field is withheld once"
    assert len(searched) > len(every) / 3


def alone(paths: set[str], kind: str) -> set[str]:
    """Of these paths those that can not be withheld while everything else is seen."""
    every = set(content_of(kind))
    return {path for path in paths if path in Minimiser(every - {path}).missing(kind)}


# Faults


WRONG = (MARK, f"{MARK} " * 400, f"+{DIGITS[0]}e1", f"{MARK}&<\u00e9")


PLACES = 60 * TIMES
"""So many places of each format are spoiled; in the long form as good as all."""


def spoiled(translator: Translator) -> Iterator[tuple[str, bytes]]:
    """Documents of one message with a wrong value in one place, spread over all places."""
    contents = [
        encode(translator, msgspec.structs.replace(sample, messages=(message,)))
        for sample in all_samples(translator)
        for message in sample.messages
    ]
    spoil = [_spoiled_xml if one.lstrip().startswith(b"<") else _spoiled_json for one in contents]
    places = sum(sum(1 for _ in way(one)) for way, one in zip(spoil, contents, strict=True))
    every = (found for way, one in zip(spoil, contents, strict=True) for found in way(one))
    yield from itertools.islice(every, 0, None, max(1, places // PLACES))


def _spoiled_xml(content: bytes) -> Iterator[tuple[str, bytes]]:
    wrong = itertools.cycle(WRONG)
    root = etree.fromstring(content)
    for node in root.iter("*"):
        if node.text and node.text.strip() and not len(node):
            before, node.text = node.text, next(wrong)
            yield str(node.tag), etree.tostring(root)
            node.text = before
        for name in node.attrib:
            if name == "name":  # of an entry that is found by it: a path says it
                continue
            kept = node.attrib[name]
            node.attrib[name] = next(wrong)
            yield f"{node.tag}@{name!s}", etree.tostring(root)
            node.attrib[name] = kept


def _spoiled_json(content: bytes) -> Iterator[tuple[str, bytes]]:
    wrong = itertools.cycle((*WRONG, [MARK], int(DIGITS[0]), float(DIGITS[1])))
    root = json.loads(content)
    holders = [root]
    while holders:
        holder = holders.pop()
        for name in range(len(holder)) if isinstance(holder, list) else list(holder):
            below = holder[name]
            if isinstance(below, dict | list):
                holders.append(below)
            elif name != "type":
                holder[name] = next(wrong)
                yield str(name), json.dumps(root).encode()
                holder[name] = below


def said_of(translator: Translator, content: bytes) -> bytes:
    """All that a reader says of a document beside what it read."""
    told: list[Any] = []
    for reading in translator.read(io.BytesIO(content), explain=True):
        if isinstance(reading, Entry):
            told += [reading.faults, reading.notes]
        elif isinstance(reading, Fault):
            told.append(reading)
    return msgspec.json.encode(told)


@pytest.mark.parametrize(
    "translator",
    [pytest.param(each, id=each.id) for each in every_format() if "proto" not in each.id],
)
def test_no_fault_or_note_quotes_the_value_that_it_is_about(translator: Translator) -> None:
    tried, quoting = 0, {}
    for place, content in spoiled(translator):
        tried += 1
        found = leaks_in(said_of(translator, content))
        if found:
            quoting[place] = found[0]

    assert tried > 20
    assert {} == quoting
