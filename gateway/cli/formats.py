"""``luxor formats``, ``schema`` and ``sample``: what a format is, as data and for people."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from gateway.cli.options import json_option
from gateway.cli.spoken import Spoken, with_formats
from translators.canonical import Interchange
from translators.described import Described
from translators.layout import LayoutTranslator
from translators.translator import FormatId, Translator, encode


def described(translator: Translator) -> Described:
    """The format with its schema, sample and documentation."""
    if not isinstance(translator, Described):
        raise click.UsageError(f"{translator.id} has no schema, sample or documentation")
    return translator


@click.command(
    epilog="""\b
Examples:
  luxor formats
  luxor formats upu.itmatt.1
  luxor formats example.flat-items.1 --layout examples/layouts/example.flat-items.1.toml
  luxor formats --json"""
)
@click.argument("name", required=False)
@with_formats
@json_option()
def formats(name: str | None, spoken: Spoken, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """List the formats, or print the documentation of the format NAME."""
    rows = [
        {
            "id": translator.id,
            "title": translator.title,
            "kinds": sorted(translator.kinds),
            "decode": True,
            "encode": True,
            "media_types": list(translator.media_types),
            "standing": translator.standing,
            "drops": {kind: sorted(paths) for kind, paths in sorted(translator.drops.items())},
        }
        for translator in spoken.registry
        if name is None or translator.id == name
    ]
    if name is not None:
        text = described(spoken.get(name)).documentation()
        if as_json:
            click.echo(msgspec.json.encode({**rows[0], "documentation": text}).decode())
        elif sys.stdout.isatty():
            Console().print(Markdown(text))
        else:
            click.echo(text)
        return
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table("format", "carries", "standing", title="Formats, each in and out")
    for translator in spoken.registry:
        kinds = "every kind" if len(translator.kinds) > 10 else ", ".join(sorted(translator.kinds))
        table.add_row(translator.id, kinds, translator.standing)
    Console().print(table)


@click.command(
    epilog="""\b
Examples:
  luxor schema upu.itmatt.1 --out schemas
  luxor schema --layout my-orders.toml --out schemas
  luxor schema luxor.json.1 --out schemas --json"""
)
@click.argument("name", required=False)
@with_formats
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="this folder",
    help="Folder to write into; made when it is not there.",
)
@json_option("Print the list of files as JSON.")
def schema(name: str | None, spoken: Spoken, out: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Write the schema files of the format NAME (XSD or JSON Schema).

    NAME may be left out when --layout gives one format.
    """
    translator = described(spoken.get(name))
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for file, content in translator.schema().items():
        target = out / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(str(target))
    click.echo(msgspec.json.encode(written).decode() if as_json else "\n".join(written))


def _of_root(translator: Translator, root: str) -> Interchange:
    """The sample of one of several documents."""
    roots = translator.root_elements if isinstance(translator, LayoutTranslator) else ()
    names = [one.rpartition("}")[2] for one in roots]
    if not isinstance(translator, LayoutTranslator) or root not in names:
        known = ", ".join(names) or "none"
        raise click.UsageError(
            f"{translator.id} has no document element {root}; its elements are: {known}"
        )
    return translator.samples()[names.index(root)]


@click.command(
    epilog="""\b
Examples:
  luxor sample upu.itmatt.1
  luxor sample --layout my-orders.toml
  luxor sample eu.ics2.risk.2 --root IE4S01
  luxor sample upu.cusrsp.1 > response.xml"""
)
@click.argument("name", required=False)
@with_formats
@click.option("--root", help="Of a format with several documents: the document element.")
@json_option("Print the sample in canonical JSON.")
def sample(
    name: str | None,
    spoken: Spoken,
    root: str | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Print a sample document of the format NAME, with every line of it filled.

    NAME may be left out when --layout gives one format.
    """
    translator = spoken.get(name)
    interchange = described(translator).sample() if root is None else _of_root(translator, root)
    writer = spoken.registry.get(FormatId("luxor.json.1")) if as_json else translator
    sys.stdout.buffer.write(encode(writer, interchange))
    sys.stdout.buffer.flush()
