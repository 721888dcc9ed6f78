"""Source of one function of the fast reader: one content into one record.

``def f(e, X)`` gives the record and the number of nodes that it accounts for below ``e`` and of
attributes at it. Every element met either puts one more key into a mapping or is counted where
it stands: whatever repeats, overwrites or is nested where it should not be is missed by the
count, never counted twice.
"""

from __future__ import annotations

from typing import Any, Protocol

from translators.layout.fastforms import (
    Check,
    check_of,
    covers_element,
    covers_value,
    field_of,
    names,
)
from translators.layout.plan import Content, Element, Value
from translators.model import Shape


class Makes(Protocol):
    """What the body needs of the generator around it."""

    def constant(self, value: Any) -> str: ...

    def collector(self, pattern: str) -> int: ...

    def function(self, content: Content, shape: Shape) -> str: ...


class Body:
    """Collects the lines of one function."""

    def __init__(self, makes: Makes, content: Content, shape: Shape, *, refuse: bool) -> None:
        self._makes = makes
        self._content = content
        self._shape = shape
        self._refuse = refuse
        self._targets: dict[tuple[str, ...], str] = {(): "d"}
        self._orders: dict[str, tuple[int, str, str | None]] = {}
        self._locals: list[str] = []
        self._branches: list[list[str]] = []
        self._after: list[str] = []
        self._merges: list[str] = []

    def lines(self, name: str) -> list[str]:
        """The whole function."""
        for slot in self._content.slots.values():
            element, *others = slot.elements
            # What is not covered gets no number: met, it raises KeyError.
            if not others and covers_element(element):
                self._element(element, slot.order)
        own = self._own()
        loop = self._loop()
        lines = ["n = 0"]
        lines += [f"{target} = {{}}" for target in self._targets.values()]
        if self._locals:
            lines.append(f"{' = '.join(self._locals)} = None")
        lines += loop
        # An element and its text for each key; what is counted otherwise has set this right.
        lines += [f"n += 2 * len({target})" for target in self._targets.values()]
        lines += self._after + own + self._nested() + self._merges
        return [f"def {name}(e, X):", *(f"    {line}" for line in lines), "    return d, n"]

    def _loop(self) -> list[str]:
        if not self._orders:
            return []
        targets = list(dict.fromkeys(target for _, target, key in self._orders.values() if key))
        several = len(targets) > 1
        table = {
            tag: (order, targets.index(target) if key else 0, key) if several else (order, key)
            for tag, (order, target, key) in self._orders.items()
        }
        lines = [f"O = {self._makes.constant(table)}"]
        if several:
            lines.append(f"D = ({', '.join(targets)})")
        body = ["i, s, k = O[c.tag]" if several else "i, k = O[c.tag]"]
        if self._refuse:
            lines.append("p = 0")
            body += ["if i < p: raise Unusual", "p = i"]
        if targets:
            place = "D[s]" if several else targets[0]
            body.append(f"if k: {place}[k] = c.text.strip()")
        for at, (condition, *branch) in enumerate(self._branches):
            body.append(f"{'elif' if at or targets else 'if'} {condition}:")
            body += [f"    {line}" for line in branch]
        return [*lines, "for c in e[:]:", *(f"    {line}" for line in body)]

    def _nested(self) -> list[str]:
        """Put mappings of dotted paths into their records, the innermost first."""
        lines = []
        for path, target in sorted(self._targets.items(), key=lambda one: -len(one[0])):
            if path:
                above, key = self._targets[path[:-1]], path[-1]
                lines.append(f"if {target}:")
                lines.append(f"    if {key!r} in {above}: raise Unusual")
                lines.append(f"    {above}[{key!r}] = {target}")
        return lines

    def _place(self, path: tuple[str, ...]) -> tuple[str, str]:
        """The mapping that a path leads to, as a local, and the key in it."""
        for size in range(len(path)):
            if path[:size] not in self._targets:
                self._targets[path[:size]] = f"a{len(self._targets)}"
        return self._targets[path[:-1]], path[-1]

    def _local(self) -> str:
        self._locals.append(f"l{len(self._locals)}")
        return self._locals[-1]

    def _check(self, value: Value) -> Check:
        assert value.path is not None
        return check_of(value, field_of(self._shape, names(value.path)))

    def _check_lines(self, value: Value) -> list[str]:
        return self._check(value).lines(self._makes.constant, self._makes.collector)

    def _own(self) -> list[str]:
        """Attributes and own text of the element."""
        lines = []
        for tag, value in self._content.attributes.items():
            # An attribute that is not covered stays uncounted and so is noticed.
            if covers_value(value):
                lines.append(f"v = e.get({self._makes.constant(tag)})")
                lines += self._present(value)
        text = self._content.text
        if text is not None and covers_value(text):
            lines.append("v = e.text")
            lines += self._present(text)
        elif text is not None:
            lines.append("raise Unusual")
        return lines

    def _present(self, value: Value) -> list[str]:
        if value.constant is not None:
            lines = [f"if v.strip() != {value.constant!r}: raise Unusual"]
        else:
            assert value.path is not None
            target, key = self._place(names(value.path))
            lines = ["v = v.strip()", *self._check_lines(value)]
            lines += [f"if {key!r} in {target}: raise Unusual", f"{target}[{key!r}] = v"]
        lines.append("n += 1")
        if _needed(value):
            # Nothing there has no strip: AttributeError.
            return lines
        return ["if v is not None:", *(f"    {line}" for line in lines)]

    def _element(self, element: Element, order: int) -> None:
        content = element.content
        self._orders[element.tag] = (order, "d", None)
        if element.pairs is not None:
            self._pairs(element, order)
        elif element.record is not None:
            self._record(element, order)
        elif content.text is None or content.attributes or content.slots:
            self._wrapper(element, order)
        elif not covers_value(content.text):
            del self._orders[element.tag]
        elif content.text.constant is not None:
            held = self._local()
            self._branches.append(
                [
                    f"i == {order}",
                    f"if {held}: raise Unusual",
                    f"{held} = True",
                    f"if c.text.strip() != {content.text.constant!r}: raise Unusual",
                    "n += 2",
                ]
            )
        elif element.maximum != 1:
            self._texts(element, content.text, order)
        else:
            self._leaf(element, content.text, order)

    def _wrapper(self, element: Element, order: int) -> None:
        function = self._makes.function(element.content, self._shape)
        held = self._local()
        self._branches.append(
            [
                f"i == {order}",
                f"if {held} is not None: raise Unusual",
                f"{held}, m = {function}(c, X)",
                "n += 1 + m",
            ]
        )
        if element.minimum or _has_defaults(element.content):
            self._after.append(f"if {held} is None: raise Unusual")
        self._merges.append(f"if {held}: MERGE(d, {held})")

    def _leaf(self, element: Element, value: Value, order: int) -> None:
        assert value.path is not None
        target, key = self._place(names(value.path))
        self._orders[element.tag] = (order, target, key)
        lines = self._check_lines(value)
        needed = bool(element.minimum) or value.default is not None or value.otherwise is not None
        if lines:
            if lines[-1].startswith("v = "):
                lines.append(f"{target}[{key!r}] = v")
            if needed:
                # Nothing there: KeyError.
                self._after += [f"v = {target}[{key!r}]", *lines]
            else:
                self._after += [f"v = {target}.get({key!r})", "if v is not None:"]
                self._after += [f"    {line}" for line in lines]
        elif needed and not self._model_requires(names(value.path)):
            self._after.append(f"{target}[{key!r}]")

    def _model_requires(self, path: tuple[str, ...]) -> bool:
        """True when the gate refuses a record without this value."""
        return len(path) == 1 and field_of(self._shape, path).required

    def _texts(self, element: Element, value: Value, order: int) -> None:
        assert value.path is not None
        entries, opened = self._list(element, names(value.path))
        self._branches.append(
            [
                f"i == {order}",
                *opened,
                "v = c.text.strip()",
                *self._check_lines(value),
                f"{entries}.append(v)",
                "n += 2",
            ]
        )

    def _record(self, element: Element, order: int) -> None:
        assert element.record is not None
        path = names(element.record)
        shape = field_of(self._shape, path).shape
        if element.maximum == 1:
            target, key = self._place(path)
            self._branches.append(
                [
                    f"i == {order}",
                    f"if {key!r} in {target}: raise Unusual",
                    *self._read(element.content, shape, f"{target}[{key!r}]", counted=2),
                ]
            )
            if element.minimum and not self._model_requires(path):
                self._after.append(f"{target}[{key!r}]")
            return
        assert shape.item is not None
        entries, opened = self._list(element, path)
        lines = self._read(element.content, shape.item, "x", counted=0)
        self._branches.append([f"i == {order}", *opened, *lines, f"{entries}.append(x)"])

    def _read(self, content: Content, shape: Shape, into: str, *, counted: int) -> list[str]:
        """Read an element into a place; ``counted`` nodes are already counted by its key."""
        inlined = self._inlined(content, shape, into, counted)
        if inlined is not None:
            return inlined
        function = self._makes.function(content, shape)
        return [f"{into}, m = {function}(c, X)", f"n += m {1 - counted:+}"]

    def _inlined(self, content: Content, shape: Shape, into: str, counted: int) -> list[str] | None:
        """A text with required attributes, as one expression; anything else is no case."""
        if content.slots or content.text is None:
            return None
        places = [("c.text", content.text)]
        places += [
            (f"c.get({self._makes.constant(tag)})", value)
            for tag, value in content.attributes.items()
        ]
        lines, entries = [], []
        for expression, value in places:
            if not covers_value(value) or value.path is None or not value.required:
                return None
            if value.default is not None or len(value.path.parts) != 1:
                return None
            check = check_of(value, field_of(shape, names(value.path)))
            text = expression if check.bare else f"{expression}.strip()"
            (key,) = names(value.path)
            if check.plain:
                entries.append(f"{key!r}: {text}")
                continue
            name = f"v{len(entries)}"
            lines.append(f"{name} = v = {text}")
            made = check.lines(self._makes.constant, self._makes.collector)
            lines += made
            if made[-1].startswith("v = "):
                lines.append(f"{name} = v")
            entries.append(f"{key!r}: {name}")
        total = 1 + len(places) - counted
        return [*lines, f"{into} = {{{', '.join(entries)}}}", f"n += {total}"]

    def _list(self, element: Element, path: tuple[str, ...]) -> tuple[str, list[str]]:
        """The local of a list, and the lines that make it; its key counts for nothing."""
        target, key = self._place(path)
        entries = self._local()
        shape = field_of(self._shape, path).shape
        bound = element.maximum
        if bound is not None and bound < (shape.max_length or 1 << 62):
            self._after.append(f"if {entries} and len({entries}) > {bound}: raise Unusual")
        if element.minimum and not (self._model_requires(path) and shape.min_length):
            self._after.append(f"if {entries} is None: raise Unusual")
        return entries, self._opened(entries, target, key, "[]")

    def _opened(self, local: str, target: str, key: str, empty: str) -> list[str]:
        return [
            f"if {local} is None:",
            f"    if {key!r} in {target}: raise Unusual",
            f"    {local} = {target}[{key!r}] = {empty}",
            "    n -= 2",
        ]

    def _pairs(self, element: Element, order: int) -> None:
        assert element.record is not None
        assert element.pairs is not None
        target, key = self._place(names(element.record))
        held = self._local()
        name = self._makes.constant(element.pairs)
        self._branches.append(
            [
                f"i == {order}",
                *self._opened(held, target, key, "{}"),
                f"{held}[c.get({name}).strip()] = c.text.strip()",
            ]
        )
        # Element, attribute and text; the same name twice is missed by the count.
        self._after.append(f"if {held}: n += 3 * len({held})")


def _needed(value: Value) -> bool:
    return value.required or value.whole or value.default is not None or value.otherwise is not None


def _has_defaults(content: Content) -> bool:
    own = [*content.attributes.values(), *([content.text] if content.text else [])]
    return any(value.default is not None or value.otherwise is not None for value in own) or any(
        element.record is None and _has_defaults(element.content) for element in content.elements()
    )
