"""Line numbers of a TOML text: tomllib gives none, so a second plain scan finds them."""

from __future__ import annotations

import re
import tomllib

_TABLE = re.compile(r"\s*\[(?!\[)(?P<name>.+)\]\s*(#.*)?$")
_KEY = re.compile(r"""\s*(?P<key>"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")
_PLAIN = re.compile(r"""(?P<bare>[A-Za-z0-9_-]+)|"(?P<quoted>[^"\\\x00-\x1f\x7f]+)\"""")
"""One name without escapes, which most are."""

Positions = dict[tuple[str, ...], int]
"""Line, from 1, of each table ``("codes", "mail-class")`` and each key below it."""


def positions(text: str) -> Positions:
    """Where every table and key of ``text`` stands; arrays and inline tables are not entered."""
    found: Positions = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _TABLE.match(line):
            table = _names(match["name"])
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            found.setdefault((*table, *_names(match["key"])), number)
    return found


def multi_line_strings(text: str) -> tuple[int, ...]:
    """Lines that open or close a multi-line string; layouts have none, so that lines count."""
    lines = enumerate(text.splitlines(), start=1)
    return tuple(number for number, line in lines if '"""' in line or "'''" in line)


def _names(dotted: str) -> tuple[str, ...]:
    if plain := _PLAIN.fullmatch(dotted):
        return (plain["bare"] or plain["quoted"],)
    try:
        parsed = tomllib.loads(f"[{dotted}]")
    except tomllib.TOMLDecodeError:
        return (dotted,)
    names = []
    while parsed:
        name, parsed = next(iter(parsed.items()))
        names.append(name)
    return tuple(names)
