"""Targets with a known mistake, which show that a round finds one; no round takes them unasked."""

from __future__ import annotations

import os

from tests.fuzz.target import Prepared, Target


def _planted(mistake: str) -> Prepared:
    """Every input but the seed makes the mistake."""

    def judge(data: bytes) -> bool:
        if len(data) > 1 and data != b"aa":  # libFuzzer itself tries the empty input and a line
            _MISTAKES[mistake]()
        return True

    return Prepared(judge=judge, seeds=[b"aa"], words=[b"ab"])


def _raise() -> None:
    raise IndexError("what no refusal is")


def _die() -> None:
    os.abort()


_MISTAKES = {"raising": _raise, "dying": _die}

PLANTED = (
    Target(name="planted-raising", prepare=lambda: _planted("raising")),
    Target(name="planted-dying", prepare=lambda: _planted("dying")),
    Target(
        name="planted-refusing",
        prepare=lambda: Prepared(judge=lambda data: False, seeds=[b"aa"]),
    ),
)
