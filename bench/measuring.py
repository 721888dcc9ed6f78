"""One module of the bench in a process of its own: `python -m bench.measuring MODULE INTO SIZE`.

Whatever it holds, breaks or leaves behind ends with it; the next one begins with a clean process.
It writes what it finds to ``INTO`` line by line, so that nothing is lost when it fails later.
"""

from __future__ import annotations

import ast
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TextIO

import msgspec

from bench.results import Goal, Line, Measure, Told

HERE: Final = Path(__file__).parent
SIZES: Final = ("quick", "usual", "full")
GRACE_SECONDS: Final = 20.0
"""For a module that is interrupted to stop what it started."""


class Measures(Protocol):
    """A module with goals; with ``measure_full`` when it has a size beyond the usual."""

    measure: Measure


class Shows(Protocol):
    """A module that prints what things cost, for which no bar is set."""

    def show(self) -> None:
        """Print the figures of the usual size."""


def catalogue() -> dict[str, bool]:
    """The modules of the bench by name, and whether they have goals.

    They are the files of this folder that define ``measure(*, quick)``, or ``show()``.
    """
    defined = {path.stem: _defined(path) for path in sorted(HERE.glob("*.py"))}
    return {
        name: ("measure", ("quick",)) in functions
        for name, functions in defined.items()
        if functions & {("measure", ("quick",)), ("show", ())}
    }


def _defined(path: Path) -> set[tuple[str, tuple[str, ...]]]:
    """Functions of a module with the names of what they take."""
    return {
        (node.name, tuple(one.arg for one in (*node.args.args, *node.args.kwonlyargs)))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def told_by(name: str, size: str) -> Iterator[Told]:
    """What a module, by its dotted name, finds in a size."""
    module = importlib.import_module(name)
    if not hasattr(module, "measure"):
        shows: Shows = module
        shows.show()
        return
    if size == "full" and hasattr(module, "measure_full"):
        yield from module.measure_full()
        return
    measures: Measures = module
    yield from measures.measure(quick=size == "quick")


def measure(name: str, size: str, into: Path, *, seconds: float, output: TextIO) -> str:
    """Run a module in a process of its own; why it failed, or nothing.

    What it prints goes to ``output``. After so many seconds, or when this process is interrupted,
    it is interrupted too, so that it stops what it started; then it is killed with the rest.
    """
    process = subprocess.Popen(  # noqa: S603 - this Python, this module
        [sys.executable, "-m", "bench.measuring", name, str(into), size],
        cwd=HERE.parent,
        stdout=output,
        start_new_session=True,
    )
    try:
        returned = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"was not done after {seconds:.0f} seconds"
    finally:
        _end(process)
    return "" if returned == 0 else f"ended with {returned}"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):  # nothing of its session is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main(name: str, into: str, size: str) -> None:
    """Measure, and write a line for whatever is found."""
    with Path(into).open("ab") as file:
        for told in told_by(name, size):
            line = Line(goal=told) if isinstance(told, Goal) else Line(series=told)
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)  # as a shell tells it; what was found before is written
