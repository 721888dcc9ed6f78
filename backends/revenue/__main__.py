"""``python -m backends.revenue --config FILE``."""

from __future__ import annotations

from pathlib import Path

from backends.revenue.figures import count
from backends.service.command import Program, command


def load(file: Path) -> Program:
    """The program of a configuration file; raises ``ConfigurationError``."""
    from backends.revenue.desk import RevenueSettings, build
    from backends.service.configuration import read_settings
    from backends.service.process import check, serve

    settings, own = read_settings(file, "revenue", RevenueSettings)
    desk = build(settings, own)
    return Program(check=lambda: check(settings), serve=lambda: serve(settings, desk))


if __name__ == "__main__":
    command("revenue", load=load, count=count)()
