"""``python -m backends.risk --config FILE``."""

from __future__ import annotations

from pathlib import Path

from backends.risk.figures import count
from backends.service.command import Program, command


def load(file: Path) -> Program:
    """The program of a configuration file; raises ``ConfigurationError``."""
    from backends.risk.desk import RiskSettings, build
    from backends.service.configuration import read_settings
    from backends.service.process import check, serve

    settings, own = read_settings(file, "risk", RiskSettings)
    desk = build(settings, own)
    return Program(check=lambda: check(settings), serve=lambda: serve(settings, desk))


if __name__ == "__main__":
    command("risk", load=load, count=count)()
