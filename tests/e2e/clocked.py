"""The command ``luxor`` with a wrong clock: ``python -m tests.e2e.clocked SECONDS serve …``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway import app as _app
from gateway.__main__ import main

app: Any = _app
"""Its clock is replaced, which types do not allow for."""


if __name__ == "__main__":
    off = timedelta(seconds=int(sys.argv.pop(1)))
    app.utc_now = lambda: datetime.now(UTC) + off
    main()
