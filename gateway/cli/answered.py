"""An answer of a gateway, for people and for programs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.access import Access
from gateway.cli.story import counts_of, in_words
from gateway.client import Answer, ProblemError
from gateway.core.records import Outcome, State
from gateway.core.reports import Counts
from translators.faults import Fault
from trust.receipt_proof import ReceiptBundle


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with the outcomes of all its messages."""

    answer: Answer
    outcomes: tuple[Outcome, ...]
    bundle: ReceiptBundle | None = None
    """The receipt with what proves it, when it was asked for."""

    @property
    def good(self) -> bool:
        """True when nothing was refused, neither a message nor the document as a whole."""
        return self.answer.status is State.ACCEPTED and not self.answer.refused


def as_json(sent: Sent) -> str:
    """One object: what the receipt says, whether it is proved, and every outcome."""
    claims = sent.answer.claims
    told = {
        "interchange_id": claims.interchange_id,
        "status": claims.status,
        "gateway": claims.gateway,
        "party": claims.party,
        "record": claims.record,
        "format": claims.format,
        "accepted": claims.accepted,
        "refused": claims.refused,
        "received_at": claims.received_at,
        "digest": claims.digest,
        "size": claims.size,
        "proved": sent.answer.proved,
        "repeated": sent.answer.repeated,
        "receipt": sent.answer.receipt,
        "outcomes": sent.outcomes,
    }
    return msgspec.json.encode(told).decode()


def print_answer(sent: Sent, reached: Access, *, console: Console) -> None:
    """A summary of the receipt, every fault, and where to look next."""
    claims, again = sent.answer.claims, shlex.join(reached.options)
    total = claims.accepted + claims.refused
    counted = f"{claims.accepted} of {total} {'message' if total == 1 else 'messages'} accepted"
    console.print(
        f"{counted if total else 'The document as a whole was refused'}"
        f" as {claims.interchange_id} by {claims.gateway}"
        f"{' before' if sent.answer.repeated else ''}",
        style="green" if sent.good else "yellow" if claims.accepted else "red",
        markup=False,
        highlight=False,
    )
    proof = "proved" if sent.answer.proved else "not proved (no key of the gateway was given)"
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("receipt", f"record {claims.record}, {proof}"),
        ("received", f"{claims.received_at:%Y-%m-%d %H:%M:%S %Z}, {claims.size} bytes"),
        ("digest", f"SHA-256 {claims.digest}"),
    ):
        table.add_row(name, Text(value))
    console.print(table)
    lost = in_words(_lost(sent.outcomes))
    if lost:
        where = f"luxor report {claims.interchange_id} {again}"
        console.print(
            f"Not simply carried: {lost}. Which values, and why: {where}",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    warned = [outcome for outcome in sent.outcomes if outcome.faults]
    if warned:
        console.print(fault_table(_rows(warned)))
    if claims.accepted:
        console.print(
            f"Look next: luxor trace {claims.interchange_id} {again}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print("Nothing was kept under this id: repair the file and send it again.")


def _lost(outcomes: Iterable[Outcome]) -> Counts:
    found = [counts_of(outcome) for outcome in outcomes]
    return Counts(
        not_carried=sum(counts.not_carried for counts in found),
        defaulted=sum(counts.defaulted for counts in found),
        contradicting=sum(counts.contradicting for counts in found),
    )


def print_problem(error: ProblemError, interchange_id: str, *, json_output: bool) -> None:
    """Why the whole interchange was refused before its messages were judged."""
    if json_output:
        told = {
            "interchange_id": interchange_id,
            "status": "refused",
            "code": error.code,
            "title": error.title,
            "detail": error.detail,
            "faults": error.faults,
        }
        click.echo(msgspec.json.encode(told).decode())
        return
    console = Console(stderr=True)
    console.print(f"Refused: {error.title} ({error.code})", style="red", markup=False)
    if error.detail and error.detail != error.title:
        console.print(error.detail, markup=False)
    if error.faults:
        console.print(fault_table(("all", fault) for fault in error.faults))


def fault_table(rows: Iterable[tuple[str, Fault]]) -> Table:
    """Faults with the message that they belong to."""
    table = Table(
        Column("message", overflow="fold"),
        Column("path", overflow="fold"),
        Column("line", no_wrap=True),
        Column("code", no_wrap=True),  # what is looked up is never cut
        "what",
        title="Faults",
        title_justify="left",
    )
    for message, fault in rows:
        colour = "red" if fault.refuses else "yellow"
        table.add_row(
            Text(message),
            Text(fault.path or fault.source_path or ""),
            "" if fault.line is None else str(fault.line),
            Text(f"{fault.code}\n({fault.severity})", style=colour),
            Text(fault.detail),
        )
    return table


def _rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, Fault]]:
    """Refused messages first, then those with warnings only."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.status is not State.REFUSED)
    for outcome in ordered:
        name = outcome.key or (str(outcome.ordinal) if outcome.ordinal else "all")
        for fault in outcome.faults:
            yield name, fault
