"""The fast writer: source of f-strings generated from the compiled tree.

It writes what needs no explanation. All texts of a message are judged together: one that needs
escaping sends the message through the escaping twin of the same source, anything else out of
the ordinary raises, and the reference writer takes the message; both give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from translators.layout.fast import Unusual
from translators.layout.fastforms import covers_value, field_of, names, simple
from translators.layout.grammar import NAME
from translators.layout.plan import Content, Element, Plan, Value
from translators.layout.writing import escaped
from translators.model import SHAPES, Form, Shape

Keep = Callable[[str], None]
Write = Callable[[Any, Keep, tuple[Keep, ...]], str]
"""Writes an element from a record; its texts are handed to ``A``, and those that must match a
pattern to that one of ``X``."""
_EDGE = "|"
"""Between texts that are judged together; a text that holds it at an edge takes the long way."""
_SEPARATOR = "\0"


class Uncovered(Exception):
    """A layout with a line that the fast writer does not know."""


class FastWriter:
    """Writes one form of message."""

    def __init__(self, plain: Write, escaping: Write, patterns: tuple[str, ...]) -> None:
        self._plain = plain
        self._escaping = escaping
        self._matches = tuple(
            re.compile(f"(?:{pattern})(?:{_SEPARATOR}(?:{pattern}))*").fullmatch
            for pattern in patterns
        )

    def write(self, message: Any) -> str:
        """The element of a message; raises :class:`Unusual` (or what bad values raise)."""
        texts: list[str] = []
        collected: list[list[str]] = [[] for _ in self._matches]
        keep = tuple([entries.append for entries in collected])
        found = self._plain(message, texts.append, keep)
        judged = f"|{_EDGE.join(texts)}|"
        if not judged.isprintable() or "| " in judged or " |" in judged or "||" in judged:
            raise Unusual
        for matches, entries in zip(self._matches, collected, strict=True):
            if entries and not matches(_SEPARATOR.join(entries)):
                raise Unusual
        if "&" in judged or "<" in judged or ">" in judged or '"' in judged:
            return self._escaping(message, texts.append, keep)
        return found


def fast_writers(plan: Plan) -> dict[str, FastWriter]:
    """A fast writer for each form of message, by its group, where the layout allows one."""
    writers: dict[str, FastWriter] = {}
    shown = plan.chain[-1].shown if plan.chain else plan.name(plan.root)
    for row in plan.messages.rows:
        try:
            plain = _Source(plan, escaping=False)
            twin = _Source(plan, escaping=True)
            shape = SHAPES[row.kind]
            writers[row.group] = FastWriter(
                plain.compiled(shown, row.content, shape),
                twin.compiled(shown, row.content, shape),
                tuple(plain.patterns),
            )
        except Uncovered:
            continue
    return writers


def _escape(text: str) -> str:
    return escaped(text, attribute=True)


def _escape_text(text: str) -> str:
    return escaped(text, attribute=False)


class _Source:
    """All functions of one form of message."""

    def __init__(self, plan: Plan, *, escaping: bool) -> None:
        self.plan = plan
        self.escaping = escaping
        self.patterns: dict[str, int] = {}
        self._names: dict[str, Any] = {"Unusual": Unusual, "EA": _escape, "ET": _escape_text}
        self._functions: dict[tuple[str, int, int], str] = {}
        self._lines: list[str] = []
        self._locals = 0

    def compiled(self, shown: str, content: Content, shape: Shape) -> Write:
        """The entry point."""
        name = self.function(shown, content, shape)
        code = compile("\n".join(self._lines), f"<{self.plan.id}, write>", "exec")
        exec(code, self._names)  # noqa: S102  # made here from a compiled layout
        found: Write = self._names[name]
        return found

    def local(self) -> str:
        """A name for a local, unlike all others."""
        self._locals += 1
        return f"v{self._locals}"

    def constant(self, value: Any) -> str:
        """A name for a constant."""
        name = f"C{len(self._names)}"
        self._names[name] = value
        return name

    def collector(self, pattern: str) -> int:
        """Number of the list whose entries must all match a pattern."""
        return self.patterns.setdefault(pattern, len(self.patterns))

    def function(self, shown: str, content: Content, shape: Shape) -> str:
        """The function ``w(m, A, X)`` that writes one element from one record."""
        key = (shown, id(content), id(shape))
        if key not in self._functions:
            if content.claims or content.choices:
                raise Uncovered
            name = f"w{len(self._functions)}"
            self._functions[key] = name
            body = _Body(self, shape, "m")
            whole = body.element(shown, content)
            lines = [*body.lines, f"return {whole}"]
            self._lines += [f"def {name}(m, A, X):", *(f"    {line}" for line in lines)]
        return self._functions[key]


class _Body:
    """The lines of one function; every method gives an expression or a piece of an f-string."""

    def __init__(self, source: _Source, shape: Shape, record: str) -> None:
        self._source = source
        self._shape = shape
        self.lines: list[str] = []
        self._record_name = record
        self._records: dict[tuple[str, ...], str] = {(): record}

    def element(self, shown: str, content: Content) -> str:
        """The expression of a whole element whose record exists."""
        attributes, inner, _ = self._pieces(content)
        name = _safe(shown)
        if "<" in inner:
            return f'f"<{name}{attributes}>{inner}</{name}>"'
        whole = self._local()
        self.lines.append(f'{whole} = f"{inner}"')
        full = f'f"<{name}{attributes}>{{{whole}}}</{name}>"'
        return f'{full} if {whole} else f"<{name}{attributes}/>"'

    def _local(self) -> str:
        return self._source.local()

    def _pieces(self, content: Content) -> tuple[str, str, list[str]]:
        """Pieces for attributes and for what stands inside, and the locals that make it live."""
        live: list[str] = []
        attributes = "".join(
            self._attribute(tag, value, live) for tag, value in content.attributes.items()
        )
        inner = ""
        if content.text is not None:
            inner += self._text(content.text, live)
        for element in content.elements():
            inner += self._child(element, live)
        return attributes, inner, live

    def _attribute(self, tag: str, value: Value, live: list[str]) -> str:
        uri, brace, local = tag.rpartition("}")
        name = self._prefixed(uri[1:], local) if brace else _safe(local)
        if value.constant is not None:
            return f' {name}=\\"{_literal(value.constant)}\\"'
        piece = f' {name}=\\"{{}}\\"'
        return self._piece(value, piece, live, needed=value.required, attribute=True)

    def _piece(
        self, value: Value, piece: str, live: list[str], *, needed: bool, attribute: bool = False
    ) -> str:
        """A piece with the text of a value in it; nothing at all when there is none."""
        local, lines = self._value(value, attribute=attribute)
        live.append(local)
        if needed:
            self.lines += [f"if {local} is None: raise Unusual", *lines]
            return piece.replace("{}", f"{{{local}}}")
        whole = self._local()
        live[-1] = whole
        filled = piece.replace("{}", f"{{{local}}}").replace('\\"', '"')
        self.lines += [f'if {local} is None: {whole} = ""', "else:"]
        self.lines += [f"    {line}" for line in [*lines, f"{whole} = f'{filled}'"]]
        return f"{{{whole}}}"

    def _prefixed(self, uri: str, local: str) -> str:
        for prefix, known in self._source.plan.namespaces.items():
            if known == uri and prefix != "default":
                return f"{_safe(prefix)}:{_safe(local)}"
        raise Uncovered

    def _text(self, value: Value, live: list[str]) -> str:
        if value.constant is not None:
            return _literal(value.constant)
        return self._piece(value, "{}", live, needed=value.required or value.whole)

    def _child(self, element: Element, live: list[str]) -> str:
        content = element.content
        if element.messages is not None:
            raise Uncovered
        if element.pairs is not None:
            return self._pairs(element, live)
        if element.record is not None:
            return self._record(element, live)
        leaf = content.text is not None and not content.attributes and not content.slots
        if leaf and element.maximum != 1:
            return self._texts(element, live)
        if leaf and content.text is not None and content.text.path is not None:
            return self._leaf(element, content.text, live)
        return self._wrapper(element, live)

    def _leaf(self, element: Element, value: Value, live: list[str]) -> str:
        name = _safe(element.shown)
        return self._piece(value, f"<{name}>{{}}</{name}>", live, needed=bool(element.minimum))

    def _wrapper(self, element: Element, live: list[str]) -> str:
        attributes, inner, within = self._pieces(element.content)
        name = _safe(element.shown)
        if not within:
            return f"<{name}{attributes}>{inner}</{name}>" if element.fixed else ""
        piece, held = self._local(), self._local()
        test = " or ".join(within)
        missing = "raise Unusual" if element.minimum else f'{piece} = ""'
        full = f'f"<{name}{attributes}>{{{held}}}</{name}>"'
        self.lines += [
            f'{held} = f"{inner}"',
            f'if {test}: {piece} = {full} if {held} else f"<{name}{attributes}/>"',
            f"else: {missing}",
        ]
        live.append(piece)
        return f"{{{piece}}}"

    def _texts(self, element: Element, live: list[str]) -> str:
        value = element.content.text
        assert value is not None
        if not covers_value(value) or value.path is None:
            raise Uncovered
        entries = self._place(names(value.path))
        piece, name = self._local(), _safe(element.shown)
        self.lines += [f'{piece} = ""', f"for v in {entries} or ():"]
        self.lines += [f"    {line}" for line in self._conversion(value, "v", attribute=False)]
        self.lines.append(f'    {piece} += f"<{name}>{{v}}</{name}>"')
        return self._several(element, entries, piece, live)

    def _several(self, element: Element, entries: str, piece: str, live: list[str]) -> str:
        if element.maximum is not None:
            self.lines.append(f"if {entries} and len({entries}) > {element.maximum}: raise Unusual")
        if element.minimum:
            self.lines.append(f"if not {entries}: raise Unusual")
        live.append(piece)
        return f"{{{piece}}}"

    def _record(self, element: Element, live: list[str]) -> str:
        assert element.record is not None
        if not simple(element.record):
            raise Uncovered
        path = names(element.record)
        shape = field_of(self._shape, path).shape
        found, piece = self._place(path), self._local()
        if element.maximum != 1:
            assert shape.item is not None
            lines, whole = self._within(element, shape.item, "x")
            self.lines += [f'{piece} = ""', f"for x in {found} or ():"]
            self.lines += [f"    {line}" for line in [*lines, f"{piece} += {whole}"]]
            return self._several(element, found, piece, live)
        lines, whole = self._within(element, shape, found)
        live.append(piece)
        if element.minimum:
            self.lines += [f"if {found} is None: raise Unusual", *lines, f"{piece} = {whole}"]
        else:
            self.lines += [f'if {found} is None: {piece} = ""', "else:"]
            self.lines += [f"    {line}" for line in [*lines, f"{piece} = {whole}"]]
        return f"{{{piece}}}"

    def _within(self, element: Element, shape: Shape, record: str) -> tuple[list[str], str]:
        """Lines and expression that write a record: here when it is small, else by a call."""
        content = element.content
        if content.slots or content.claims or content.choices:
            function = self._source.function(element.shown, content, shape)
            return [], f"{function}({record}, A, X)"
        body = _Body(self._source, shape, record)
        whole = body.element(element.shown, content)
        return body.lines, whole

    def _pairs(self, element: Element, live: list[str]) -> str:
        assert element.record is not None
        if not simple(element.record) or element.pairs is None:
            raise Uncovered
        found, piece = self._place(names(element.record)), self._local()
        name, attribute = _safe(element.shown), _safe(element.pairs)
        key, value = ("EA(k)", "ET(v)") if self._source.escaping else ("k", "v")
        self.lines += [
            f'{piece} = ""',
            f"for k, v in ({found} or {{}}).items():",
            "    A(k)",
            "    A(v)",
            f"    {piece} += f'<{name} {attribute}=\"{{{key}}}\">{{{value}}}</{name}>'",
        ]
        live.append(piece)
        return f"{{{piece}}}"

    def _place(self, path: tuple[str, ...]) -> str:
        """A local with what stands at a path, or ``None``."""
        if path not in self._records:
            found = self._found(path)
            self._records[path] = self._local()
            self.lines.append(f"{self._records[path]} = {found}")
        return self._records[path]

    def _value(self, value: Value, *, attribute: bool) -> tuple[str, list[str]]:
        """A local with a value, or ``None``, and the lines that turn it into text."""
        if not covers_value(value) or value.path is None:
            raise Uncovered
        if value.default is not None or value.otherwise is not None or not names(value.path):
            raise Uncovered
        local = self._local()
        self.lines.append(f"{local} = {self._found(names(value.path))}")
        return local, self._conversion(value, local, attribute=attribute)

    def _found(self, path: tuple[str, ...]) -> str:
        """An expression for what stands at a path."""
        above = self._place(path[:-1])
        found = f"{above}.{path[-1]}"
        return found if above == self._record_name else f"None if {above} is None else {found}"

    def _conversion(self, value: Value, local: str, *, attribute: bool) -> list[str]:
        """Lines that turn a canonical value into text that can stand where it is put."""
        wire = value.type
        assert value.path is not None
        leaf = field_of(self._shape, names(value.path)).shape
        if leaf.form is Form.LIST and leaf.item is not None:
            leaf = leaf.item
        if wire.codes is not None:
            table = {ours: _escape(spelt) for ours, spelt in wire.codes.ours.items()}
            return [f"{local} = {self._source.constant(table.__getitem__)}({local})"]
        if leaf.form is Form.TEXT and wire.raw:
            lines = [f"A({local})"]
            if wire.pattern is not None and wire.pattern != leaf.pattern:
                lines.append(f"X[{self._source.collector(wire.pattern)}]({local})")
            if wire.maximum is not None and wire.maximum < (leaf.max_length or 1 << 62):
                lines.append(f"if len({local}) > {wire.maximum}: raise Unusual")
            if wire.minimum is not None and wire.minimum > (leaf.min_length or 0):
                lines.append(f"if len({local}) < {wire.minimum}: raise Unusual")
            if self._source.escaping:
                lines.append(f"{local} = {'EA' if attribute else 'ET'}({local})")
            return lines
        if leaf.form is Form.DATE and wire.raw:
            return [f"{local} = {local}.isoformat()"]
        if leaf.form in (Form.DECIMAL, Form.INTEGER) and wire.raw and wire.pattern is not None:
            # Zero with a sign, and what has too many zeros at its end, are written otherwise.
            pattern = wire.pattern.replace("-?", "(?!-0*[.]?0*(?![0-9.]))-?")
            number = self._source.collector(pattern)
            return [f"{local} = str({local})", f"X[{number}]({local})"]
        return [f"{local} = {self._source.constant(wire.written)}({local})"]


def _safe(name: str) -> str:
    """A name that may stand in generated source, checked once more."""
    prefix, colon, local = name.rpartition(":")
    if not NAME.fullmatch(local) or (colon and not NAME.fullmatch(prefix)):
        raise Uncovered
    return name


def _literal(text: str) -> str:
    """Constant text as a piece of an f-string in double quotes."""
    found = _escape(text).replace("{", "{{").replace("}", "}}")
    return repr(found)[1:-1].replace('"', '\\"')
