"""Regular expressions whose cost is bounded before they ever see a text.

Python's engine backtracks: a careless pattern can take for ever on a text that a stranger wrote.
Allowed are literals, classes, anchors, groups, alternation, ``?``, ``{n}`` and ``{m,n}``. Each
variable part multiplies the ways in which a text can be tried; their product is bounded. Not
allowed are ``*``, ``+``, open repetition, repeated groups, look-around and back references.
"""

from __future__ import annotations

import re

MAX_PATTERN = 300
MAX_WAYS = 4_096
"""Ways in which the engine may try a pattern at one place of a text."""

_TOKEN = re.compile(
    r"""(?P<back>\\\d) | (?P<escape>\\.) | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<odd>\(\?(?!:)) | (?P<open>\((?:\?:)?) | (?P<close>\)) | (?P<bar>\|)
    | (?P<count>\{[0-9,]*\}) | (?P<maybe>\?) | (?P<endless>[*+]) | (?P<plain>.)""",
    re.DOTALL | re.VERBOSE,
)
_FORBIDDEN = {
    "back": "back references are not allowed",
    "odd": "look-around, flags and named groups are not allowed",
    "endless": "* and + have no bound: write {0,20} or the like",
}


class PatternError(ValueError):
    """The pattern is not one of the bounded ones; the text says why."""


def bounded_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern, ignoring case; raises :class:`PatternError`."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"longer than {MAX_PATTERN} characters")
    ways = _count_ways(pattern)
    if ways > MAX_WAYS:
        raise PatternError(f"can be tried in {ways} ways, at most {MAX_WAYS} are allowed")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise PatternError(str(error)) from error


def _count_ways(pattern: str) -> int:
    """The product of all choices: spans of repetitions and branches of each group."""
    ways = 1
    branches = [1]
    after_group = False
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup or ""
        if kind in _FORBIDDEN:
            raise PatternError(_FORBIDDEN[kind])
        if kind == "count":
            if after_group:
                raise PatternError("a group must not be repeated")
            low, high = _span(token[0])
            ways *= high - low + 1
        elif kind == "maybe":
            ways *= 2
        elif kind == "open":
            branches.append(1)
        elif kind == "bar":
            branches[-1] += 1
        elif kind == "close" and len(branches) > 1:
            ways *= branches.pop()
        after_group = kind == "close"
    return ways * branches[0]


def _span(counted: str) -> tuple[int, int]:
    low, comma, high = counted.strip("{}").partition(",")
    if not low and not high:
        raise PatternError("a repetition needs its bounds, as {1,20}")
    if comma and not high:
        raise PatternError("a repetition needs its upper bound, as {1,20}")
    least = int(low or 0)
    most = int(high) if comma else least
    if most > 512 or least > most:
        raise PatternError("a repetition goes from low to high, at most 512")
    return least, most
