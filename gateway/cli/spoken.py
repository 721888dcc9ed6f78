"""The formats that a command knows: those of the package, of layout files, of a configuration."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.config import ConfigError, load
from gateway.config.assemble import formats_of, regimes_of
from gateway.config.layouts import read_layout, repeated
from gateway.regimes import standard as standard_rules
from translators.layout import LayoutError, LayoutTranslator, Mistake
from translators.registry import Registry, standard
from translators.translator import FormatId, Translator

_USAGE = 2

_layouts = click.option(
    "--layout",
    "layouts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A layout file that adds a format; may be given several times.",
)
_config = click.option(
    "--config",
    "config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A gateway's configuration; its [[format]] are known too.",
)


class Spoken:
    """Every format there is; ``own`` are those of the layout files that were given. ``regimes``
    are the rules of the configuration, or those that hold everywhere."""

    def __init__(self, layouts: tuple[Path, ...], config: Path | None) -> None:
        """Raises :class:`LayoutError` or :class:`ConfigError` with every mistake."""
        loaded = None if config is None else load(config)
        known = standard() if loaded is None else formats_of(loaded)
        self.regimes = standard_rules() if loaded is None else regimes_of(loaded)
        own: list[tuple[Path, LayoutTranslator]] = []
        mistakes: list[Mistake] = []
        for path in layouts:
            try:
                own.append((path, read_layout(path)))
            except LayoutError as error:
                mistakes += error.mistakes
        mistakes += [mistake for _, mistake in repeated(own)]
        if mistakes:
            raise LayoutError(mistakes)
        self.own = tuple(found for _, found in own)
        self.registry = Registry([*known, *self.own])

    def get(self, name: str | None) -> Translator:
        """The format of that id, without one that of the only layout file; else a usage error."""
        if name is None:
            if len(self.own) == 1:
                return self.own[0]
            raise click.UsageError("name a format, or give one with --layout FILE")
        translator = self.registry.find(FormatId(name))
        if translator is None:
            known = ", ".join(sorted(entry.id for entry in self.registry))
            raise click.UsageError(f"there is no format {name}; there are {known}")
        return translator


def with_formats(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--layout`` and ``--config``; it gets ``spoken``.

    Mistakes in a layout are printed as ``file:line: …``, and the exit status is 2.
    """

    @_layouts
    @_config
    @functools.wraps(command)
    def run(layouts: tuple[Path, ...], config: Path | None, **options: Any) -> None:
        try:
            spoken = Spoken(layouts, config)
        except (LayoutError, ConfigError) as error:
            click.echo(str(error), err=True)
            sys.exit(_USAGE)
        command(spoken=spoken, **options)

    return run
