"""Options that mean the same in every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_CONFIG = Path("gateway.toml")


def config_option(
    told: str = "The gateway's configuration; it may be running.",
) -> Callable[[F], F]:
    """``--config FILE``, which the command takes as ``file``."""
    return click.option(
        "--config",
        "file",
        type=click.Path(dir_okay=False, path_type=Path),
        default=DEFAULT_CONFIG,
        show_default=True,
        help=told,
    )


def json_option(told: str = "Print JSON.") -> Callable[[F], F]:
    """``--json``, which the command takes as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help=told)
