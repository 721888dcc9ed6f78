"""What a command prints can be read on a narrow terminal, and by programs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.tables import print_table

ROW = ("00000000-081a-8cd9-a100-000000000001", "partner", "", "2026-11-22 06:58:12")
REASON = "content.refused the receiver said at some length that it does not take this item"


def printed(width: int, *, terminal: bool) -> str:
    table = Table("message", "destination", "tries", "since", "reason")
    table.add_row(*ROW, Text(REASON))
    out = io.StringIO()
    print_table(table, console=Console(file=out, width=width, force_terminal=terminal))
    return Text.from_ansi(out.getvalue()).plain


def test_in_a_pipe_a_row_is_a_line_with_everything_in_it() -> None:
    (line,) = (each for each in printed(80, terminal=False).splitlines() if ROW[0] in each)
    assert all(value in line for value in (*ROW, REASON))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_on_a_narrow_terminal_each_value_has_its_line(width: int) -> None:
    first, *rest = (line.rstrip() for line in printed(width, terminal=True).splitlines())
    assert first == ROW[0]
    assert "  destination  partner" in rest
    assert "  since        2026-11-22 06:58:12" in rest
    assert not any("tries" in line for line in rest)  # it is empty
    assert " ".join(" ".join(rest).split()).endswith(f"reason {REASON}")
    assert max(map(len, rest)) <= width


def test_where_there_is_room_only_the_reason_is_folded() -> None:
    lines = printed(140, terminal=True).splitlines()
    assert max(map(len, lines)) <= 140
    (line,) = (each for each in lines if ROW[0] in each)
    assert all(value in line for value in ROW)
    assert REASON not in line
