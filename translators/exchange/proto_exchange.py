"""``luxor.proto.1``: every message kind as protobuf, in the bytes of an ``Interchange``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import msgspec
from google.protobuf.message import DecodeError

from translators import gate, keys
from translators.canonical import KINDS, Header, Interchange, Message, kind_of
from translators.defects import Defect, at_most
from translators.exchange import handbook
from translators.exchange.frames import Frame, FrameError, WireType, frame, read_frames
from translators.exchange.inspection import defects, message_defects
from translators.exchange.records import descriptor_of, record_type, to_raw, to_record
from translators.exchange.refusal import beyond_the_model
from translators.exchange.sample import full_interchange
from translators.faults import Fault, TranslationError
from translators.model import HEADER, SHAPES
from translators.translator import Entry, FormatId, Reading, Report
from translators.wire.exchange.v1 import interchange_pb2

_ENVELOPE: Final = interchange_pb2.Message
_BY_KIND: Final = {
    field.message_type.name: field
    for field in _ENVELOPE.DESCRIPTOR.fields
    if field.message_type is not None
}
_KINDS: Final = MappingProxyType({field.name: kind for kind, field in _BY_KIND.items()})
_NUMBERS: Final = MappingProxyType({kind: field.number for kind, field in _BY_KIND.items()})
_TO_RAW: Final = MappingProxyType({kind: to_raw(shape) for kind, shape in SHAPES.items()})
_TO_RECORD: Final = MappingProxyType({kind: to_record(shape) for kind, shape in SHAPES.items()})
_HEADER: Final = record_type(Header)
_HEADER_TO_RAW: Final = to_raw(HEADER)
_HEADER_TO_RECORD: Final = to_record(HEADER)
_HEADER_FIELD: Final = interchange_pb2.Interchange.HEADER_FIELD_NUMBER
_MESSAGES_FIELD: Final = interchange_pb2.Interchange.MESSAGES_FIELD_NUMBER
_NOT_WRITABLE: Final = (ValueError, TypeError)


class ProtoExchange(msgspec.Struct, frozen=True, kw_only=True):
    """The format."""

    id: FormatId = FormatId("luxor.proto.1")
    title: str = "Luxor exchange messages as protobuf"
    standing: str = "our own format, defined by the package exchange.v1"
    media_types: tuple[str, ...] = (
        "application/vnd.luxor.exchange+protobuf",
        "application/x-protobuf",
    )

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind."""
        return frozenset(KINDS)

    @property
    def drops(self) -> dict[str, frozenset[str]]:
        """Nothing."""
        return {}

    def read(self, source: BinaryIO, *, explain: bool = False) -> Iterator[Reading]:
        """Read message by message; see :class:`translators.translator.Translator`.

        A message that is wrong refuses itself; bytes that are no fields refuse the whole.
        """
        del explain  # nothing is mapped and nothing defaulted
        ordinal, any_content = 0, False
        try:
            for number, wire_type, content in read_frames(source):
                if number == _MESSAGES_FIELD and wire_type is WireType.LENGTH:
                    ordinal += 1
                    yield _read_message(content, ordinal)
                else:
                    yield _read_header((number, wire_type, content), first=not any_content)
                any_content = True
        except FrameError as error:
            yield Fault(code="proto.malformed", detail=str(error))
        except TranslationError as error:
            yield from error.faults
        else:
            if not any_content:
                yield Fault(code="body.empty", detail="there is no content")

    def write(
        self, header: Header, messages: Iterable[Message], report: Report | None = None
    ) -> Iterator[bytes]:
        """Write piece by piece; raises :class:`TranslationError` for values beyond the model."""
        del report  # nothing is dropped and nothing defaulted
        try:
            yield frame(_HEADER_FIELD, _HEADER_TO_RECORD(header).SerializeToString())
        except _NOT_WRITABLE as error:
            raise beyond_the_model(header, HEADER) from error
        for message in messages:
            yield frame(_MESSAGES_FIELD, _encode(message))

    def schema(self) -> dict[str, bytes]:
        """The ``.proto`` files by the path under which they import each other."""
        folder = files("translators.wire").joinpath("exchange", "v1")
        return {
            f"exchange/v1/{file.name}": file.read_bytes()
            for file in sorted(folder.iterdir(), key=lambda file: file.name)
            if file.name.endswith(".proto")
        }

    def sample(self) -> Interchange:
        """One message of every kind with every field filled."""
        return full_interchange()

    def documentation(self) -> str:
        """A page in Markdown."""
        return handbook.render_proto(self.id, self.title)


def _read_header(given: Frame, *, first: bool) -> Header:
    number, wire_type, content = given
    if number != _HEADER_FIELD or wire_type is not WireType.LENGTH:
        detail = f"Interchange has no field {number}"
        raise TranslationError([Fault(code="field.unknown", path=f"/{number}", detail=detail)])
    if not first:
        detail = "the header comes once, before the messages"
        raise TranslationError([Fault(code="proto.late-header", detail=detail)])
    try:
        record: Any = _HEADER.FromString(content)
    except DecodeError as error:
        raise TranslationError([_malformed("/header")]) from error
    found = _told(defects(content, descriptor_of(Header), "/header"))
    header, faults = gate.convert_header(
        _HEADER_TO_RAW(record), locate=lambda path: (f"/header{path}", None), strict=True
    )
    if header is None or found:
        raise TranslationError(at_most([*found, *faults]))
    return header


def _read_message(content: bytes, ordinal: int) -> Entry:
    try:
        envelope: Any = _ENVELOPE.FromString(content)
        found = _inspect(envelope, content)
    except (DecodeError, FrameError):
        return Entry(ordinal=ordinal, message=None, faults=(_malformed(""),))
    field = envelope.WhichOneof("kind")
    if field is None:
        unknown = Fault(code="kind.unknown", detail="no kind that this contract has is set")
        return Entry(ordinal=ordinal, message=None, faults=at_most((unknown, *found)))
    kind = _KINDS[field]
    raw = _TO_RAW[kind](getattr(envelope, field))
    message, faults = gate.convert(raw, kind, strict=True)
    faults = at_most((*found, *faults))
    return Entry(
        ordinal=ordinal,
        message=None if faults else message,
        faults=faults,
        key=keys.key_of(raw, kind),
        draft={"type": kind, **raw} if faults else None,
    )


def _inspect(envelope: Any, content: bytes) -> tuple[Fault, ...]:
    """What protobuf skipped. Bytes that come out as they went in have nothing of the kind."""
    envelope.DiscardUnknownFields()
    if envelope.SerializeToString() == content:
        return ()
    return _told(message_defects(content, _ENVELOPE.DESCRIPTOR))


def _told(found: Iterable[Defect]) -> tuple[Fault, ...]:
    return at_most(Fault(code=code, path=path, detail=detail) for path, code, detail in found)


def _malformed(path: str) -> Fault:
    return Fault(code="proto.malformed", path=path, detail="no protobuf of this contract")


def _encode(message: Message) -> bytes:
    kind = kind_of(message)
    if not gate.decimals_are_plain(message):
        raise beyond_the_model(message, SHAPES[kind])
    try:
        record = _TO_RECORD[kind](message)
    except _NOT_WRITABLE as error:
        raise beyond_the_model(message, SHAPES[kind]) from error
    return frame(_NUMBERS[kind], record.SerializeToString())
