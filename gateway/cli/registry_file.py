"""The file of a registry, as the commands of ``luxor party`` read and change it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from gateway.authority.files import put
from trust.errors import TrustError
from trust.identity import PartyId
from trust.members import Party
from trust.mistakes import RegistryError
from trust.party import Registry

Expected = Callable[[Registry], bool]
"""Whether a changed registry says what it should."""

registry_option = click.option(
    "--registry",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=Path("certs/luxor/registry.toml"),
    show_default=True,
    help="The registry, a TOML file.",
)


def parse(file: Path) -> Registry:
    """The registry of a file; raises ``RegistryError``."""
    return _parsed(file, file.read_text("utf-8"))


def load(file: Path) -> Registry:
    """The registry of a file; its mistakes end the command."""
    try:
        return parse(file)
    except RegistryError as error:
        raise click.ClickException(f"{file}:\n{error}") from error


def party_of(registry: Registry, identifier: str) -> Party:
    """The party of that id; that there is none ends the command."""
    try:
        return registry.party(PartyId(identifier))
    except TrustError as error:
        raise click.ClickException(f"{identifier}: {error.detail}") from error


def replace(file: Path, text: str, *, expect: Expected | None = None) -> Registry:
    """Put the new text in place, whole or not at all, if it is a good registry that says what is
    expected; otherwise the command ends."""
    try:
        registry = _parsed(file, text)
    except RegistryError as error:
        raise click.ClickException(f"not written:\n{error}") from error
    if expect is not None and not expect(registry):
        raise click.ClickException(f"{file} is written in a way that only a person can change")
    put(file, text.encode(), mode=file.stat().st_mode & 0o777)
    return registry


def certificate_row(file: Path, certificate: Path) -> str:
    """``[[party.key]]`` that names the file of a signing certificate, from the registry's folder
    where it lies below that."""
    place, folder = certificate.resolve(), file.parent.resolve()
    name = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place)
    return f"[[party.key]]\ncertificate = {json.dumps(name, ensure_ascii=False)}\n"


def _parsed(file: Path, text: str) -> Registry:
    return Registry.from_toml(text, lambda name: (file.parent / name).read_bytes())
