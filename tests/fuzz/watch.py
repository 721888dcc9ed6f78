"""What a fuzzing process does with each input: judged, timed, and kept when it breaks a law.

The input under judgement stands in a file that is mapped into memory, so that it outlives a
process which the kernel ends.
"""

from __future__ import annotations

import hashlib
import mmap
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.target import Broken

SLOW_SECONDS = 1.0
"""CPU time that no input may take."""
MAX_INPUT_BYTES = 65_536
MAX_FINDINGS = 20
"""Different ones, by type and place, that a round keeps of one target."""
REASON = ".txt"
_HEAD = 16


class Watch:
    """Counts runs and remembers the last input, in a file that parent and child share."""

    def __init__(self, folder: Path, *, room: int = 16 * MAX_INPUT_BYTES) -> None:
        """``folder`` takes findings; ``room`` bounds the input that is remembered."""
        self._folder = folder
        self._room = room
        self._known: set[str] = set()
        with (folder / "current").open("w+b") as file:
            file.truncate(_HEAD + room)
            self._map = mmap.mmap(file.fileno(), _HEAD + room)

    @property
    def runs(self) -> int:
        """How many inputs were judged, the last one included."""
        return int.from_bytes(self._map[:8])

    @property
    def current(self) -> bytes:
        """The input that was judged last."""
        return self._map[_HEAD : _HEAD + int.from_bytes(self._map[8:_HEAD])]

    def over(self, judge: Callable[[bytes], object]) -> Callable[[bytes], None]:
        """The judge, for whom an input that takes too long is broken too; nothing comes out."""
        count = 0

        def one(data: bytes) -> None:
            nonlocal count
            count += 1
            kept = data[: self._room]
            self._map[_HEAD : _HEAD + len(kept)] = kept
            self._map[:_HEAD] = count.to_bytes(8) + len(kept).to_bytes(8)
            begun = time.process_time()
            try:
                judge(data)
                took = time.process_time() - begun
                if took > SLOW_SECONDS:
                    raise Broken(f"{took:.1f} s of CPU for one input")
            except Exception as error:
                self._keep(data, error)

        return one

    def _keep(self, data: bytes, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} {last.filename}:{last.lineno}"
        if place not in self._known and len(self._known) < MAX_FINDINGS:
            self._known.add(place)
            note(self._folder, data, "".join(traceback.format_exception(error, limit=-8)))


def note(folder: Path, data: bytes, reason: str) -> Path:
    """Write a finding and why it is one; the file."""
    file = folder / f"finding-{hashlib.sha256(data).hexdigest()[:16]}"
    file.write_bytes(data)
    file.with_name(file.name + REASON).write_text(reason, "utf-8", "replace")
    return file
