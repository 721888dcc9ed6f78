"""The registry of a gateway as a command finds it: its file, or what its journal holds."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gateway.cli.journals import reading
from gateway.config import Config
from gateway.core.errors import Unavailable
from trust.mistakes import RegistryError
from trust.party import Registry


class _Stored(msgspec.Struct, frozen=True):
    """What of the journal's registry matters here."""

    registry: msgspec.Raw


def registry_of(file: Path, config: Config) -> Registry:
    """The registry of that configuration; raises ``click.ClickException``."""
    try:
        if config.registry.file is not None:
            path = config.path(config.registry.file)
            return Registry.from_toml(
                path.read_text("utf-8"), lambda name: (path.parent / name).read_bytes()
            )
        with reading(file) as (_, reader):
            document = reader.registry()
        if document is None:
            raise click.ClickException(f"{file}: the gateway has no registry yet")
        return Registry.from_json(bytes(msgspec.json.decode(document, type=_Stored).registry))
    except RegistryError as error:
        raise click.ClickException(f"the registry of {file}:\n{error}") from error
    except Unavailable as error:
        raise click.ClickException(f"{file}: {error.reason}") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise click.ClickException(f"{config.registry.file}: {reason}") from error
