"""Accounts of documents: which values came back after decode → encode, and which were named.

A value is an attribute or the text of an element that is not blank. It is carried when the same
indexed path has the same typed value after decoding and encoding; ``schemaLocation`` and its
like are hints to a parser and no values.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from lxml import etree

from translators.canonical import Header, Message
from translators.faults import Fault, Note, TranslationError
from translators.translator import Entry, Translator

Typed = Callable[[str, str], object]
"""Value of a text at a path such as ``/MetaData/Declaration/ID`` (no indices, ``@`` before the
name of an attribute); two values are the same when these are equal."""
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = frozenset({f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"})
_INDEX = re.compile(r"\[[0-9]+\]")


def as_text(path: str, text: str) -> object:
    """Text is the same when it is spelled the same, but for space around and within it."""
    return text


def as_number(text: str) -> object:
    """A number is the same whatever zeros and signs it is written with."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def as_moment(text: str) -> object:
    """An instant is the same in another spelling with the same offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment, moment.utcoffset()


def values(document: bytes, typed: Typed = as_text) -> dict[str, object]:
    """Every value of an XML document by its indexed path, such as ``/MetaData[1]/ID[1]``.

    Names are without prefixes; indices count elements of one name from 1.
    """
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False)
    root = etree.fromstring(document, parser)
    return {
        path: typed(_INDEX.sub("", path), text)
        for path, text in _values(root, f"/{_local(root.tag)}[1]")
    }


def _values(node: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    for name, text in node.attrib.items():
        if name not in _HINTS:
            yield f"{path}/@{_local(name)}", " ".join(str(text).split())
    text = " ".join("".join([node.text or "", *(one.tail or "" for one in node)]).split())
    if text:
        yield path, text
    counts: Counter[str] = Counter()
    for one in node:
        counts[str(one.tag)] += 1
        yield from _values(one, f"{path}/{_local(one.tag)}[{counts[str(one.tag)]}]")


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]


def indexed(source_path: str) -> str:
    """A source path of a report as a path of :func:`values`: no prefixes, an index everywhere."""
    steps = []
    for step in source_path.split("/")[1:]:
        name = step.rpartition(":")[2].removeprefix("@")
        if step.startswith("@"):
            steps.append(f"@{name}")
        else:
            steps.append(name if name.endswith("]") else f"{name}[1]")
    return "".join(f"/{step}" for step in steps)


@dataclass(frozen=True)
class Account:
    """What became of the values of one document.

    ``lost`` did not come back; ``unnamed`` did not and no report says so, which must never be.
    ``added`` are values of what was written that the document did not have.
    """

    total: int
    lost: frozenset[str]
    unnamed: frozenset[str]
    added: frozenset[str]
    written: bytes
    notes: tuple[Note, ...]

    @property
    def carried(self) -> int:
        """How many values came back."""
        return self.total - len(self.lost)


@dataclass
class _Read:
    header: Header = field(default_factory=Header)
    messages: list[Message] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def account(translator: Translator, document: bytes, typed: Typed = as_text) -> Account:
    """Decode, encode, compare; raises :class:`TranslationError` when either is refused."""
    before = values(document, typed)
    read = _read(translator, document)
    told: list[Note] = []
    written = b"".join(translator.write(read.header, read.messages, told.append))
    after = values(written, typed)
    lost = {path for path, value in before.items() if after.get(path) != value}
    named = {indexed(note.source_path) for note in read.notes if note.source_path}
    if lost - named:
        named |= _places(translator, document, told)
    return Account(
        total=len(before),
        lost=frozenset(lost),
        unnamed=frozenset(lost - named),
        added=frozenset(after.keys() - before.keys()),
        written=written,
        notes=(*read.notes, *told),
    )


def _read(translator: Translator, document: bytes) -> _Read:
    found = _Read()
    faults: list[Fault] = []
    for reading in translator.read(io.BytesIO(document)):
        if isinstance(reading, Header):
            found.header = reading
        elif isinstance(reading, Entry):
            faults += [fault for fault in reading.faults if fault.refuses]
            found.notes += reading.notes
            if reading.message is not None:
                found.messages.append(reading.message)
        else:
            faults.append(reading)
    if faults:
        raise TranslationError(faults)
    return found


def _places(translator: Translator, document: bytes, told: list[Note]) -> set[str]:
    """Where that stands in the document of which the writer says something."""
    named: set[str] = set()
    for reading in translator.read(io.BytesIO(document)):
        if isinstance(reading, Entry) and reading.locate is not None:
            for note in told:
                where, _ = reading.locate(note.path)
                if where is not None and note.ordinal in (None, reading.ordinal):
                    named.add(indexed(where))
    return named


def difference(account_: Account) -> str:
    """The values that did not come back, for the message of an assertion."""
    return "\n".join(sorted(account_.lost)) or "nothing is lost"
