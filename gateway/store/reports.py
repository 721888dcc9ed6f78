"""Translation reports as stores keep them: a digest, lines by number, and places where told.

A report is named by the SHA-256 of what it says apart from places; attempts of delivery and
messages read point at it by number, so that the thousandth message with the same losses costs a
few bytes. Lines have a table of their own since combinations of them are many more than lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.core.records import MessageReport
from gateway.core.reports import Line, Report
from gateway.store.codec import Codec

Told = tuple[int, int, str, Report, bytes | None]
"""Record, ordinal, digest, report and packed places of a message that was read."""


_content = msgspec.json.Decoder(tuple[str, str, str, str])


def text_of(line: Line) -> str:
    """What a line says, as it is stored: fate, path, source path and detail as JSON."""
    return msgspec.json.encode((line.kind, line.path, line.source_path, line.detail)).decode()


def pack_places(report: Report, codec: Codec) -> bytes | None:
    """The stored form of what distinguishes a report from others of the same digest."""
    told = f"{report.places}+{report.more}" if report.more else report.places
    return codec.pack(told.encode()) if told else None


def unpack_places(stored: bytes | None, codec: Codec) -> tuple[str, int]:
    """The places of one message, and how many more there were."""
    if stored is None:
        return "", 0
    places, _, more = codec.unpack(stored).decode().partition("+")
    return places, int(more or 0)


def line_of(content: str) -> Line:
    """The line that says so."""
    fate, path, source_path, detail = _content.decode(content)
    return msgspec.convert(
        {"kind": fate, "path": path, "source_path": source_path, "detail": detail}, Line
    )


def prepare_reports(
    record: int, reports: Sequence[MessageReport], codec: Codec
) -> tuple[Told, ...]:
    """Reports of reading with their digests and packed places, before anybody holds the lock."""
    return tuple(
        (record, one.ordinal, one.report.digest.hex(), one.report, pack_places(one.report, codec))
        for one in reports
    )
