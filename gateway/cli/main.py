"""The group of all commands. Each is imported when it is called, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import Any

import click

COMMANDS = {
    "serve": ("gateway.cli.serve", "serve", "run a gateway"),
    "restart": ("gateway.cli.restart", "restart", "replace the workers of a gateway"),
    "reload": ("gateway.cli.reload", "reload", "have a gateway load its changed configuration"),
    "ping": ("gateway.cli.ping", "ping", "test the way to a party's destinations"),
    "demo": ("gateway.cli.demo", "demo", "run the demonstration network"),
    "submit": ("gateway.cli.submit", "submit", "send a file to a gateway and check its receipt"),
    "trace": ("gateway.cli.trace", "trace", "the whole history of an item, order or interchange"),
    "clearance": ("gateway.cli.clearance", "clearance", "may an item go, and why"),
    "deliveries": ("gateway.cli.deliveries", "deliveries", "what is stuck, and trying it again"),
    "answers": ("gateway.cli.answers", "answers", "what was delivered and never answered"),
    "destinations": (
        "gateway.cli.destinations",
        "destinations",
        "how they stand, what waits for them, switching them",
    ),
    "db": ("gateway.cli.db", "db", "the journal's store: version, state, migration"),
    "report": ("gateway.cli.report", "report", "what of a message was not carried, and why"),
    "hold": ("gateway.cli.hold", "hold", "what must not be removed"),
    "losses": ("gateway.cli.losses", "losses", "which fields are lost how often, and where"),
    "quality": ("gateway.cli.quality", "quality", "how good the data of each party is"),
    "translate": ("gateway.cli.translate", "translate", "from one format to another"),
    "validate": ("gateway.cli.translate", "validate", "every fault of a file"),
    "formats": ("gateway.cli.formats", "formats", "the formats that are spoken"),
    "schema": ("gateway.cli.formats", "schema", "write a format's schema files"),
    "sample": ("gateway.cli.formats", "sample", "print a format's sample document"),
    "codes": ("gateway.cli.codes", "codes", "what the codes in answers mean"),
    "receipt": ("gateway.cli.receipt", "receipt", "prove a receipt offline, or get it again"),
    "evidence": ("gateway.cli.evidence", "evidence", "a package that proves who said what"),
    "xml": ("gateway.cli.xml_signature", "xml", "signatures inside XML documents"),
    "keys": ("gateway.cli.keys", "keys", "signing keys, in files or on tokens"),
    "certs": ("gateway.cli.certs", "certs", "the development PKI, requests, who expires when"),
    "authority": ("gateway.cli.authority", "authority", "an authority of one's own"),
    "party": ("gateway.cli.party", "party", "the registry of parties"),
}
"""Name → module, attribute, short help."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What writing to standard output may die of; a pipe that was closed is click's business."""


def _give_up_output() -> None:
    """Let what is still to be written go nowhere, or Python tries once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class LazyGroup(click.Group):
    """A group whose commands are modules that are not imported before they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: from what is used first to what is used last."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what can not be read or written is named, without a trace."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except OSError as error:
            if error.filename is None and error.errno in _FULL:
                _give_up_output()
                raise click.ClickException(f"Could not write: {error.strerror}") from error
            if error.filename is None:
                raise
            name = os.fsdecode(error.filename)
            raise click.FileError(name, hint=error.strerror) from error
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.command(
    cls=LazyGroup,
    epilog="Every command has --help with examples, and --json where it prints results.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="luxor-gateway")
def luxor() -> None:
    """Luxor: the gateway for the data of cross-border e-commerce.

    Begin with `luxor demo`, which runs a small network of posts, platforms and customs on this
    machine; then send a message of your own with `luxor submit`.
    """
