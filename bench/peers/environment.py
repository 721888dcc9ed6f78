"""The environment of the peers, below ``var/peers``: never ours, and nothing of it is shipped.

Python's packages are installed from ``requirements.txt`` with hashes, Node's from
``package-lock.json``; again only when those files change.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "var/peers"
PYTHON = FOLDER / "python"
NODE = FOLDER / "node"
INTERPRETER = PYTHON / "bin/python"
THREADS = 2
"""Of the one worker of a peer in Python."""
GUNICORN = f"gunicorn, one worker of {THREADS} threads, connections kept"
_STAMP = ".installed"
_INSTALL_SECONDS = 300.0
_NODE_FILES = ("package.json", "package-lock.json", ".npmrc")


class NotInstalled(Exception):
    """What failed, in one line."""


def python() -> Path:
    """The folder of the Python environment, made when it is not there. Raises `NotInstalled`."""
    requirements = HERE / "requirements.txt"
    if _fresh(PYTHON, requirements):
        return PYTHON
    shutil.rmtree(PYTHON, ignore_errors=True)
    uv = str(Path(sys.executable).parent / "uv")
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(PYTHON)])
    into = ["--python", str(INTERPRETER)]
    _run([uv, "pip", "install", "--quiet", *into, "--require-hashes", "-r", str(requirements)])
    for module in PYTHON.glob("lib/python*/site-packages/oscrypto/_openssl/_libcrypto_c*.py"):
        module.write_text(with_long_versions(module.read_text("utf-8")), "utf-8")
    _stamp(PYTHON, requirements)
    return PYTHON


def with_long_versions(source: str) -> str:
    """oscrypto's reading of OpenSSL's version, so that it knows 3.0.10 and later.

    oscrypto 1.3.0 does not start with them, and with it django-pyas2. Its maintainers have
    corrected the expression, but not released it (wbond/oscrypto, issue 78).
    """
    return source.replace(r"(\\d\\.\\d\\.\\d[a-z]*)", r"(\\d\\.\\d\\.\\d+[a-z]*)")


def node() -> Path:
    """The folder of the Node modules, made when it is not there. Raises `NotInstalled`."""
    lock = HERE / "package-lock.json"
    if _fresh(NODE, lock):
        return NODE
    shutil.rmtree(NODE, ignore_errors=True)
    NODE.mkdir(parents=True)
    for name in _NODE_FILES:
        shutil.copy(HERE / name, NODE / name)
    _run(["npm", "ci", "--ignore-scripts", "--omit=dev", "--loglevel=error"], cwd=NODE)
    _stamp(NODE, lock)
    return NODE


def gunicorn(application: str, port: int) -> list[str | Path]:
    """How one worker serves that application to this machine alone. Raises `NotInstalled`."""
    return [
        *(python() / "bin/gunicorn", "--bind", f"127.0.0.1:{port}"),
        *("--workers", "1", "--worker-class", "gthread", "--threads", f"{THREADS}"),
        *("--log-level", "error", application),
    ]


def python_version(distribution: str) -> str:
    """The version of a distribution that is installed. Raises `NotInstalled`."""
    name = re.sub(r"[-_.]+", "[-_.]", distribution)
    for folder in python().glob("lib/python*/site-packages/*.dist-info"):
        found = re.fullmatch(rf"{name}-(.+)\.dist-info", folder.name, re.IGNORECASE)
        if found is not None:
            return found[1]
    raise NotInstalled(f"{distribution} is not there")


def node_version(module: str) -> str:
    """The version of a module that is installed. Raises `NotInstalled`."""
    description = node() / "node_modules" / module / "package.json"
    return str(json.loads(description.read_text("utf-8"))["version"])


def _fresh(folder: Path, lock: Path) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text("utf-8") == _digest(lock)


def _stamp(folder: Path, lock: Path) -> None:
    (folder / _STAMP).write_text(_digest(lock), "utf-8")


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _run(command: Sequence[str], *, cwd: Path | None = None) -> None:
    name = f"{Path(command[0]).name} {command[1]}"
    print(f"{name}, below var/peers", file=sys.stderr)
    try:
        done = subprocess.run(  # noqa: S603 - the commands are those above
            command, cwd=cwd, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{name}: {type(error).__name__}") from error
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        raise NotInstalled(f"{name} ended with {done.returncode}")
