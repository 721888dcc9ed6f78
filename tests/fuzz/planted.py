"""Targets with a known mistake, which show that a round finds one; no round takes them unasked."""

from __future__ import annotations

import os
import time

from tests.fuzz.target import Prepared, Target
from tests.fuzz.watch import SLOW_SECONDS


def _planted(mistake: str) -> Prepared:
    def judge(data: bytes) -> bool:
        if data.startswith(b"ab"):
            _MISTAKES[mistake]()
        return True

    return Prepared(judge=judge, seeds=[b"aa"], words=[b"ab"])


def _raise() -> None:
    raise IndexError("what no refusal is")


def _dawdle() -> None:
    until = time.process_time() + SLOW_SECONDS + 0.1
    while time.process_time() < until:
        pass


def _die() -> None:
    os.abort()


_MISTAKES = {"raising": _raise, "slow": _dawdle, "dying": _die}

PLANTED = (
    Target(name="planted-raising", prepare=lambda: _planted("raising")),
    Target(name="planted-slow", prepare=lambda: _planted("slow"), share=0.2),
    Target(name="planted-dying", prepare=lambda: _planted("dying")),
    Target(
        name="planted-refusing",
        prepare=lambda: Prepared(judge=lambda data: False, seeds=[b"aa"]),
    ),
)
