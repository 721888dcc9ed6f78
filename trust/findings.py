"""What an examination of evidence finds, step by step, in words.

Everywhere else verification raises; here somebody wants to see all of what holds and what does
not, so every step is made and told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

from trust.errors import TrustError

T = TypeVar("T")
Standing = Literal["proved", "failed", "unchecked"]


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step: what was looked at, how it stands, and a sentence about it.

    ``code`` is of ``trust.errors.CODES``, for what failed.
    """

    step: str
    standing: Standing
    said: str
    code: str = ""


class Findings:
    """The steps of one examination, in the order in which they were made."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    @property
    def all(self) -> tuple[Finding, ...]:
        """Every step so far."""
        return tuple(self._found)

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return any(found.standing == "failed" for found in self._found)

    def proved(self, step: str, said: str) -> None:
        """Tell what holds."""
        self._found.append(Finding(step=step, standing="proved", said=said))

    def unchecked(self, step: str, said: str) -> None:
        """Tell what was not looked at, and why."""
        self._found.append(Finding(step=step, standing="unchecked", said=said))

    def refuted(self, step: str, error: TrustError) -> None:
        """Tell what does not hold."""
        found = Finding(step=step, standing="failed", said=error.detail, code=error.code)
        self._found.append(found)

    def prove(self, step: str, work: Callable[[], T], said: Callable[[T], str]) -> T | None:
        """What ``work`` proves, told; ``None`` after its ``TrustError`` was told."""
        try:
            result = work()
        except TrustError as error:
            self.refuted(step, error)
            return None
        self.proved(step, said(result))
        return result
