"""Translation from one format to another is a stream: its memory does not grow with the items.

Each is measured in a process of its own, where no earlier peak hides any growth, and by memory
alone: how long it takes decides nothing.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from gateway.cli.kept import Kept
from tests.translators.layout.test_streaming import LAYOUT, LongDocument
from translators.canonical import Message
from translators.registry import standard
from translators.translator import Entry, FormatId

ROOT = Path(__file__).parents[2]
FEW, MANY = 1_000, 10_000
GROWTH_KIB = 8 << 10
PAIRS = ["luxor.json.1", "upu.cusitm.1"]


def translate(target: str, items: int) -> int:
    """Translate so many items and throw away what is written; how many bytes that was."""

    def messages() -> Iterator[Message]:
        for reading in LAYOUT.read(cast("BinaryIO", LongDocument(items))):
            if isinstance(reading, Entry):
                assert reading.message is not None
                yield reading.message

    written = standard().get(FormatId(target)).write(LAYOUT.sample().header, messages())
    return sum(map(len, written))


def kib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 10 if sys.platform == "darwin" else peak


def growth(target: str) -> tuple[int, int, float]:
    """KiB by which the peak grows from few items to many, that peak, and µs for an item."""
    few = translate(target, FEW)
    before, begun = kib(), time.process_time()
    many = translate(target, MANY)
    spent = time.process_time() - begun
    assert many > 9 * few
    return kib() - before, kib(), spent / MANY * 1e6


@pytest.mark.parametrize("target", PAIRS)
def test_memory_stays_flat_from_a_thousand_items_to_ten_thousand(target: str) -> None:
    code = f"from {__name__} import growth; print(*growth({target!r}))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    grown, peak, micros = done.stdout.split()
    print(f"upu.itmatt.1 to {target}: {float(micros):.0f} µs an item, peak {int(peak) >> 10} MiB")
    assert int(grown) < GROWTH_KIB


COMMAND = """
import resource, sys
from gateway.__main__ import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.__stderr__)
"""


def commanded(folder: Path, items: int) -> tuple[int, int]:
    """Peak in KiB and exit status of ``luxor translate`` over so many items."""
    document = LongDocument(items)
    source = folder / f"{items}.xml"
    with source.open("wb") as file:
        while piece := document.read(1 << 16):
            file.write(piece)
    arguments = ["translate", str(source), "--from", "upu.itmatt.1", "--to", "luxor.json.1"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
    )
    peak = int(done.stderr.split()[-1])
    return peak >> 10 if sys.platform == "darwin" else peak, done.returncode


def test_the_command_streams_too(tmp_path: Path) -> None:
    few, first = commanded(tmp_path, FEW)
    many, second = commanded(tmp_path, MANY)

    assert (0, 0) == (first, second)
    assert many - few < GROWTH_KIB


def test_a_report_holds_the_first_and_counts_the_rest() -> None:
    kept = Kept[int](3)
    kept.extend(range(10))

    assert ([0, 1, 2], 3, 7) == (list(kept), len(kept), kept.more)
