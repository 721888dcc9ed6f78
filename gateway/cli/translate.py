"""``luxor translate`` and ``luxor validate``: formats at work on files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.table import Table

from gateway.cli.formats import chosen
from gateway.regimes import Universal
from translators.canonical import Header, Message
from translators.faults import Fault, Note, TranslationError
from translators.registry import standard
from translators.translator import Translator

REFUSED = 1


class Reader:
    """Reads a document, keeping what is found wrong or not carried on the way."""

    def __init__(self, translator: Translator, *, checked: bool) -> None:
        self._translator = translator
        self._regime = Universal() if checked else None
        self.faults: list[tuple[int, str | None, Fault]] = []
        self.notes: list[Note] = []
        self.read = 0
        self.refused = 0
        self.header = Header()

    def messages(self, source: BinaryIO) -> Iterator[Message]:
        """The good messages of a document, one after the other."""
        for reading in self._translator.read(source):
            if isinstance(reading, Header):
                self.header = reading
                continue
            if isinstance(reading, Fault):
                self.faults.append((0, None, reading))
                continue
            self.read += 1
            self.notes.extend(
                msgspec.structs.replace(note, ordinal=reading.ordinal) for note in reading.notes
            )
            faults = reading.faults
            if self._regime is not None and reading.message is not None:
                faults += self._regime.check(reading.message)
            self.faults.extend((reading.ordinal, reading.key, fault) for fault in faults)
            if reading.message is None or any(fault.refuses for fault in faults):
                self.refused += 1
            else:
                yield reading.message

    @property
    def failed(self) -> bool:
        """True when anything was refused."""
        return self.refused > 0 or any(fault.refuses for _, _, fault in self.faults)


@click.command(
    epilog="""\b
Examples:
  luxor translate items.xml --from upu.itmatt.1 --to luxor.json.1 > items.json
  luxor translate items.json --from luxor.json.1 --to upu.itmatt.1 --report report.json
  luxor sample upu.itmatt.1 | luxor translate - --from upu.itmatt.1 --to upu.cusitm.1"""
)
@click.argument("source", metavar="IN", type=click.File("rb"))
@click.option("--from", "from_", required=True, metavar="F", help="Format of IN.")
@click.option("--to", required=True, metavar="F", help="Format to write.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the translation report there as JSON instead of to standard error.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report to standard error as JSON.")
def translate(
    source: BinaryIO,
    from_: str,
    to: str,
    report: Path | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Translate IN (a file, or - for standard input) to standard output.

    What was dropped, defaulted or mapped is reported on standard error. Refused messages are left
    out and named; the exit status is then 1.
    """
    registry = standard()
    reader = Reader(chosen(registry, from_), checked=False)
    writer = chosen(registry, to)
    failure: tuple[Fault, ...] = ()
    try:
        messages = reader.messages(source)
        first = next(messages, None)  # by now the header was read
        stream = _chained(first, messages)
        for piece in writer.write(reader.header, stream, reader.notes.append):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except TranslationError as error:
        failure = error.faults
    reader.faults.extend((0, None, fault) for fault in failure)
    encoded = msgspec.json.encode(_report(reader))
    if report is not None:
        report.write_bytes(encoded)
    if as_json:
        click.echo(encoded.decode(), err=True)
    elif report is None or reader.failed:
        _print(reader, Console(stderr=True))
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
  luxor validate orders.json --format luxor.json.1 --json"""
)
@click.argument("source", metavar="FILE", type=click.File("rb"))
@click.option("--format", "name", required=True, metavar="F", help="Format of FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(source: BinaryIO, name: str, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Name every fault of FILE: its form, and the identifiers and codes of the trade.

    What only a running gateway knows (permissions, routes, a jurisdiction's own rules) is not
    judged. The exit status is 1 when anything would be refused.
    """
    reader = Reader(chosen(standard(), name), checked=True)
    for _ in reader.messages(source):
        pass
    if as_json:
        click.echo(msgspec.json.encode(_report(reader)).decode())
    else:
        _print(reader, Console())
    if reader.failed:
        sys.exit(REFUSED)


def _report(reader: Reader) -> dict[str, object]:
    return {
        "messages": reader.read,
        "refused": reader.refused,
        "faults": [
            {"ordinal": ordinal, "key": key, **msgspec.to_builtins(fault)}
            for ordinal, key, fault in reader.faults
        ],
        "notes": reader.notes,
    }


def _print(reader: Reader, console: Console) -> None:
    if reader.faults:
        table = Table("message", "path", "line", "code", "what", title="Faults")
        for ordinal, key, fault in reader.faults:
            where = fault.path or fault.source_path or ""
            table.add_row(
                key or (str(ordinal) if ordinal else "all"),
                where,
                "" if fault.line is None else str(fault.line),
                f"{fault.code} ({fault.severity})",
                fault.detail,
            )
        console.print(table)
    counted: dict[tuple[str, str, str], int] = {}
    for note in reader.notes:
        row = (note.kind.value, note.path or note.source_path or "", note.detail)
        counted[row] = counted.get(row, 0) + 1
    if counted:
        table = Table("what", "path", "detail", "times", title="Not simply carried")
        for (what, path, detail), times in counted.items():
            table.add_row(what, path, detail, str(times))
        console.print(table)
    console.print(f"{reader.read} messages read, {reader.refused} refused")
