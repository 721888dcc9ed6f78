"""What stands for as long as the process is not looked at again and again for garbage.

Layouts, tables and routes are some hundred thousand objects. Requests leave next to none behind
that reference counting does not free, but what they hold while they wait for the journal grows with
their number; with Python's own thresholds (700, 10, 10) that alone had a collector run every few
dozen requests.
"""

from __future__ import annotations

import gc

YOUNG = 10_000
"""Objects that are more than before, from which the youngest are looked at."""


def settle() -> None:
    """Leave out what stands now. To be called again when that has changed; takes some 100 ms."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
