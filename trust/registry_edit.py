"""Changing a table of a registry text, so that everything else in it stays.

What comes out is only a proposal: the caller reads it again before it trusts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from trust.identity import PartyId

_TABLE = re.compile(r"^\s*\[")
_PARTY = re.compile(r"^\s*\[\[\s*party\s*\]\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*\[\[\s*party\s*\.\s*key\s*\]\]\s*(#.*)?$")
_DELEGATION = re.compile(r"^\s*\[\[\s*delegation\s*\]\]\s*(#.*)?$")
_NOT_AFTER = re.compile(r"^(\s*not_after\s*=\s*)[^#]*?(\s*(?:#.*)?)$")


def with_key_end(text: str, party: PartyId, at: int, end: datetime) -> str | None:
    """The text in which key number ``at`` of that party, from 0, ends then; ``None`` without it."""
    lines = text.splitlines()
    identifier = re.compile(rf"""^\s*id\s*=\s*["']{re.escape(party)}["']\s*(#.*)?$""")
    ours, seen = False, 0
    for header, start, stop in _tables(lines):
        if _PARTY.match(lines[header]):
            ours = any(identifier.match(line) for line in lines[start:stop])
        if not (ours and _KEY.match(lines[header])):
            continue
        if seen == at:
            body = _ended(lines[start:stop], end)
            return "\n".join([*lines[:start], *body, *lines[stop:], ""])
        seen += 1
    return None


def without_delegation(text: str, at: int) -> str | None:
    """The text without delegation number ``at``, from 0; ``None`` when it has no such one."""
    lines = text.splitlines()
    found = [table for table in _tables(lines) if _DELEGATION.match(lines[table[0]])]
    if at >= len(found):
        return None
    header, _, stop = found[at]
    return "\n".join([*lines[:header], *lines[stop:], ""])


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where each table has its header, and where its body begins and ends.

    Comments right before a header, and empty lines before them, are not of the body above.
    """
    headers = [number for number, line in enumerate(lines) if _TABLE.match(line)]
    for header, following in pairwise([*headers, len(lines)]):
        stop = following
        while stop > header + 1 and (not lines[stop - 1].strip() or _is_comment(lines[stop - 1])):
            stop -= 1
        yield header, header + 1, stop


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _ended(body: Sequence[str], end: datetime) -> list[str]:
    """The lines of a key whose ``not_after`` is set, in its place or at the end."""
    stands = [_NOT_AFTER.match(line) for line in body]
    if any(stands):
        return [
            f"{match[1]}{end.isoformat()}{match[2]}" if match else line
            for match, line in zip(stands, body, strict=True)
        ]
    return [*body, f"not_after = {end.isoformat()}"]
