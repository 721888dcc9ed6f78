"""``luxor translate`` and ``luxor validate``: formats at work on files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.header import headed
from gateway.cli.kept import Kept
from gateway.cli.options import json_option
from gateway.cli.spoken import Spoken, with_formats
from gateway.cli.tables import wide_console
from gateway.core.reports import Fate, Line, report_of
from gateway.regimes import Regime, examine
from translators.canonical import Header, Message
from translators.faults import Fault, Note, NoteKind, TranslationError
from translators.translator import FormatId, Translator

REFUSED = 1
TO_PEOPLE = "-"
"""``--report`` without a file: the whole report, for people, on standard error."""
_MOST = 1_000_000
_SHOWN = 1_000
"""Faults that a table shows; the report as JSON has more."""
_WORDS = {
    Fate.DROPPED: "not carried",
    Fate.DEFAULTED: "defaulted",
    Fate.MAPPED: "mapped",
    Fate.CONTRADICTS: "contradicts",
}


class Reader:
    """Reads a document, keeping what is found wrong or not carried on the way."""

    def __init__(
        self, translator: Translator, *, regimes: tuple[Regime, ...] = (), explain: bool = False
    ) -> None:
        self._translator = translator
        self._regimes = regimes
        self._explain = explain
        self.faults: Kept[tuple[int, str | None, Fault]] = Kept()
        self.notes: Kept[Note] = Kept()
        self.read = 0
        self.refused = 0
        self.failed = False
        """Whether anything was refused."""
        self.header = Header()

    def messages(self, source: BinaryIO) -> Iterator[Message]:
        """The good messages of a document, one after the other."""
        for reading in self._translator.read(source, explain=self._explain):
            if isinstance(reading, Header):
                self.header = reading
                continue
            if isinstance(reading, Fault):
                self.find(reading)
                continue
            self.read += 1
            self.notes.extend(
                msgspec.structs.replace(note, ordinal=reading.ordinal) for note in reading.notes
            )
            faults = reading.faults + examine(reading, self._regimes)
            for fault in faults:
                self.find(fault, reading.ordinal, reading.key)
            if reading.message is None or any(fault.refuses for fault in faults):
                self.refused += 1
            else:
                yield reading.message

    def find(self, fault: Fault, ordinal: int = 0, key: str | None = None) -> None:
        """Keep a fault of a message, or of the document as a whole."""
        self.faults.append((ordinal, key, fault))
        self.failed = self.failed or fault.refuses


@click.command(
    epilog="""\b
Examples:
  luxor translate items.xml --from upu.itmatt.1 --to luxor.json.1 > items.json
  luxor translate items.json --from luxor.json.1 --to upu.itmatt.1 --report
  luxor translate items.json --from luxor.json.1 --to upu.itmatt.1 --report report.json
  luxor translate order.json --layout my-orders.toml --from my.orders.1 --to luxor.json.1
  luxor translate flat.xml --from my.flat.1 --to upu.itmatt.1 --header recipient=LUA
  luxor sample upu.itmatt.1 | luxor translate - --from upu.itmatt.1 --to upu.cusitm.1"""
)
@click.argument("source", metavar="IN", type=click.File("rb"))
@with_formats
@click.option("--from", "from_", required=True, metavar="F", help="Format of IN.")
@click.option("--to", required=True, metavar="F", help="Format to write.")
@click.option(
    "--report",
    is_flag=False,
    flag_value=TO_PEOPLE,
    metavar="[FILE]",
    help="The whole report, with every default and every code that was mapped: for people on"
    " standard error, or as JSON in FILE.",
)
@click.option(
    "--header",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="What the written document says of itself, where IN does not: sender, recipient,"
    " control_reference, declarant, … A declarant is JSON. May be repeated.",
)
@json_option("The whole report on standard error as JSON.")
def translate(
    source: BinaryIO,
    spoken: Spoken,
    from_: str,
    to: str,
    report: str | None,
    given: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Translate IN (a file, or - for standard input) to standard output.

    What reading and writing did not carry is told on standard error. Refused messages are left
    out and named; the exit status is then 1.
    """
    whole = report is not None or as_json
    source_format = spoken.get(from_)
    reader = Reader(source_format, explain=whole)
    writer = spoken.get(to)
    written: Kept[Note] = Kept()
    headed(Header(), given)  # a mistake in it is told before anything is read
    unwritten = False
    try:
        messages = reader.messages(source)
        first = next(messages, None)  # by now the header was read
        stream = _chained(first, messages)
        header = headed(reader.header, given)
        for piece in writer.write(header, stream, written.append):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except TranslationError as error:
        unwritten = True
        for fault in error.faults:
            reader.find(fault)
    encoded = _encoded(reader, read=reader.notes, written=written)
    if report is not None and report != TO_PEOPLE:
        Path(report).write_bytes(encoded)
    console = wide_console(stderr=True)
    if as_json:
        click.echo(encoded.decode(), err=True)
    elif report in (None, TO_PEOPLE) or reader.failed:
        _print_faults(reader, console)
        _print_notes("Read", source_format.id, reader.notes, console, whole=whole)
        _print_notes("Written", writer.id, written, console, whole=whole)
        left = f"; {writer.id} could not be written to its end" if unwritten else ""
        console.print(_summary(reader) + left)
    if reader.failed:
        sys.exit(REFUSED)


