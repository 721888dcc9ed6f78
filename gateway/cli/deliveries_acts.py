"""``luxor deliveries retry|bury|skip``: acts of an operator, on one message or on many."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import msgspec

from gateway.cli.choosing import chosen_of, has_conditions, message_named, with_conditions
from gateway.cli.journals import check_destination, configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.config import Config
from gateway.core.deliveries import Act, Chosen, Deed
from gateway.core.ports import Journal
from gateway.pipeline.deliveries import Counts, Summary, carry_out, count, meant

NOTHING = 1
_TOLD_EVERY = 5_000
"""Deliveries between two lines about how far it is."""
_DONE = {Act.RETRY: "tried again", Act.BURY: "buried", Act.SKIP: "skipped"}

F = TypeVar("F", bound=Callable[..., Any])


def _common(command: F) -> F:
    for option in reversed(
        (
            click.argument("target", required=False),
            config_option(),
            with_conditions,
            click.option("--all", "everything", is_flag=True, help="All that there is."),
            click.option("--by", help="Your name in the trace; otherwise your user name here."),
            click.option("--dry-run", is_flag=True, help="Only say how many it would be."),
            click.option("--yes", is_flag=True, help="Do not ask."),
            json_option(),
        )
    ):
        command = option(command)
    return command


_EXIT = """
Exit status: 0 done, 1 the message that was named was left as it is, or the journal can not be used
now, 2 wrong usage, or it was not confirmed."""


@click.command(
    epilog=f"""\b
Examples:
  luxor deliveries retry risk --config gateway.toml
  luxor deliveries retry 00000000-1234-8abc-9def-000000000001
  luxor deliveries retry --code attempts.exhausted --since 2026-11-21 --yes
  luxor deliveries retry --destination risk --kind Order --dry-run

\b{_EXIT}"""
)
@_common
@click.option("--reason", default="asked for", show_default=True, help="Why, for the trace.")
def retry(**options: Any) -> None:
    """Put buried and retrying deliveries back to work: of a destination, a message, or many.

    TARGET is a destination or a message id. A running gateway takes it up within a moment,
    otherwise the next one that starts. What is refused again is buried again.
    """
    _run(Act.RETRY, options)


@click.command(
    epilog=f"""\b
Examples:
  luxor deliveries bury 00000000-1234-8abc-9def-000000000001 --reason "asked by customs"
  luxor deliveries bury --destination risk --kind Order --reason "wrong route" --yes

\b{_EXIT}"""
)
@_common
@click.option("--reason", required=True, help="Why, for the trace.")
def bury(**options: Any) -> None:
    """Try deliveries no more, until they are retried or skipped.

    TARGET is a destination or a message id. Later messages about the same item wait too.
    """
    _run(Act.BURY, options)


@click.command(
    epilog=f"""\b
Examples:
  luxor deliveries skip 00000000-1234-8abc-9def-000000000001 --reason "sent by hand" --yes
  luxor deliveries skip --code translation.failed --until 2026-11-21 --reason "obsolete" --dry-run

\b{_EXIT}"""
)
@_common
@click.option("--reason", required=True, help="Why, for the trace.")
def skip(**options: Any) -> None:
    """Give deliveries up for ever, so that later messages about the same item go on.

    TARGET is a destination or a message id; of many, buried ones are meant. The message stays in
    the journal, and the trace says who skipped it and why. It can not be undone.
    """
    _run(Act.SKIP, options)


def _run(act: Act, options: dict[str, Any]) -> None:
    config = configured(options["file"])
    chosen = _chosen(act, options, config)
    try:
        deed = Deed(act=act, by=options["by"] or getpass.getuser(), reason=options["reason"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if options["dry_run"]:
        _tell_count(with_journal(config, _counting(chosen)), act, as_json=options["as_json"])
        return
    if _must_ask(act, chosen, options):
        _ask(with_journal(config, _counting(chosen)), act, as_json=options["as_json"])

    async def work(journal: Journal) -> Summary:
        return await carry_out(
            journal.deliveries, chosen, deed, clock=lambda: datetime.now(UTC), progress=_progress
        )

    summary = with_journal(config, work)
    _tell(summary, act, options)
    if chosen.message is not None and not summary.done:
        sys.exit(NOTHING)


def _chosen(act: Act, options: dict[str, Any], config: Config) -> Chosen:
    """What is meant by the target and the conditions; raises ``click.UsageError``."""
    target: str | None = options["target"]
    message = None if target is None else message_named(target)
    if target is not None and message is None:
        if options["destination"] is not None:
            raise click.UsageError("the destination is there twice")
        options["destination"] = target
    if target is None and not has_conditions(options) and not options["everything"]:
        raise click.UsageError("name a message, a destination or conditions, or say --all")
    check_destination(options["destination"], config)
    return meant(chosen_of(options, message=message), act)


def _must_ask(act: Act, chosen: Chosen, options: dict[str, Any]) -> bool:
    """One message may be retried or buried without a question, and a destination retried."""
    if options["yes"]:
        return False
    if act is Act.SKIP:
        return True
    return chosen.message is None and not (act is Act.RETRY and options["target"] is not None)


def _counting(chosen: Chosen) -> Callable[[Journal], Any]:
    async def look(journal: Journal) -> Counts:
        return await count(journal.deliveries, chosen)

    return look


def _ask(counts: Counts, act: Act, *, as_json: bool) -> None:
    """Raises ``click.UsageError`` when it is not confirmed, or nobody can be asked."""
    more = "" if counts.complete else " and more"
    if as_json or not sys.stdin.isatty():
        raise click.UsageError(f"{counts.total}{more} deliveries: confirm with --yes")
    if not click.confirm(f"{counts.total}{more} deliveries would be {_DONE[act]}. Go on?"):
        raise click.UsageError("not confirmed; nothing was changed")


def _progress(summary: Summary) -> None:
    seen = summary.done + sum(summary.left_out.values())
    if summary.next is not None and seen // _TOLD_EVERY > (seen - 500) // _TOLD_EVERY:
        click.echo(f"{seen} deliveries looked at, {summary.done} changed", err=True)


def _tell_count(counts: Counts, act: Act, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(counts).decode())
        return
    for row in counts.by:
        code = f", {row.code}" if row.code else ""
        click.echo(f"  {row.destination}: {row.count} {row.state}{code}")
    more = "" if counts.complete else " and more"
    click.echo(f"{counts.total}{more} deliveries would be {_DONE[act]}; nothing was changed")


def _tell(summary: Summary, act: Act, options: dict[str, Any]) -> None:
    if options["as_json"]:
        told = {"act": act, "done": summary.done, "left_out": summary.left_out}
        if options["destination"] is not None:
            told["destination"] = options["destination"]
        if act is Act.RETRY:
            told["retried"] = summary.done
        click.echo(msgspec.json.encode({**told, "examples": summary.examples}).decode())
        return
    click.echo(f"{summary.done} deliveries are {_DONE[act]}")
    for why, number in summary.left_out.items():
        click.echo(f"{number} left as they are: {why}")
    for left in summary.examples:
        click.echo(f"  {left.message_id} to {left.destination}: {left.why}")
