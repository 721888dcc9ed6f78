"""``luxor.json.1``: every message kind as JSON, in three forms and line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, Final

import msgspec

from translators import gate
from translators.canonical import KINDS, Header, Interchange, Message, kind_of
from translators.exchange import handbook, json_schema
from translators.exchange.document import read_document
from translators.exchange.lines import MAX_LINE, are_lines, lines_of, read_lines
from translators.exchange.refusal import beyond_the_model
from translators.exchange.sample import full_interchange
from translators.faults import Fault
from translators.model import SHAPES
from translators.translator import FormatId, Reading, Report

MAX_DOCUMENT: Final = 64 << 20
"""Bytes of a document that is not line by line; it is held once as a whole."""
LINES: Final = "application/x-ndjson"

_ENCODER: Final = msgspec.json.Encoder()


class JsonExchange(msgspec.Struct, frozen=True, kw_only=True):
    """The format. With ``lines`` it writes NDJSON; it always reads whatever form comes."""

    lines: bool = False
    id: FormatId = FormatId("luxor.json.1")
    title: str = "Luxor exchange messages as JSON"
    standing: str = "our own format, defined by its JSON Schema"

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind."""
        return frozenset(KINDS)

    @property
    def media_types(self) -> tuple[str, ...]:
        """Those that select it; NDJSON first when lines are written."""
        if self.lines:
            return (LINES,)
        return ("application/vnd.luxor.exchange+json", "application/json", LINES)

    @property
    def variants(self) -> tuple[JsonExchange, ...]:
        """The writer of lines, for who asks for NDJSON."""
        return () if self.lines else (JsonExchange(lines=True),)

    @property
    def drops(self) -> dict[str, frozenset[str]]:
        """Nothing."""
        return {}

    def read(self, source: BinaryIO, *, explain: bool = False) -> Iterator[Reading]:
        """Read any form; see :class:`translators.translator.Translator`."""
        del explain  # nothing is mapped and nothing defaulted
        numbered = lines_of(source)
        first = next(numbered, None)
        if first is None:
            yield Fault(code="body.empty", detail="there is no content")
            return
        second = None if len(first[1]) > MAX_LINE else next(numbered, None)
        if second is not None and are_lines(first[1], second[1]):
            yield from read_lines(chain([first, second], numbered))
        else:
            yield from _read_whole(first, second, source)

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        """Write piece by piece; raises :class:`TranslationError` for decimals beyond the model."""
        del report  # nothing is dropped and nothing defaulted
        if self.lines:
            yield b'{"interchange":' + _ENCODER.encode(header) + b"}\n"
            for message in messages:
                yield _encode(message) + b"\n"
            return
        yield b'{"interchange":' + _ENCODER.encode(header) + b',"messages":['
        separator = b""
        for message in messages:
            yield separator + _encode(message)
            separator = b",\n"
        yield b"]}\n"

    def schema(self) -> dict[str, bytes]:
        """The JSON Schema (2020-12) by file name."""
        return {f"{self.id}.schema.json": json_schema.render(self.id, self.title)}

    def sample(self) -> Interchange:
        """One message of every kind with every field filled."""
        return full_interchange()

    def documentation(self) -> str:
        """A page in Markdown."""
        return handbook.render_json(self.id, self.title)


def _read_whole(
    first: tuple[int, bytes], second: tuple[int, bytes] | None, source: BinaryIO
) -> Iterator[Reading]:
    number, content = first
    # Blank lines before are put back as line feeds, so that faults name the right line.
    before = b"\n" * (number - 1)
    if second is not None:
        content += b"\n" * (second[0] - number - 1) + second[1]
    rest = source.read(MAX_DOCUMENT)
    if before or rest:
        content = b"".join([before, content, rest])
    del rest
    if len(content) > MAX_DOCUMENT:
        detail = f"at most {MAX_DOCUMENT} bytes in one document; more go line by line ({LINES})"
        yield Fault(code="body.too-large", detail=detail)
        return
    yield from read_document(content)


def _encode(message: Message) -> bytes:
    if gate.decimals_are_plain(message):
        try:
            return _ENCODER.encode(message)
        except UnicodeEncodeError as error:
            raise beyond_the_model(message, SHAPES[kind_of(message)]) from error
    raise beyond_the_model(message, SHAPES[kind_of(message)])
