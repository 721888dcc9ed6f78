"""The lines of one function of the fast writer: one element from one record.

Every method gives a piece of an f-string in double quotes; lines that the piece needs come
before. What has no text stands in the piece as a local that is empty. ``Live`` gathers, for an
element around others, when something stands in it and when something required is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from translators.layout.fastforms import Way, contextual, field_of, separable, shape_of, way_of
from translators.layout.fastlooks import worded
from translators.layout.grammar import NAME, Each, Expression, Field, Index, Match, Part, Path
from translators.layout.plan import Content, Element, Plan, Slot, Value
from translators.layout.writing import escaped
from translators.model import HEADER, Form, Shape

_LISTS = (Way.FIELDS, Way.ABOVE, Way.ENTRY)
"""How a path may lead to a list."""


class Uncovered(Exception):
    """A layout with a line that the fast writer does not know."""


class Makes(Protocol):
    """What a function needs of the source around it."""

    plan: Plan
    escaping: bool

    def local(self) -> str: ...

    def constant(self, value: Any) -> str: ...

    def collector(self, pattern: str) -> int: ...

    def function(self, shown: str, content: Content, shapes: tuple[Shape, ...]) -> str: ...


@dataclass(eq=False)
class Live:
    """Locals that are true when something stands in an element, and conditions under which
    something required does not; ``outer``: whether that element itself is sure to be there."""

    sure: bool
    some: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class WriteBody:
    """Makes the lines. ``shapes``: of the record and of those around it; ``record``: its name."""

    def __init__(
        self, makes: Makes, content: Content, shapes: tuple[Shape, ...], record: str
    ) -> None:
        self._makes = makes
        self._content = content
        self._shapes = shapes
        self._record_name = record
        self._around = "U" if contextual(content) else ""
        self._known: dict[tuple[int, bool, tuple[Part, ...]], str] = {}
        self._rows: list[tuple[str, frozenset[tuple[str, str]]]] = []
        self.lines: list[str] = []

    def element(self, shown: str, content: Content) -> str:
        """The expression of a whole element whose record exists."""
        for value in content.choices:
            self._choose(value)
        live = Live(sure=True)
        attributes, inner = self._pieces(content, live)
        if live.missing:
            self.lines.append(f"if {' or '.join(live.missing)}: raise Unusual")
        name = safe(shown)
        if "<" in inner:
            return f'f"<{name}{attributes}>{inner}</{name}>"'
        whole = self._makes.local()
        self.lines.append(f'{whole} = f"{inner}"')
        full = f'f"<{name}{attributes}>{{{whole}}}</{name}>"'
        return f'{full} if {whole} else f"<{name}{attributes}/>"'

    def _choose(self, value: Value) -> None:
        """A local with the texts, by key, of the row that a choice gives."""
        if value.choice is None or value.path is None:
            raise Uncovered
        rows = {name: dict(row) for name, row in value.choice.rows.items()}
        keys = frozenset((value.line.group, key) for row in rows.values() for key in row)
        held = self._makes.local()
        found = self._found(value.path, len(value.path.parts))
        get = self._makes.constant(rows.get)
        self.lines.append(f"{held} = {get}({found}, {self._makes.constant({})})")
        self._rows.append((held, keys))

    def _pieces(self, content: Content, live: Live) -> tuple[str, str]:
        """Pieces for attributes and for what stands inside."""
        attributes = "".join(
            self._attribute(tag, value, live) for tag, value in content.attributes.items()
        )
        inner = ""
        if content.text is not None:
            text = content.text
            inner += self._piece(text, "{}", live, needed=text.required or text.whole)
        for slot in content.slots.values():
            pieces = [self._child(element, live) for element in slot.elements]
            if slot.single:
                self._one_form(slot, pieces, live)
            inner += "".join(pieces)
        return attributes, inner

    def _one_form(self, slot: Slot, pieces: list[str], live: Live) -> None:
        """See that an element is written in one form alone."""
        held = [piece[1:-1] for piece in pieces]
        if any(piece != f"{{{name}}}" for piece, name in zip(pieces, held, strict=True)):
            raise Uncovered
        self.lines.append(f"if {' + '.join(f'bool({one})' for one in held)} > 1: raise Unusual")
        if slot.needed and live.sure:
            self.lines.append(f"if not ({' or '.join(held)}): raise Unusual")
        elif slot.needed:
            live.missing.append(f"not ({' or '.join(held)})")

    def _attribute(self, tag: str, value: Value, live: Live) -> str:
        piece = f' {self._prefixed(tag)}=\\"{{}}\\"'
        return self._piece(value, piece, live, needed=value.required, attribute=True)

    def _prefixed(self, tag: str) -> str:
        uri, brace, name = tag.rpartition("}")
        if not brace:
            return safe(name)
        if uri[1:] == "http://www.w3.org/XML/1998/namespace":
            return f"xml:{safe(name)}"
        for prefix, known in self._makes.plan.namespaces.items():
            if known == uri[1:] and prefix != "default":
                return f"{safe(prefix)}:{safe(name)}"
        raise Uncovered

    def _piece(
        self, value: Value, piece: str, live: Live, *, needed: bool, attribute: bool = False
    ) -> str:
        """A piece with the text of a value in it; nothing at all when there is none."""
        if value.constant is not None:
            return piece.replace("{}", literal(value.constant))
        text, lines = self._text(value, attribute=attribute)
        if value.path is not None and needed and live.sure:
            self.lines += [f"if {text} is None: raise Unusual", *lines]
            live.some.append("True")
            return piece.replace("{}", f"{{{text}}}")
        whole = self._makes.local()
        filled = piece.replace("{}", f"{{{text}}}")
        self.lines += [f'if {text} is None: {whole} = ""', "else:"]
        self.lines += [f"    {line}" for line in [*lines, f'{whole} = f"{filled}"']]
        if value.path is not None:
            live.some.append(whole)
            if needed:
                live.missing.append(f"{text} is None")
        return f"{{{whole}}}"

    def _child(self, element: Element, live: Live) -> str:
        content = element.content
        if element.messages is not None:
            raise Uncovered
        if element.pairs is not None:
            return self._pairs(element, live)
        if element.record is not None:
            return self._record(element, element.record, live)
        if element.maximum != 1:
            return self._texts(element, live)
        if content.text is not None and not content.attributes and not content.slots:
            name = safe(element.shown)
            piece = f"<{name}>{{}}</{name}>"
            return self._piece(content.text, piece, live, needed=bool(element.minimum))
        return self._wrapper(element, live)

    def _wrapper(self, element: Element, live: Live) -> str:
        """An element whose content belongs to the record around it: there when something is."""
        inside = Live(sure=False)
        attributes, inner = self._pieces(element.content, inside)
        name = safe(element.shown)
        piece, held = self._makes.local(), self._makes.local()
        tests = list(dict.fromkeys(inside.some)) + ([held] if element.fixed else [])
        if not tests:
            return ""
        full = f'f"<{name}{attributes}>{{{held}}}</{name}>"'
        self.lines += [f'{held} = f"{inner}"', f"if {' or '.join(tests)}:"]
        if inside.missing:
            self.lines.append(f"    if {' or '.join(inside.missing)}: raise Unusual")
        empty = f'f"<{name}{attributes}/>"'
        self.lines += [
            f"    {piece} = {full} if {held} else {empty}",
            f'else: {piece} = ""',
        ]
        if inside.some:
            live.some.append(piece)
        if element.minimum and inside.missing:
            lost = self._makes.local()
            self.lines.append(f"{lost} = not {piece} and ({' or '.join(inside.missing)})")
            live.missing.append(lost)
        return f"{{{piece}}}"

    def _texts(self, element: Element, live: Live) -> str:
        value = element.content.text
        if value is None or value.path is None:
            raise Uncovered
        if way_of(value.path) not in _LISTS:
            raise Uncovered
        entries = self._entries(value.path)
        piece, name = self._makes.local(), safe(element.shown)
        self.lines += [f'{piece} = ""', f"for v in {entries} or ():"]
        self.lines += [f"    {line}" for line in self._conversion(value, "v", attribute=False)]
        self.lines.append(f'    {piece} += f"<{name}>{{v}}</{name}>"')
        return self._several(element, entries, piece, live)

    def _entries(self, path: Path) -> str:
        """A local with the entries of a list that no other line of the record picks."""
        size = len(path.parts)
        picks = tuple(
            part
            for claim in self._content.claims
            if claim.header == path.header and claim.up == path.up
            if claim.parts[:size] == path.parts and len(claim.parts) > size
            if isinstance(part := claim.parts[size], Index | Match)
        )
        found = self._look(path)
        if not picks:
            return found
        rest = self._makes.local()
        self.lines.append(f"{rest} = OTHERS({found}, {self._makes.constant(picks)})")
        return rest

    def _several(self, element: Element, entries: str, piece: str, live: Live) -> str:
        if element.maximum is not None:
            self.lines.append(f"if {entries} and len({entries}) > {element.maximum}: raise Unusual")
        few = f"len({entries} or ()) < {element.minimum}" if element.minimum > 1 else ""
        if element.minimum and live.sure:
            self.lines.append(f"if {few or f'not {entries}'}: raise Unusual")
        elif element.minimum:
            live.missing.append(few or f"not {entries}")
        live.some.append(piece)
        return f"{{{piece}}}"

    def _record(self, element: Element, path: Path, live: Live) -> str:
        shape = shape_of(self._base(path)[1], path.parts)
        piece = self._makes.local()
        if element.maximum != 1:
            if way_of(path) not in _LISTS or shape.item is None:
                raise Uncovered
            found = self._entries(path)
            lines, whole = self._within(element, shape.item, "x", "at")
            loop = f"for x in {found} or ():"
            if contextual(element.content):
                loop = f"for at, x in enumerate({found} or (), 1):"
            self.lines += [f'{piece} = ""', loop]
            self.lines += [f"    {line}" for line in [*lines, f"{piece} += {whole}"]]
            return self._several(element, found, piece, live)
        found = self._look(path)
        lines, whole = self._within(element, shape, found, "p" if self._around else "1")
        if element.minimum and live.sure:
            self.lines += [f"if {found} is None: raise Unusual", *lines, f"{piece} = {whole}"]
        else:
            self.lines += [f'if {found} is None: {piece} = ""', "else:"]
            self.lines += [f"    {line}" for line in [*lines, f"{piece} = {whole}"]]
            if element.minimum:
                live.missing.append(f"{found} is None")
        live.some.append(piece)
        return f"{{{piece}}}"

    def _within(
        self, element: Element, shape: Shape, record: str, at: str
    ) -> tuple[list[str], str]:
        """Lines and expression that write a record: here when it is small, else by a call."""
        content = element.content
        shapes = (shape, *self._shapes)
        if contextual(content):
            function = self._makes.function(element.shown, content, shapes)
            return [], f"{function}({record}, A, X, ({self._record_name}, *U), {at})"
        if content.slots or content.claims or content.choices:
            function = self._makes.function(element.shown, content, shapes)
            return [], f"{function}({record}, A, X)"
        body = WriteBody(self._makes, content, shapes, record)
        whole = body.element(element.shown, content)
        return body.lines, whole

    def _pairs(self, element: Element, live: Live) -> str:
        path = element.record
        if path is None or way_of(path) is not Way.FIELDS or element.pairs is None:
            raise Uncovered
        found, piece = self._look(path), self._makes.local()
        name, attribute = safe(element.shown), self._prefixed(element.pairs)
        key, value = ("EA(k)", "ET(v)") if self._makes.escaping else ("k", "v")
        self.lines += [
            f'{piece} = ""',
            f"for k, v in ({found} or {{}}).items():",
            "    A(k)",
            "    A(v)",
            f"    {piece} += f'<{name} {attribute}=\"{{{key}}}\">{{{value}}}</{name}>'",
        ]
        live.some.append(piece)
        return f"{{{piece}}}"

    def _base(self, path: Path) -> tuple[str, Shape]:
        """The record that a path starts from, and its shape."""
        if path.header:
            return "U[-1]", HEADER
        if path.up:
            return f"U[{path.up - 1}]", self._shapes[path.up]
        return self._record_name, self._shapes[0]

    def _look(self, path: Path) -> str:
        """A local with what stands at a path, or ``None``."""
        return self._walk(path, len(path.parts))

    def _walk(self, path: Path, length: int) -> str:
        if not length:
            return self._base(path)[0]
        key = (path.up, path.header, path.parts[:length])
        if key not in self._known:
            found = self._found(path, length)
            self._known[key] = self._makes.local()
            self.lines.append(f"{self._known[key]} = {found}")
        return self._known[key]

    def _found(self, path: Path, length: int) -> str:
        """An expression for what stands at the end of a path, or of its first parts."""
        if any(isinstance(part, Each) for part in path.parts):
            return f"AGREED({self._base(path)[0]}, {self._makes.constant(path.parts)})"
        if not length:
            return self._base(path)[0]
        above = self._walk(path, length - 1)
        return self._step(above, path.parts[length - 1], sure=length == 1)

    def _step(self, above: str, part: Part, *, sure: bool) -> str:
        if isinstance(part, Field):
            found = f"{above}.{part.name}"
            return found if sure else f"None if {above} is None else {found}"
        if isinstance(part, Index):
            number = part.number
            return f"{above}[{number}] if {above} is not None and len({above}) > {number} else None"
        assert isinstance(part, Match)
        return f"MATCH({above}, {part.key!r}, {part.value!r})"

    def _text(self, value: Value, *, attribute: bool) -> tuple[str, list[str]]:
        """A local with a value, or ``None``, and the lines that turn it into text."""
        text = self._makes.local()
        if value.derived is not None:
            self.lines.append(f"{text} = {self._computed(value.derived)}")
            return text, [f"{text} = PLAIN({text})", *self._judged(text, attribute=attribute)]
        path = value.path
        if path is None or value.repeats:
            raise Uncovered
        found = self._found(path, len(path.parts))
        if value.join is not None:
            found = f"JOINED({found}, {value.join!r})"
        self.lines.append(f"{text} = {found}")
        if value.unsaid is not None:
            self.lines.append(f"if {text} == {value.unsaid!r}: {text} = None")
        if value.part is not None:
            first, last = value.part
            piece = f"{text}[{first - 1}:{last or ''}] or None"
            self.lines.append(f"if {text} is not None: {text} = {piece}")
        lines = self._conversion(value, text, attribute=attribute)
        given = [held for held, keys in self._rows if (value.line.group, value.key) in keys]
        spread = any(isinstance(part, Each) for part in path.parts)
        absent = [] if spread else self._absent(value, text, attribute=attribute)
        if not given and not absent:
            return text, lines
        if given:
            chosen = self._makes.local()
            gets = [f"{held}.get({value.key!r})" for held in reversed(given)]
            self.lines.append(f"{chosen} = {' or '.join(gets)}")
            judged = self._judged(text, attribute=attribute)
            self.lines += [f"if {chosen} is not None:", f"    {text} = {chosen}"]
            self.lines += [f"    {line}" for line in judged]
        self.lines += [f"{'elif' if given else 'if'} {text} is not None:"]
        self.lines += [f"    {line}" for line in lines or ["pass"]]
        if absent:
            self.lines += ["else:", *(f"    {line}" for line in absent)]
        return text, []

    def _absent(self, value: Value, text: str, *, attribute: bool) -> list[str]:
        """Lines that find a text for a value that is not there."""
        if value.default is not None:
            found = escaped(value.default, attribute=attribute)
            return [f"{text} = {found!r}"]
        if value.otherwise is None:
            return []
        words = self._makes.constant(worded(value))
        return [
            f"{text} = {self._computed(value.otherwise)}",
            f"if {text} is not None:",
            f"    {text} = {words}({text})",
            *(f"    {line}" for line in self._judged(text, attribute=attribute)),
        ]

    def _computed(self, expression: Expression) -> str:
        if any(path.messages for path in expression.paths):
            raise Uncovered
        # Without a way out nothing looks behind the record itself.
        records = f"({self._record_name}, *U)" if self._around else f"({self._record_name},)"
        at = "p" if self._around else "1"
        return f"COMPUTED({self._makes.constant(expression)}, {records}, {at})"

    def _judged(self, text: str, *, attribute: bool) -> list[str]:
        """Lines that hand a text to be judged, and escape it."""
        if not self._makes.escaping:
            return [f"A({text})"]
        return [f"A({text})", f"{text} = {'EA' if attribute else 'ET'}({text})"]

    def _conversion(self, value: Value, local: str, *, attribute: bool) -> list[str]:
        """Lines that turn a canonical value into text that can stand where it is put."""
        wire = value.type
        path = value.path
        assert path is not None
        if value.join is not None or value.part is not None:
            written = self._makes.constant(wire.written)
            lines = [f"{local} = {written}({local})"]
            return [*lines, *self._judged(local, attribute=attribute)]
        base = self._base(path)[1]
        leaf = field_of(base, path.parts).shape if path.parts else base
        if leaf.form is Form.LIST and leaf.item is not None:
            leaf = leaf.item
        if wire.codes is not None:
            table = {
                ours: escaped(spelt, attribute=True) if attribute else escaped_text(spelt)
                for ours, spelt in wire.codes.ours.items()
            }
            return [f"{local} = {self._makes.constant(table.__getitem__)}({local})"]
        if leaf.form is Form.TEXT and wire.raw:
            return [*self._bounds(value, leaf, local), *self._judged(local, attribute=attribute)]
        if leaf.form is Form.DATE and wire.raw:
            return [f"{local} = {local}.isoformat()"]
        if leaf.form in (Form.DECIMAL, Form.INTEGER) and wire.raw and wire.pattern is not None:
            # Zero with a sign, and what has too many zeros at its end, are written otherwise.
            pattern = wire.pattern.replace("-?", "(?!-0*[.]?0*(?![0-9.]))-?")
            number = self._makes.collector(pattern)
            return [f"{local} = str({local})", f"X[{number}]({local})"]
        return [f"{local} = {self._makes.constant(wire.written)}({local})"]

    def _bounds(self, value: Value, leaf: Shape, local: str) -> list[str]:
        """Lines for what a text may be here, where the model allows more."""
        wire = value.type
        lines = []
        if wire.pattern is not None and wire.pattern != leaf.pattern:
            if separable(wire.pattern):
                lines.append(f"X[{self._makes.collector(wire.pattern)}]({local})")
            else:
                matches = self._makes.constant(re.compile(wire.pattern).fullmatch)
                lines.append(f"if {matches}({local}) is None: raise Unusual")
        if wire.maximum is not None and wire.maximum < (leaf.max_length or 1 << 62):
            lines.append(f"if len({local}) > {wire.maximum}: raise Unusual")
        if wire.minimum is not None and wire.minimum > (leaf.min_length or 0):
            lines.append(f"if len({local}) < {wire.minimum}: raise Unusual")
        return lines


def escaped_text(text: str) -> str:
    """Text of an element."""
    return escaped(text, attribute=False)


def safe(name: str) -> str:
    """A name that may stand in generated source, checked once more."""
    prefix, colon, last = name.rpartition(":")
    if not NAME.fullmatch(last) or (colon and not NAME.fullmatch(prefix)):
        raise Uncovered
    return name


def literal(text: str) -> str:
    """Constant text as a piece of an f-string in double quotes."""
    found = escaped(text, attribute=True).replace("{", "{{").replace("}", "}}")
    return repr(found)[1:-1].replace('"', '\\"')
