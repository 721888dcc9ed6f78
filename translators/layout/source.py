"""Layouts as text: files merged by ``extends`` and groups by ``like``, before compiling.

Everything here is textual (LAYOUTS 8: resolve textually first, compile afterwards); each line
keeps the file and line number that it came from, so that a mistake names the right file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from translators.layout.files import Choice, CodeSource, File, When, parse
from translators.layout.grammar import placement
from translators.layout.mistakes import Line, Mistakes

Resolve = Callable[[str], tuple[str, str]]
"""Gives text and file name of another layout (``upu.itmatt.1``) or of a shared code table
(``codes/mail-class``); raises :class:`LookupError` when there is none."""

MAX_EXTENDS = 8


@dataclass(frozen=True)
class Source:
    """One layout after all merging; group lines are in the order of the document."""

    file: str
    header: Mapping[str, Any]
    header_lines: Mapping[str, Line]
    namespaces: Mapping[str, str]
    groups: Mapping[str, tuple[Line, ...]]
    codes: Mapping[str, CodeSource]
    choices: Mapping[tuple[str, str], Choice]
    roots: tuple[Line, ...]
    """Document elements with the group of each, when there are several."""
    when: Mapping[str, When]
    unsaid: Mapping[str, When]
    bases: frozenset[str]
    """Groups that others are like."""

    def header_line(self, key: str) -> Line:
        """The line of a header key, or the top of the file when the key is absent."""
        return self.header_lines.get(key, Line("", key, "", self.file, 1))


def load(text: str, *, file: str, resolve: Resolve, mistakes: Mistakes) -> Source:
    """Parse and merge a layout with everything that it extends."""
    chain = _chain(text, file, resolve, mistakes)
    merged = File()
    for part in chain:
        merged.header.update(part.header)
        merged.header_lines.update(part.header_lines)
        merged.namespaces.update(part.namespaces)
        merged.codes.update(part.codes)
        merged.choices.update(part.choices)
        merged.when.update(part.when)
        merged.unsaid.update(part.unsaid)
        merged.roots += part.roots
        for group, lines in part.groups.items():
            merged.groups.setdefault(group, []).extend(lines)
    return Source(
        file=file,
        header=merged.header,
        header_lines=merged.header_lines,
        namespaces=merged.namespaces,
        groups={name: _fold(name, merged.groups, mistakes, ()) for name in merged.groups},
        codes=merged.codes,
        choices=merged.choices,
        roots=_folded(merged.roots, mistakes),
        when=merged.when,
        unsaid=merged.unsaid,
        bases=frozenset(
            line.text for lines in merged.groups.values() for line in lines if line.key == "like"
        ),
    )


def _chain(text: str, file: str, resolve: Resolve, mistakes: Mistakes) -> list[File]:
    """The file and what it extends, the most basic first."""
    chain = [parse(text, file, mistakes)]
    seen = {chain[0].header.get("layout")}
    while "extends" in chain[0].header:
        name = chain[0].header["extends"]
        line = chain[0].header_lines["extends"]
        if name in seen or len(chain) > MAX_EXTENDS:
            mistakes.add(line, f"layouts that extend each other in a ring or too deep: {name}")
            break
        seen.add(name)
        try:
            below, below_file = resolve(name)
        except LookupError:
            mistakes.add(line, f"unknown layout {name!r}")
            break
        chain.insert(0, parse(below, below_file, mistakes))
    return chain


def _fold(
    name: str, groups: Mapping[str, list[Line]], mistakes: Mistakes, above: tuple[str, ...]
) -> tuple[Line, ...]:
    """Lines of a group after ``like``, removals, replacements and placements."""
    lines: list[Line] = []
    for line in groups[name]:
        if line.key == "like":
            if line.text not in groups:
                mistakes.add(line, f"unknown group {line.text!r}")
            elif line.text in (name, *above):
                mistakes.add(line, "groups that are like each other in a ring")
            else:
                lines = list(_fold(line.text, groups, mistakes, (name, *above)))
                lines = [_renamed(one, name) for one in lines]
        else:
            _place(line, lines, mistakes)
    return tuple(lines)


def _folded(roots: list[Line], mistakes: Mistakes) -> tuple[Line, ...]:
    """Document elements after removals, replacements and placements."""
    lines: list[Line] = []
    for line in roots:
        _place(line, lines, mistakes)
    return tuple(lines)


def _renamed(line: Line, group: str) -> Line:
    return Line(group, line.key, line.text, line.file, line.line)


def _place(line: Line, lines: list[Line], mistakes: Mistakes) -> None:
    text, side, anchor = placement(line.text)
    keys = [one.key for one in lines]
    at = keys.index(line.key) if line.key in keys else None
    if text.strip() == "-":
        if at is None:
            mistakes.add(line, "there is no such line to remove")
        else:
            del lines[at]
        return
    placed = Line(line.group, line.key, text, line.file, line.line)
    if side is None:
        if at is None:
            lines.append(placed)
        else:
            lines[at] = placed
        return
    if anchor not in keys or anchor == line.key:
        mistakes.add(line, f"there is no line {anchor!r} to stand {side}")
        return
    if at is not None:
        del lines[at]
        keys.remove(line.key)
    lines.insert(keys.index(anchor) + (side == "after"), placed)
