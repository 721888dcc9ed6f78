"""The command ``luxor`` with a wrong clock: ``python -m tests.e2e.clocked SECONDS serve …``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.__main__ import main
from gateway.app import utc_now


def set_clock(off: timedelta) -> None:
    """Replace the clock wherever the composition root has taken it."""
    replaced: list[Any] = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("gateway.app") and getattr(module, "utc_now", None) is utc_now
    ]
    assert replaced, "nobody takes the time from the composition root"
    for module in replaced:
        module.utc_now = lambda: datetime.now(UTC) + off


if __name__ == "__main__":
    set_clock(timedelta(seconds=int(sys.argv.pop(1))))
    main()
