"""``luxor codes``: what every code in an answer means."""

from __future__ import annotations

import tomllib
from importlib import resources

import click
import msgspec
from rich.console import Console
from rich.table import Table

from gateway.cli.options import json_option
from gateway.core.errors import problem_kinds


class Meaning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One code. ``http`` and ``grpc`` are set for those that decide about a whole request."""

    code: str
    meaning: str
    http: int | None = None
    grpc: str | None = None


def problems() -> list[Meaning]:
    """Codes of requests as a whole."""
    return [
        Meaning(
            code=code,
            meaning=f"{kind.title}. {kind.meaning}",
            http=kind.http,
            grpc=kind.grpc,
        )
        for code, kind in problem_kinds().items()
    ]


def faults() -> list[Meaning]:
    """Codes of single messages: of form and format, then of the gateway's own rules."""
    found = []
    for package, file in (
        ("translators", "codes/faults.toml"),
        ("gateway.core", "faults.toml"),
    ):
        text = resources.files(package).joinpath(*file.split("/")).read_text("utf-8")
        rows = tomllib.loads(text)["code"]
        found += [Meaning(code=code, meaning=row["meaning"]) for code, row in rows.items()]
    return found


def reference() -> str:
    """All codes as a page in Markdown."""
    lines = [
        "# Codes",
        "",
        "Made by `luxor codes --markdown`. A request that dies as a whole gets a problem document",
        "(RFC 9457) whose `code` is in the first table, or the gRPC status beside it. Faults of",
        "single messages stand in the outcome list with their canonical path; they refuse their",
        "message unless their severity is `warning`. Severities can be changed by configuration.",
        "",
        "## Whole requests",
        "",
        "| code | HTTP | gRPC | meaning |",
        "|---|---|---|---|",
        *(f"| `{row.code}` | {row.http} | {row.grpc} | {row.meaning} |" for row in problems()),
        "",
        "## Single messages",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| `{row.code}` | {row.meaning} |" for row in faults()),
        "",
    ]
    return "\n".join(lines)


@click.command(
    epilog="""\b
Examples:
  luxor codes
  luxor codes s10.check-digit
  luxor codes --json"""
)
@click.argument("prefix", required=False, default="")
@json_option()
@click.option("--markdown", is_flag=True, help="Print the page docs/faults.md.")
def codes(prefix: str, as_json: bool, markdown: bool) -> None:  # noqa: FBT001 - click options
    """Say what the codes in answers mean, all of them or those that begin with PREFIX."""
    if markdown:
        click.echo(reference(), nl=False)
        return
    rows = [row for row in (*problems(), *faults()) if row.code.startswith(prefix)]
    if not rows:
        raise click.UsageError(f"no code begins with {prefix}")
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table("code", "HTTP", "gRPC", "meaning")
    for row in rows:
        table.add_row(row.code, "" if row.http is None else str(row.http), row.grpc, row.meaning)
    Console().print(table)
