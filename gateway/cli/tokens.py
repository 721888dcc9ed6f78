"""The tokens that parties sign for an operator, as the commands read and write them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gateway.keys.errors import KeyUnusable
from gateway.keys.opening import Providers
from gateway.keys.ring import OwnSigner

MAX_TOKEN_BYTES = 65_536

token_argument = click.argument(
    "source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the token there instead of printing it.",
)


def open_key(reference: str, option: str, *, kid: str = "") -> OwnSigner:
    """The private key of a reference, as in a configuration: a PEM file or a token's URI."""
    try:
        return Providers(folder=Path(), environ=os.environ).open(reference, kid=kid)
    except KeyUnusable as error:
        raise click.UsageError(f"{option}: {error}") from error


def read_token(source: str) -> str:
    """The token of a file, or of standard input for ``-``; rubbish ends the command."""
    if source == "-":
        content = sys.stdin.buffer.read(MAX_TOKEN_BYTES + 1)
    else:
        with Path(source).open("rb") as file:
            content = file.read(MAX_TOKEN_BYTES + 1)
    if len(content) > MAX_TOKEN_BYTES or not content.isascii():
        raise click.ClickException(f"{source}: no token")
    return content.decode("ascii").strip()


def write_token(token: str, out: Path | None, *, note: str) -> None:
    """Print the token, or write it into the file and say so."""
    if out is None:
        print(token)
        return
    out.write_text(f"{token}\n", "ascii")
    print(f"{out}: {note}")
