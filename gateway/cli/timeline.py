"""A history on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from gateway.cli.story import Said, Scene, Try, Way, in_words
from gateway.core.records import State
from translators.faults import Fault

_WITHHELD_SHOWN = 6
_COLOURS = {
    "delivered": "green",
    "skipped": "yellow",
    "buried": "red",
    "retrying": "yellow",
    "retry": "yellow",
    "waiting": "cyan",
    "leased": "cyan",
}


def print_story(value: str, scenes: Iterable[Scene], console: Console) -> None:
    """The whole history in order, answers under what they regard."""
    tree = Tree(Text(value, style="bold"), guide_style="dim")
    for scene in scenes:
        _add(tree, scene, top=True)
    console.print(tree)


def _add(tree: Tree, scene: Scene, *, top: bool) -> None:
    said = scene.said
    branch = tree.add(_heading(said))
    for line in _lines(said, top=top):
        branch.add(line)
    for fault in said.faults:
        branch.add(_fault(fault))
    if lost := in_words(said.counts):
        branch.add(Text(f"reading it: {lost}", style="yellow"))
    for way in said.ways:
        _way(branch, way)
    for answer in scene.answers:
        _add(branch, answer, top=False)


def _heading(said: Said) -> Text:
    text = Text()
    text.append(_time(said.at), style="dim")
    text.append(f"  {said.party or 'another party'}", style="bold")
    if said.on_behalf_of:
        text.append(f" for {said.on_behalf_of}")
    text.append(f"  {said.kind or 'content'}")
    if said.key:
        text.append(f" {said.key}")
    if said.function:
        text.append(f" {said.function}")
    if said.version is not None:
        text.append(f" {said.version}")
    if said.status == State.REFUSED:
        text.append("  refused", style="bold red")
    elif said.summary:
        text.append(f"  {said.summary}", style="bold")
    return text


def _lines(said: Said, *, top: bool) -> Iterable[Text]:
    sent = f"in {said.interchange_id}"
    if said.ordinal:
        sent += f", message {said.ordinal}"
    if said.format:
        sent += f", {said.format} over {said.transport}"
    if said.gateway:
        sent += f", at {said.gateway}"
    yield Text(sent, style="dim")
    if said.message_id:
        yield Text(f"id {said.message_id}", style="dim")
    if said.removed:
        yield Text(said.removed, style="yellow")
    if said.regards and top:
        yield Text(f"regards {said.regards}", style="dim")
    if said.subjects and top:
        yield Text(f"about {', '.join(said.subjects)}", style="dim")


def _fault(fault: Fault) -> Text:
    line = f", line {fault.line}" if fault.line is not None else ""
    where = fault.path or fault.source_path or ""
    text = Text(f"{fault.severity}: ", style="red" if fault.refuses else "yellow")
    text.append(f"{fault.code} {where}{line}  {fault.detail}".rstrip())
    return text


def _way(branch: Tree, way: Way) -> None:
    text = Text("→ ")
    text.append(way.destination, style="bold")
    text.append(f"  {way.state}", style=_COLOURS.get(way.state, ""))
    leg = branch.add(text)
    for attempt in way.tries:
        leg.add(_attempt(attempt))


def _attempt(attempt: Try) -> Text:
    text = Text(f"{_time(attempt.at)}  ", style="dim")
    text.append(f"attempt {attempt.n} {attempt.result}", style=_COLOURS.get(attempt.result, ""))
    if attempt.receipt:
        text.append(", receipt kept")
    if attempt.code:
        text.append(f", {attempt.code}")
    if attempt.detail:
        text.append(f": {attempt.detail}")
    if attempt.withheld:
        shown = ", ".join(attempt.withheld[:_WITHHELD_SHOWN])
        more = len(attempt.withheld) - _WITHHELD_SHOWN
        text.append(f", withheld {shown}{f' and {more} more' if more > 0 else ''}")
    if lost := in_words(attempt.counts):
        text.append(f", {lost}", style="yellow")
    return text


def _time(at: datetime | None) -> str:
    return "time not told" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
