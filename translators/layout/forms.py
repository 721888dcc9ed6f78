"""Document elements of a layout, and the forms of message that stand in each.

A layout has one document element, ``root``, with the group ``[document]``; or several, in
``[roots]``, each with a group of its own. Such a group leads to messages like ``[document]``, or
it is the group of the one message that the document is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from translators.canonical import KINDS
from translators.layout.grammar import Field as Named
from translators.layout.grammar import GrammarError, Key, Qualify, Spec, parse, parse_path
from translators.layout.mistakes import Line, Mistakes
from translators.layout.paths import PathError, is_leaf, walk
from translators.layout.plan import Given
from translators.layout.source import Source
from translators.model import SHAPES, Form

Specs = dict[str, tuple[Spec, ...]]
DOCUMENT = "document"


@dataclass(frozen=True)
class Formed:
    """One form of message: its group, its kind, what must stand and what must hold."""

    group: str
    kind: str
    conditions: tuple[tuple[Key, str], ...]
    given: tuple[Given, ...]


@dataclass(frozen=True)
class Rooted:
    """One document element: its Clark name, its group, and the forms of its messages."""

    root: str
    group: str
    forms: tuple[Formed, ...]


class Forms:
    """Finds the documents of one layout; mistakes are recorded."""

    def __init__(self, source: Source, specs: Specs, qualify: Qualify, mistakes: Mistakes) -> None:
        self._source = source
        self._specs = specs
        self._qualify = qualify
        self._mistakes = mistakes

    def documents(self) -> tuple[Rooted, ...]:
        """Every document element; none when there are mistakes in what they say."""
        roots = list(self._roots())
        rows = [self._rows(group) for _, group in roots]
        groups = [name for each in rows for name in each]
        kinds = self._kinds(groups)
        if not kinds:
            return ()
        for name, when in self._source.when.items():
            if name not in groups:
                self._mistakes.add(when.line, "no group of messages has that name")
        return tuple(
            Rooted(
                root,
                group,
                tuple(
                    Formed(
                        name,
                        kinds[name],
                        self._conditions(group, name, row),
                        self._given(name, kinds[name]),
                    )
                    for name, row in each.items()
                ),
            )
            for (root, group), each in zip(roots, rows, strict=True)
        )

    def _roots(self) -> Iterator[tuple[str, str]]:
        """Clark name and document group of each document element."""
        header = self._source.header
        if not self._source.roots:
            if DOCUMENT not in self._specs:
                top = Line(DOCUMENT, "", "", self._source.file, 1)
                self._mistakes.add(top, "there is no group [document]")
            elif header.get("syntax") == "json":
                yield "", DOCUMENT
            elif "root" in header:
                try:
                    yield self._qualify(header["root"]), DOCUMENT
                except ValueError as error:
                    self._mistakes.add(self._source.header_line("root"), str(error))
            return
        if "root" in header:
            self._mistakes.add(self._source.header_line("root"), "stands beside [roots]")
        seen: set[str] = set()
        for line in self._source.roots:
            group = line.text.strip()
            try:
                root = self._qualify(line.key)
            except ValueError as error:
                self._mistakes.add(line, str(error))
                continue
            if group not in self._specs:
                self._mistakes.add(line, f"unknown group {group!r}")
            elif root in seen:
                self._mistakes.add(line, "the same document element twice")
            else:
                seen.add(root)
                yield root, self._document(group, line)

    def _document(self, group: str, line: Line) -> str:
        """The document group of a root: the group itself, or one made for a message alone."""
        if any(True for _ in self._streams(group, ())):
            return group
        made = f"document {line.key}"
        single = Line(made, ".", f"messages ! : {group}", line.file, line.line)
        self._specs[made] = (parse(single, self._qualify),)
        return made

    def _streams(self, group: str, above: tuple[str, ...]) -> Iterator[Spec]:
        """Lines that lead to messages, from a group on."""
        if group in above:
            return
        for spec in self._specs[group]:
            if spec.path is not None and spec.path.messages:
                yield spec
            elif spec.type in self._specs:
                yield from self._streams(spec.type, (*above, group))

    def _rows(self, document: str) -> Mapping[str, Mapping[str, str]]:
        """The groups of messages in a document, each with what must stand where."""
        found = list(self._streams(document, ()))
        if len(found) != 1:
            lines = self._specs[document]
            line = found[1].line if found else lines[0].line if lines else self._top(document)
            self._mistakes.add(line, "exactly one line leads to messages")
            return {}
        spec = found[0]
        if spec.type in self._specs:
            return {spec.type: {}}
        if spec.type != "by" or spec.arguments != ("kind",):
            self._mistakes.add(spec.line, "messages have a group, or 'by kind'")
            return {}
        choice = self._source.choices.get((document, "kind"))
        if choice is None:
            self._mistakes.add(spec.line, f"there is no [choice.{document}.kind]")
            return {}
        for name, line in choice.lines.items():
            if name not in self._specs:
                self._mistakes.add(line, f"unknown group {name!r}")
                return {}
        return choice.rows

    def _top(self, group: str) -> Line:
        return Line(group, "", "", self._source.file, 1)

    def _kinds(self, groups: list[str]) -> dict[str, str]:
        """Kind of each group of messages."""
        line = self._source.header_line("carries")
        carries = self._source.header.get("carries")
        if not groups or not carries:
            return {}
        named = carries if isinstance(carries, dict) else dict.fromkeys(groups, carries)
        for kind in named.values():
            if kind not in KINDS:
                self._mistakes.add(line, f"unknown message kind {kind!r}")
                return {}
        if set(named) != set(groups):
            self._mistakes.add(line, "names a kind for each group of messages, and no other")
            return {}
        return dict(named)

    def _conditions(
        self, document: str, group: str, row: Mapping[str, str]
    ) -> tuple[tuple[Key, str], ...]:
        """What must stand where for a form of message; each key must be a line of its group."""
        keys = {spec.line.key: spec for spec in self._specs[group]}
        found = []
        for key, value in row.items():
            if key in keys:
                found.append((keys[key].key, value))
            else:
                line = self._source.choices[document, "kind"].line
                self._mistakes.add(line, f"no line {key!r} in the group of that row")
        return tuple(found)

    def _given(self, group: str, kind: str) -> tuple[Given, ...]:
        """What ``[when.GROUP]`` says; each path must lead to one text of the kind, through
        fields alone, or with true and false to anything."""
        when = self._source.when.get(group)
        found = []
        for path, value in when.values.items() if when else ():
            assert when is not None
            try:
                parts = parse_path(path).parts
                shape, _ = walk(SHAPES[kind], parts)
            except (GrammarError, PathError) as error:
                self._mistakes.add(when.lines[path], str(error))
                continue
            names = tuple(part.name for part in parts if isinstance(part, Named))
            if len(names) != len(parts):
                self._mistakes.add(when.lines[path], "a path of fields alone")
            elif isinstance(value, str) and (not is_leaf(shape) or shape.form is not Form.TEXT):
                self._mistakes.add(when.lines[path], f"{path} is no text with us")
            elif any(
                spec.path is not None and spec.path.shown == path for spec in self._specs[group]
            ) and isinstance(value, str):
                self._mistakes.add(when.lines[path], f"[{group}] has a line for {path}")
            else:
                found.append(Given(names, value))
        return tuple(found)
