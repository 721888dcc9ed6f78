"""Instants on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


class Instant(click.ParamType[datetime]):
    """``2027-01-31``, which is midnight UTC, or ``2027-01-31T12:00:00Z`` with a zone."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The instant in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2027-01-31T12:00:00Z", param, ctx)
        if len(str(value)) == len("2027-01-31"):
            found = found.replace(tzinfo=UTC)
        if found.tzinfo is None:
            self.fail(f"{value!r} needs a zone, such as Z at its end", param, ctx)
        try:
            return found.astimezone(UTC)
        except OverflowError:
            self.fail(f"{value!r} is out of range", param, ctx)


INSTANT = Instant()


def shown(seconds: int) -> str:
    """Seconds since 1970 for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
