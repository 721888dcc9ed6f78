"""A group of commands whose list says of each command all of its first sentence."""

from __future__ import annotations

import click

_SENTENCE = 300
"""Characters of a sentence; click's own list cuts it at the end of the line."""


class Described(click.Group):
    """Like ``click.Group``, but nothing in its list of commands is cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its first sentence, on as many lines as that takes."""
        rows = [
            (name, command.get_short_help_str(_SENTENCE))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None and not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
