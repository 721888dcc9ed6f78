"""What a run ran on: processors, versions, the commit. No name and no path of the machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

from lxml import etree

ROOT: Final = Path(__file__).parents[1]
DISTRIBUTIONS: Final = (
    "aiohttp",
    "uvloop",
    "lxml",
    "msgspec",
    "cryptography",
    "grpcio",
    "protobuf",
)


def describe() -> dict[str, str]:
    """What a reader needs to compare figures, by name."""
    return {
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        **{name: version(name) for name in DISTRIBUTIONS},
        "libxml2": ".".join(map(str, etree.LIBXML_VERSION)),
        "SQLite": sqlite3.sqlite_version,
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def commit() -> str:
    """The commit that is measured; with a ``+`` when files differ from it."""
    found = _git("rev-parse", "--short=10", "HEAD")
    if not found:
        return "no commit"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results")
    return found + ("+" if changed else "")


def _git(*words: str) -> str:
    # What git says about this very folder; the words are those above.
    done = subprocess.run(  # noqa: S603
        ["git", *words],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
