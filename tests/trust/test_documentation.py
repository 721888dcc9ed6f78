"""What the documentation says about codes is what the package raises."""

from __future__ import annotations

import re
from pathlib import Path

from trust.errors import CODES

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"


def test_the_page_lists_every_code_with_its_meaning() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+\.[a-z-]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )

    assert dict(rows) == dict(CODES)
