"""What a walk does at each place of a message: checks of values, and the way to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

Check = Callable[[str], tuple[str, ...]]
"""From a value to the codes of what is wrong with it; pure and total."""


class Does(IntEnum):
    """What is done with the value of a field, when there is one."""

    CHECK = 0
    CHECK_EACH = 1
    CHOOSE = 2
    """The check depends on a second field."""
    ENTER = 3
    ENTER_EACH = 4


Step = tuple[Does, str, Any, Any, str]
"""What to do, the field, its argument and a second one, and the place."""
Plan = tuple[Step, ...]


class Member:
    """The check that a value is in a list."""

    __slots__ = ("codes", "wrong")

    def __init__(self, codes: Iterable[str], code: str) -> None:
        self.codes = frozenset(codes)
        self.wrong = (code,)

    def __call__(self, value: str) -> tuple[str, ...]:
        """Nothing, or the code of the fault."""
        return () if value in self.codes else self.wrong


def both(first: Check, second: Check) -> Check:
    """One check, and when it finds nothing the other."""
    return lambda value: first(value) or second(value)
