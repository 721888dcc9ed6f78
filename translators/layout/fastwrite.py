"""The fast writer: source of f-strings generated from the compiled tree.

It writes what needs no explanation. All texts of a message are judged together: one that needs
escaping sends the message through the escaping twin of the same source, anything else out of
the ordinary raises, and the reference writer takes the message; both give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from translators.canonical import Header
from translators.layout import fastlooks
from translators.layout.fastforms import contextual
from translators.layout.fastplaces import Unusual
from translators.layout.fastwritebody import Uncovered, WriteBody
from translators.layout.grammar import Path
from translators.layout.plan import Content, Element, Plan
from translators.layout.writing import escaped
from translators.model import HEADER, SHAPES, Shape

Write = Callable[..., str]
"""Writes an element from a record; its texts are handed to ``A``, and those that must match a
pattern to that one of ``X``. Where it matters: the records around it (the header is the last of
them) and its position."""
_EDGE = "|"
"""Between texts that are judged together; a text that holds it at an edge takes the long way."""
_SEPARATOR = "\0"


class FastWriter:
    """Writes one form of message."""

    def __init__(
        self, plain: Write, escaping: Write, patterns: tuple[str, ...], *, contextual: bool
    ) -> None:
        self._plain = plain
        self._escaping = escaping
        self._contextual = contextual
        self._matches = tuple(
            re.compile(f"(?:{pattern})(?:{_SEPARATOR}(?:{pattern}))*").fullmatch
            for pattern in patterns
        )

    def write(self, message: Any, header: Any, ordinal: int) -> str:
        """The element of a message; raises :class:`Unusual` (or what bad values raise)."""
        more = ((header,), ordinal) if self._contextual else ()
        texts: list[str] = []
        collected: list[list[str]] = [[] for _ in self._matches]
        keep = tuple([entries.append for entries in collected])
        found = self._plain(message, texts.append, keep, *more)
        judged = f"|{_EDGE.join(texts)}|"
        if not judged.isprintable() or "| " in judged or " |" in judged or "||" in judged:
            raise Unusual
        for matches, entries in zip(self._matches, collected, strict=True):
            if entries and not matches(_SEPARATOR.join(entries)):
                raise Unusual
        if "&" in judged or "<" in judged or ">" in judged or '"' in judged:
            return self._escaping(message, texts.append, keep, *more)
        return found


def fast_writers(plan: Plan) -> dict[str, FastWriter]:
    """A fast writer for each form of message, by its group, where the layout allows one."""
    writers: dict[str, FastWriter] = {}
    shown = plan.chain[-1].shown if plan.chain else plan.name(plan.root)
    for row in plan.messages.rows:
        with suppress(Uncovered):
            writers[row.group] = _both(plan, shown, row.content, SHAPES[row.kind])
    return writers


class HeaderWriter:
    """Writes what stands before the messages where that is one element of the header alone."""

    def __init__(self, element: Element, path: Path, streamed: Element, writer: FastWriter) -> None:
        self.element = element
        self.path = path
        self.streamed = streamed
        self._writer = writer

    def write(self, header: Header) -> str:
        """The element; raises what :meth:`FastWriter.write` does."""
        return self._writer.write(header, header, 1)


def header_writer(plan: Plan) -> HeaderWriter | None:
    """The writer of a header that is one element, when the layout allows one."""
    document = plan.document
    elements = list(document.elements())
    if len(plan.chain) != 1 or document.attributes or document.text or len(elements) != 2:
        return None
    first, streamed = elements
    path = first.record
    if path is None or not path.header or path.parts or first.maximum != 1 or first.predicate:
        return None
    if plan.required_count or document.choices or first.pairs or streamed.messages is None:
        return None
    try:
        return HeaderWriter(first, path, streamed, _both(plan, first.shown, first.content, HEADER))
    except Uncovered:
        return None


def _both(plan: Plan, shown: str, content: Content, shape: Shape) -> FastWriter:
    """The writer of an element and its escaping twin."""
    plain, twin = _Source(plan, escaping=False), _Source(plan, escaping=True)
    return FastWriter(
        plain.compiled(shown, content, shape),
        twin.compiled(shown, content, shape),
        tuple(plain.patterns),
        contextual=contextual(content),
    )


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
        self._names: dict[str, Any] = {
            "Unusual": Unusual,
            "EA": _escape,
            "ET": _escape_text,
            "AGREED": fastlooks.agreed,
            "COMPUTED": fastlooks.computed,
            "JOINED": fastlooks.joined,
            "MATCH": fastlooks.match,
            "OTHERS": fastlooks.others,
            "PLAIN": fastlooks.plain,
        }
        self._functions: dict[tuple[object, ...], str] = {}
        self._lines: list[str] = []
        self._locals = 0

    def compiled(self, shown: str, content: Content, shape: Shape) -> Write:
        """The entry point."""
        name = self.function(shown, content, (shape,))
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

    def function(self, shown: str, content: Content, shapes: tuple[Shape, ...]) -> str:
        """The function that writes one element from one record of the first shape."""
        outward = contextual(content)
        known = shapes if outward else shapes[:1]
        key = (shown, id(content), *(id(shape) for shape in known))
        if key not in self._functions:
            name = f"w{len(self._functions)}"
            self._functions[key] = name
            body = WriteBody(self, content, shapes, "m")
            whole = body.element(shown, content)
            lines = [*body.lines, f"return {whole}"]
            more = ", U, p" if outward else ""
            self._lines += [f"def {name}(m, A, X{more}):", *(f"    {line}" for line in lines)]
        return self._functions[key]