def _chained(first: Message | None, rest: Iterator[Message]) -> Iterator[Message]:
    if first is not None:
        yield first
    yield from rest


@click.command(
    epilog="""\b
Examples:
  luxor validate items.xml --format upu.itmatt.1
  luxor validate order.json --layout my-orders.toml
  luxor validate orders.json --format luxor.json.1 --json"""
)
@click.argument("source", metavar="FILE", type=click.File("rb"))
@with_formats
@click.option("--format", "name", metavar="F", help="Format of FILE; by default that of --layout.")
@json_option()
def validate(source: BinaryIO, spoken: Spoken, name: str | None, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Name every fault of FILE: its form, and the identifiers and codes of the trade.

    What only a running gateway knows (permissions, routes, a jurisdiction's own rules) is not
    judged. The exit status is 1 when anything would be refused.
    """
    translator = spoken.get(name)
    reader = Reader(translator, regimes=spoken.regimes)
    for _ in reader.messages(source):
        pass
    if as_json:
        click.echo(_encoded(reader, read=reader.notes).decode())
    else:
        console = wide_console()
        _print_faults(reader, console)
        _print_notes("Read", translator.id, reader.notes, console, whole=True)
        console.print(_summary(reader))
    if reader.failed:
        sys.exit(REFUSED)


def _summary(reader: Reader) -> str:
    what = "message" if reader.read == 1 else "messages"
    return f"{reader.read} {what} read, {reader.refused} refused"


def _encoded(reader: Reader, **notes: Kept[Note]) -> bytes:
    """The report as JSON; ``left_out`` counts what a long document has beyond its bounds."""
    kept = {"faults": reader.faults.more, **{side: told.more for side, told in notes.items()}}
    left_out = {name: more for name, more in kept.items() if more}
    sides = {side: list(told) for side, told in notes.items()}
    whole = _told(reader) | sides | ({"left_out": left_out} if left_out else {})
    return msgspec.json.encode(whole)


def _told(reader: Reader) -> dict[str, object]:
    return {
        "messages": reader.read,
        "refused": reader.refused,
        "faults": [
            {"ordinal": ordinal, "key": key, **msgspec.to_builtins(fault)}
            for ordinal, key, fault in reader.faults
        ],
    }


def _print_faults(reader: Reader, console: Console) -> None:
    if not reader.faults:
        return
    names = ("message", "path", "in the document", "line", "code", "what")
    table = Table(*(Column(name, overflow="fold") for name in names), title="Faults")
    for ordinal, key, fault in islice(reader.faults, _SHOWN):
        cells = (
            key or (str(ordinal) if ordinal else "all"),
            fault.path,
            fault.source_path or "",
            "" if fault.line is None else str(fault.line),
            f"{fault.code} ({fault.severity})",
            fault.detail,
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    more = len(reader.faults) + reader.faults.more - _SHOWN
    if more > 0:
        console.print(f"and {more} more faults")


def _print_notes(
    what: str, format_id: FormatId, notes: Kept[Note], console: Console, *, whole: bool
) -> None:
    """What one side did not simply carry, alike values together."""
    counted: Counter[Line] = Counter()
    told = (note for note in notes if whole or note.kind is not NoteKind.MAPPED)
    for _, of_one in groupby(told, key=lambda note: note.ordinal):
        found = report_of(of_one, format_id=format_id, kind="", most=_MOST)
        places = found.places.split(";")
        for at, line in enumerate(found.lines):
            counted[line] += len(places[at].split(",")) if at < len(places) else 1
    if not counted:
        return
    title = f"{what} ({format_id}): not simply carried"
    names = ("what", "path", "in the document", "why", "values")
    table = Table(*(Column(name, overflow="fold") for name in names), title=title)
    for line, count in sorted(counted.items()):
        cells = (_WORDS[line.kind], line.path, line.source_path, line.detail, str(count))
        table.add_row(*map(Text, cells))
    console.print(table)
    if notes.more:
        console.print(f"and {notes.more} more notes, which are not counted above")
