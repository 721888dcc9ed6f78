"""Which deliveries a command means: the same conditions for listing, counting and acting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from gateway.cli.instants import INSTANT
from gateway.core.deliveries import OPEN, Chosen
from gateway.core.identifiers import MessageId, resolve
from gateway.core.records import LegState

_ALL = "all"
_CONDITIONS = ("destination", "states", "since", "until", "code", "key", "kind", "route", "lane")

F = TypeVar("F", bound=Callable[..., Any])


def with_conditions(command: F) -> F:
    """Options that choose deliveries; :func:`chosen_of` reads them."""
    for option in reversed(
        (
            click.option("--destination", help="Only those of this destination."),
            click.option(
                "--state",
                "states",
                type=click.Choice([*sorted(state.value for state in OPEN), _ALL]),
                multiple=True,
                help="Only those in this state; may be given again.",
            ),
            click.option(
                "--since",
                type=INSTANT,
                help="Last tried (where never, accepted) then or later.",
            ),
            click.option("--until", type=INSTANT, help="Last tried or accepted before then."),
            click.option("--code", help="With this code of the last attempt; a glob."),
            click.option("--key", help="About this item, order, declaration or indicator."),
            click.option("--kind", help="Messages of this kind; a glob."),
            click.option("--route", help="By this route."),
            click.option("--lane", type=click.IntRange(0, 3), help="In this lane; 0 is urgent."),
        )
    ):
        command = option(command)
    return command


def has_conditions(options: dict[str, Any]) -> bool:
    """Whether any condition was given."""
    return any(options[name] not in (None, ()) for name in _CONDITIONS)


def chosen_of(
    options: dict[str, Any],
    *,
    usual: frozenset[LegState] = OPEN,
    message: MessageId | None = None,
) -> Chosen:
    """The filter that the options say; ``usual`` states where none are named."""
    named: tuple[str, ...] = options["states"]
    states = usual
    if named:
        states = OPEN if _ALL in named else frozenset(map(LegState, named))
    since: datetime | None = options["since"]
    until: datetime | None = options["until"]
    return Chosen(
        destination=options["destination"],
        states=states,
        since=since,
        until=until,
        code=options["code"],
        key=options["key"],
        kind=options["kind"],
        route=options["route"],
        lane=options["lane"],
        message=message,
    )


def message_named(value: str) -> MessageId | None:
    """The message id that a word is; ``None`` for another word."""
    return None if resolve(value) is None else MessageId(value)
