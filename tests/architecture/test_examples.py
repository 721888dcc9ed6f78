"""The short form tries the same examples in every run: whatever seeds the hashes of texts, and
whichever other modules the process has loaded."""

from __future__ import annotations

import os
import subprocess
import sys

DRAWING = """
import hashlib, sys
for name in sys.argv[1:]:
    __import__(name)
from tests.examples import make_repeatable
make_repeatable()
from hypothesis import given
from tests.formats import every_format
from tests.strategies import headers, tried
from tests.variations import expressible
from translators.canonical import Interchange
from translators.translator import encode

seen = hashlib.sha256()
for format_id in ("upu.itmatt.1", "luxor.json.1"):
    (translator,) = [each for each in every_format() if each.id == format_id]

    @tried(10)
    @given(interchange=expressible(translator, sorted(translator.kinds)[0]), header=headers())
    def law(interchange, header):
        seen.update(encode(translator, interchange))
        seen.update(repr(header).encode("utf-8", "backslashreplace"))

    law()
print(seen.hexdigest())
"""


def drawn(hash_seed: str, *modules: str) -> str:
    """What identifies the examples that a process of its own tries."""
    done = subprocess.run(
        [sys.executable, "-c", DRAWING, *modules],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "LUXOR_FUZZ": "1"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return done.stdout.decode().strip()


def test_two_processes_try_the_same_examples() -> None:
    assert drawn("1") == drawn("2", "gateway.demo.scenario", "backends.risk.matching")
