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

Texts = list[str]
Collected = tuple[list[str], ...]
_EDGE = "|"
"""Between texts that are judged together; a text that holds it at an edge takes the long way."""
_SEPARATOR = "\0"


class Uncovered(Exception):
    """A layout with a line that the fast writer does not know."""


class FastWriter:
    """Writes one form of message."""

    def __init__(
        self,
        plain: Callable[[Any, Texts, Collected], str],
        escaping: Callable[[Any, Texts, Collected], str],
        patterns: tuple[str, ...],
    ) -> None:
        self._plain = plain
        self._escaping = escaping
        self._matches = tuple(
            re.compile(f"(?:{pattern})(?:{_SEPARATOR}(?:{pattern}))*").fullmatch
            for pattern in patterns
        )

    def write(self, message: Any) -> str:
        """The element of a message; raises :class:`Unusual` (or what bad values raise)."""
        texts: Texts = []
        collected: Collected = tuple([] for _ in self._matches)
        found = self._plain(message, texts, collected)
        judged = f"|{_EDGE.join(texts)}|"
        if not judged.isprintable() or "| " in judged or " |" in judged or "||" in judged:
            raise Unusual
        for matches, entries in zip(self._matches, collected, strict=True):
            if entries and not matches(_SEPARATOR.join(entries)):
                raise Unusual
        if "&" in judged or "<" in judged or ">" in judged or '"' in judged:
            return self._escaping(message, [], tuple([] for _ in self._matches))
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

    def compiled(self, shown: str, content: Content, shape: Shape) -> Callable[..., str]:
        """The entry point."""
        name = self.function(shown, content, shape)
        code = compile("\n".join(self._lines), f"<{self.plan.id}, write>", "exec")
        exec(code, self._names)  # noqa: S102  # made here from a compiled layout
        found: Callable[..., str] = self._names[name]
        return found

    def constant(self, value: Any) -> str:
        """A name for a constant."""
        name = f"C{len(self._names)}"
        self._names[name] = value
        return name

    def collector(self, pattern: str) -> int:
        """Number of the list whose entries must all match a pattern."""
        return self.patterns.setdefault(pattern, len(self.patterns))

    def function(self, shown: str, content: Content, shape: Shape) -> str:
        """The function ``w(m, T, X)`` that writes one element from one record."""
        key = (shown, id(content), id(shape))
        if key not in self._functions:
            if content.claims or content.choices:
                raise Uncovered
            name = f"w{len(self._functions)}"
            self._functions[key] = name
            body = _Body(self, shape)
            whole = body.element(shown, content)
            lines = [*body.lines, f"return {whole}"]
            self._lines += [f"def {name}(m, T, X):", *(f"    {line}" for line in lines)]
        return self._functions[key]


class _Body:
    """The lines of one function; every method gives an expression or a piece of an f-string."""

    def __init__(self, source: _Source, shape: Shape) -> None:
        self._source = source
        self._shape = shape
        self.lines: list[str] = []
        self._count = 0
        self._records: dict[tuple[str, ...], str] = {(): "m"}

    def element(self, shown: str, content: Content) -> str:
        """The expression of a whole element whose record exists."""
        attributes, inner, _ = self._pieces(content)
        whole = self._local()
        self.lines.append(f'{whole} = f"{inner}"')
        name = _safe(shown)
        return (
            f'f"<{name}{attributes}>{{{whole}}}</{name}>" if {whole} else f"<{name}{attributes}/>"'
        )

    def _local(self) -> str:
        self._count += 1
        return f"v{self._count}"

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
        found = self._value(value, attribute=True)
        piece = self._local()
        missing = "raise Unusual" if value.required else f'{piece} = ""'
        self.lines += [
            f"if {found} is None: {missing}",
            f"else: {piece} = f' {name}=\"{{{found}}}\"'",
        ]
        live.append(piece)
        return f"{{{piece}}}"

    def _prefixed(self, uri: str, local: str) -> str:
        for prefix, known in self._source.plan.namespaces.items():
            if known == uri and prefix != "default":
                return f"{_safe(prefix)}:{_safe(local)}"
        raise Uncovered

    def _text(self, value: Value, live: list[str]) -> str:
        if value.constant is not None:
            return _literal(value.constant)
        found = self._value(value, attribute=False)
        piece = self._local()
        missing = "raise Unusual" if value.required or value.whole else f'{piece} = ""'
        self.lines += [f"if {found} is None: {missing}", f"else: {piece} = {found}"]
        live.append(piece)
        return f"{{{piece}}}"

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
        found = self._value(value, attribute=False)
        name = _safe(element.shown)
        if element.minimum:
            self.lines.append(f"if {found} is None: raise Unusual")
            live.append(found)
            return f"<{name}>{{{found}}}</{name}>"
        piece = self._local()
        self.lines.append(f'{piece} = "" if {found} is None else f"<{name}>{{{found}}}</{name}>"')
        live.append(piece)
        return f"{{{piece}}}"

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
            function = self._source.function(element.shown, element.content, shape.item)
            self.lines.append(f'{piece} = "".join([{function}(x, T, X) for x in {found} or ()])')
            return self._several(element, found, piece, live)
        function = self._source.function(element.shown, element.content, shape)
        missing = "raise Unusual" if element.minimum else f'{piece} = ""'
        self.lines += [
            f"if {found} is None: {missing}",
            f"else: {piece} = {function}({found}, T, X)",
        ]
        live.append(piece)
        return f"{{{piece}}}"

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
            "    T += (k, v)",
            f"    {piece} += f'<{name} {attribute}=\"{{{key}}}\">{{{value}}}</{name}>'",
        ]
        live.append(piece)
        return f"{{{piece}}}"

    def _place(self, path: tuple[str, ...]) -> str:
        """A local with what stands at a path, or ``None``."""
        if path not in self._records:
            above, field = self._place(path[:-1]), path[-1]
            local = self._local()
            self._records[path] = local
            found = f"{above}.{field}"
            if above != "m":
                found = f"None if {above} is None else {found}"
            self.lines.append(f"{local} = {found}")
        return self._records[path]

    def _value(self, value: Value, *, attribute: bool) -> str:
        """A local with the text of a value, or ``None`` when there is none."""
        if not covers_value(value) or value.path is None:
            raise Uncovered
        if value.default is not None or value.otherwise is not None or not names(value.path):
            raise Uncovered
        place = self._place(names(value.path))
        local = self._local()
        self.lines += [f"{local} = {place}", f"if {local} is not None:"]
        lines = self._conversion(value, local, attribute=attribute)
        self.lines += [f"    {line}" for line in lines or ["pass"]]
        return local

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
            lines = [f"T.append({local})"]
            if wire.pattern is not None and wire.pattern != leaf.pattern:
                lines.append(f"X[{self._source.collector(wire.pattern)}].append({local})")
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
            return [f"{local} = str({local})", f"X[{number}].append({local})"]
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
