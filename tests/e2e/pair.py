"""Two gateway processes on one journal, as workers of one gateway are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.network import CONFIG, GatewayProcess

POLL = 1.0
"""The default: what is promised is promised for it."""


@contextlib.contextmanager
def pair(
    folder: Path, certs: Path, *changes: str
) -> Iterator[tuple[GatewayProcess, GatewayProcess]]:
    """Both serve on ports of their own and deliver into ``folder/archive``.

    ``changes`` are values of the configuration, as ``--set`` takes them.
    """
    (folder / "archive").mkdir(parents=True)
    config = (
        CONFIG.replace("number = 1\n", f'number = 1\ndata = "{folder}/data"\n')
        .replace("poll = 0.2", f"poll = {POLL}")
        .replace('address = "archive"', f'address = "{folder}/archive"')
    )
    workers = [GatewayProcess(folder / name, certs, config) for name in ("one", "two")]
    try:
        for worker in workers:
            worker.start(*changes)
        yield workers[0], workers[1]
    finally:
        for worker in workers:
            worker.stop()


def delivered(folder: Path) -> list[Path]:
    """What has arrived in the archive."""
    return sorted((folder / "archive").glob("*.json"))
