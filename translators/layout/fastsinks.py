"""Where the values of one record go, as source of the fast reader.

A value that goes to a field of its own is one more key of a mapping: keys are counted twice (an
element and its text) when everything has been read. Whatever goes elsewhere is counted where it
is put, once only, because its element is guarded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

from translators.layout.fastforms import (
    FILLS,
    Check,
    Way,
    behind,
    check_of,
    contextual,
    field_of,
    local,
    names,
    reads_value,
    shape_of,
    way_of,
)
from translators.layout.grammar import Path
from translators.layout.plan import Content, Value
from translators.model import HEADER, Field, Shape

Names = tuple[str, ...]


class Makes(Protocol):
    """What a function needs of the generator around it."""

    def constant(self, value: Any) -> str: ...

    def collector(self, pattern: str) -> int: ...

    def function(self, content: Content, shapes: tuple[Shape, ...]) -> str: ...


class Sinks:
    """The places of one record; every method gives lines of source about the local ``v``.

    ``shapes`` are those of the record and of the records around it, the nearest first.
    """

    def __init__(self, makes: Makes, content: Content, shapes: tuple[Shape, ...]) -> None:
        self._makes = makes
        self._content = content
        self._position = "p" if contextual(content) else "1"
        self._shapes = shapes
        self._lists: dict[Names, str] = {}
        self._chosen: dict[tuple[str, str], tuple[str, Value]] = {}
        self._parts: dict[Names, dict[int, tuple[str, Value]]] = {}
        self.uses = Counter(_lists(content))
        self.targets: dict[Names, str] = {(): "d"}
        self.locals: list[str] = []
        self.late: list[str] = []
        self.itself = False

    def local(self) -> str:
        """A local that is ``None`` at first."""
        self.locals.append(f"l{len(self.locals)}")
        return self.locals[-1]

    def place(self, path: Names) -> tuple[str, str]:
        """The mapping that a path leads to, as a local, and the key in it."""
        for size in range(len(path)):
            if path[:size] not in self.targets:
                self.targets[path[:size]] = f"a{len(self.targets)}"
        return self.targets[path[:-1]], path[-1]

    def entries(self, path: Names, *, counted: bool = True) -> tuple[str, list[str]]:
        """The local of a list, and the lines that make it; its key counts for nothing."""
        if path not in self._lists:
            self._lists[path] = self.local()
        entries = self._lists[path]
        return entries, self.opened(entries, path, "[]", counted=counted)

    def opened(self, held: str, path: Names, empty: str, *, counted: bool = True) -> list[str]:
        """Lines that make a list or mapping in its place when it is not there."""
        target, key = self.place(path)
        lines = [
            f"if {held} is None:",
            f"    if {key!r} in {target}: raise Unusual",
            f"    {held} = {target}[{key!r}] = {empty}",
        ]
        return [*lines, "    n -= 2"] if counted else lines

    def elsewhere(self, path: Path, *, counted: bool) -> tuple[str, list[str]]:
        """An expression for a list in an entry of another, or in a record around, and the lines
        that it needs."""
        if way_of(path) is Way.ABOVE:
            around = "U[-1]" if path.header else f"U[{path.up - 1}]"
            return f"{around}.setdefault({names(path)!r}, [])", []
        entries, parts, opened = self.picked(path, counted=counted)
        return f"LIST({entries}, {parts})", opened

    def picked(self, path: Path, *, counted: bool = True) -> tuple[str, str, list[str]]:
        """The local of a list of which a path picks an entry, the parts behind as a constant,
        and the lines that make the list."""
        entries, opened = self.entries(names(path), counted=counted)
        self._closing(entries)
        return entries, self._makes.constant(behind(path)), opened

    def _closing(self, entries: str) -> None:
        line = f"if {entries} is not None: CLOSED({entries})"
        if line not in self.late:
            self.late.insert(0, line)

    def checks(self, value: Value) -> list[str]:
        """Lines that check and convert."""
        return self.check(value).lines(self._makes.constant, self._makes.collector)

    def check(self, value: Value) -> Check:
        """What is to be checked of a value."""
        path = value.path
        assert path is not None
        base = HEADER if path.header else self._shapes[path.up]
        if not path.parts:
            shape = shape_of(base, path.parts)
            return check_of(
                value, Field(name="", shape=shape, required=True, nullable=False, default=None)
            )
        return check_of(value, field_of(base, path.parts))

    def present(self, value: Value, counted: int) -> list[str]:
        """Lines for a text that stands there, as ``counted`` nodes."""
        number = f"n += {counted}"
        if value.constant is not None:
            return [f"if v.strip() != {value.constant!r}: raise Unusual", number]
        lines = ["v = v.strip()"]
        if value.derived is not None:
            held = self.local()
            expression = self._makes.constant(value.derived)
            self.late.append(
                f"if {held} is not None: COMPARED({expression}, d, {self._position}, {held})"
            )
            return [*lines, "if not v: raise Unusual", f"{held} = v", number]
        if value.choice is not None or value.chosen:
            held = self.local()
            self._chosen[value.line.group, value.key] = (held, value)
            return [*lines, "if not v: raise Unusual", f"{held} = v", number]
        if not self.simple(value):
            lines.append("if not v: raise Unusual")
        return [*lines, *self.checks(value), *self.store(value, counted)]

    @staticmethod
    def simple(value: Value) -> bool:
        """True for a value that is one key of a mapping."""
        single = value.join is None and not value.repeats
        single = single and value.part is None and not value.also
        single = single and value.choice is None and not value.chosen
        return single and value.path is not None and way_of(value.path) is Way.FIELDS

    def store(self, value: Value, counted: int | None) -> list[str]:
        """Lines that put a converted value in its place; ``None``: all is counted already."""
        path = value.path
        assert path is not None
        number = [] if not counted else [f"n += {counted}"]
        early = counted is not None
        way = way_of(path)
        if value.join is not None:
            entries, opened = self.entries(names(path), counted=early)
            pieces = f"[s.strip() for s in v.split({value.join!r})]"
            # Other spacing is noted.
            lines = [f"w, v = v, {pieces}", f"if {value.join!r}.join(v) != w: raise Unusual"]
            return [*lines, *opened, f"{entries} += v", *number]
        if value.part is not None:
            held = self.local()
            self._parts.setdefault(names(path), {})[value.part[0]] = (held, value)
            return [f"{held} = v", *number]
        if value.repeats and way is not Way.FIELDS:
            place, opened = self.elsewhere(path, counted=early)
            return [*opened, f"{place}.append(v)", *number]
        if value.repeats:
            entries, opened = self.entries(names(path), counted=early)
            return [*opened, f"{entries}.append(v)", *number]
        if way is Way.ENTRY:
            entries, parts, opened = self.picked(path, counted=early)
            return [*opened, f"PUT({entries}, {parts}, v)", *number]
        if way is Way.ABOVE:
            around = "U[-1]" if path.header else f"U[{path.up - 1}]"
            return [f"if {around}.setdefault({names(path)!r}, v) != v: raise Unusual", *number]
        if way is Way.EACH:
            held = self.local()
            parts = self._makes.constant(path.parts)
            self.late.append(f"if {held} is not None: SPREAD(d, {parts}, {held})")
            return [f"{held} = v", *number]
        if way is Way.SELF:
            self.itself = True
            target, key = "d", "."
        else:
            target, key = self.place(names(path))
        lines = [f"{target}[{key!r}] = v", *self._doubled(value)]
        if not early:
            return [f"if {key!r} in {target}: raise Unusual", *lines]
        less = [f"n -= {2 - counted}"] if counted is not None and counted != 2 else []
        return [*lines, *less]

    def _doubled(self, value: Value) -> list[str]:
        lines = []
        for path in value.also:
            held = self.local()
            parts = self._makes.constant(path.parts)
            self.late.append(f"if {held} is not None: ALSO(d, {parts}, {held})")
            lines.append(f"{held} = v")
        return lines

    def filled(self, value: Value, counted: int | None, when: str) -> list[str] | None:
        """Lines for a value that does not stand there but has one all the same; ``None``: it has
        none. ``when`` is a condition for what is only known when the record is complete."""
        if value.path is None:
            return []
        if not reads_value(value):
            return ["raise Unusual"] if value.default or value.otherwise else None
        if value.default is not None:
            table = value.type.codes
            raw: object = table.wire.get(value.default, value.default) if table else None
            raw = raw if table else value.type.read(value.default)
            constant = self._makes.constant(raw)
            if way_of(value.path) is Way.ABOVE:
                around = "U[-1]" if value.path.header else f"U[{value.path.up - 1}]"
                return [f"{around}.setdefault({(None, *names(value.path))!r}, {constant})"]
            return [f"v = {constant}", *self.store(value, counted)]
        if value.otherwise is None or value.otherwise.verb not in FILLS:
            return None
        if way_of(value.path) is not Way.FIELDS or not local(value.otherwise):
            return ["raise Unusual"]
        expression = self._makes.constant(value.otherwise)
        line = f"FILL_IN(d, {names(value.path)!r}, DERIVED({expression}, d, {self._position}))"
        self.late.append(f"if {when}: {line}" if when else line)
        return []

    def missing(self, value: Value) -> list[str] | None:
        """The same where nothing around it stands there either; what is only known when the
        record is complete is then filled in already."""
        late = value.default is None and value.otherwise is not None
        if late and value.otherwise is not None and value.otherwise.verb in FILLS:
            known = value.path is not None and way_of(value.path) is Way.FIELDS
            return [] if known and local(value.otherwise) else ["raise Unusual"]
        return self.filled(value, None, "")

    def choices(self) -> list[str]:
        """Lines that choose by several values, and put those that nothing chose."""
        lines: list[str] = []
        for value in self._content.choices:
            rows = value.choice.rows if value.choice is not None else {}
            word = "if"
            for name, row in rows.items():
                keys = [(value.line.group, key) for key in row]
                if any(key not in self._chosen for key in keys):
                    return [*lines, "raise Unusual"]
                held = [self._chosen[key][0] for key in keys]
                tests = [f"{a} == {text!r}" for a, text in zip(held, row.values(), strict=True)]
                lines.append(f"{word} {' and '.join(tests)}:")
                lines.append(f"    v = {name!r}")
                lines += [f"    {line}" for line in self.store(value, None)]
                for key in keys:
                    if self._chosen[key][1].required and not self._chosen[key][1].choice:
                        # A record that requires a place of its own for it keeps it there too.
                        lines += [f"    {line}" for line in self._kept(*self._chosen[key])]
                lines.append(f"    {' = '.join(held)} = None")
                word = "elif"
        for one, value in self._chosen.values():
            kept = ["raise Unusual"] if value.choice is not None else self._kept(one, value)
            lines += [f"if {one} is not None:", *(f"    {line}" for line in kept)]
        return lines

    def gathered(self) -> list[str]:
        """Lines that put the parts of texts together."""
        lines: list[str] = []
        for path, parts in self._parts.items():
            held = [parts[first][0] for first in sorted(parts)]
            target, key = self.place(path)
            lines += [
                f"if {' or '.join(held)}:",
                f"    if {key!r} in {target}: raise Unusual",
                f"    {target}[{key!r}] = ''.join([s for s in ({', '.join(held)},) if s])",
            ]
        return lines

    def unsaid(self) -> list[str]:
        """Lines that say what the document does not."""
        return [
            f"if d.get({name!r}) is None: d[{name!r}] = {value!r}"
            for name, value in self._content.unsaid
        ]

    def _kept(self, held: str, value: Value) -> list[str]:
        return [f"v = {held}", *self.checks(value), *self.store(value, None)]

    def nested(self) -> list[str]:
        """Put mappings of dotted paths into their records, the innermost first."""
        lines = []
        for path, target in sorted(self.targets.items(), key=lambda one: -len(one[0])):
            if path:
                above, key = self.targets[path[:-1]], path[-1]
                lines.append(f"if {target}:")
                lines.append(f"    if {key!r} in {above}: raise Unusual")
                lines.append(f"    {above}[{key!r}] = {target}")
        return lines


def _lists(content: Content) -> Iterator[Names]:
    """Each use of a list by the lines of a record."""
    for value in [*content.attributes.values(), *([content.text] if content.text else [])]:
        path = value.path
        if path is None or path.up or path.header:
            continue
        if value.repeats or value.join is not None or way_of(path) is Way.ENTRY:
            yield names(path)
    for element in content.elements():
        path = element.record
        if element.pairs is not None:
            continue
        if path is None:
            yield from _lists(element.content)
        elif not path.up and not path.header and way_of(path) in (Way.FIELDS, Way.ENTRY):
            yield names(path)
