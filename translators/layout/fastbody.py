"""Source of one function of the fast reader: one content into one record.

``def f(e, X)``, or ``def f(e, X, U, p)`` where it matters what is around and at which position,
gives the record and the number of nodes that it accounts for below ``e`` and of attributes at
it. Every element met either puts one more key into a mapping or is counted where it stands:
whatever repeats, overwrites or is nested where it should not be is missed by the count, never
counted twice. Elements around elements have no function: their loops stand in one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from translators.layout.fastforms import Way, contextual, field_of, names, reads_value, way_of
from translators.layout.fastforms import shape_of as shape_at
from translators.layout.fastsinks import Makes, Sinks
from translators.layout.grammar import Path
from translators.layout.plan import Content, Element, Slot, Value
from translators.model import HEADER, Shape

_UNKNOWN = ["raise Unusual"]


def _under(condition: str, lines: list[str]) -> list[str]:
    return [condition, *(f"    {line}" for line in lines)] if lines else []


@dataclass(eq=False)
class _Loop:
    """What happens to the children of one element. ``table`` is by tag: order, and the mapping
    and key of a plain text; ``after``: what is done when they all were met."""

    node: str
    child: str
    table: dict[str, tuple[int, str, str | None]] = field(default_factory=dict)
    branches: list[tuple[int, list[str]]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


class Body:
    """Makes the lines of one function."""

    def __init__(
        self, makes: Makes, content: Content, shapes: tuple[Shape, ...], *, refuse: bool
    ) -> None:
        self._makes = makes
        self._content = content
        self._shapes = shapes
        self._refuse = refuse
        self._contextual = contextual(content)
        self._sinks = Sinks(makes, content, shapes)
        self._counters: list[str] = []
        self._around = False

    def lines(self, name: str) -> list[str]:
        """The whole function."""
        sinks = self._sinks
        read, after = self._read(self._content, "e", 0, "")
        if self._content.text is not None and not reads_value(self._content.text):
            read = _UNKNOWN
        chosen = [*sinks.choices(), *sinks.gathered()]
        lines = ["n = 0", *(["u = {}", "V = (u, *U)"] if self._around else [])]
        lines += [f"{target} = {{}}" for target in sinks.targets.values()]
        if sinks.locals:
            lines.append(f"{' = '.join(sinks.locals)} = None")
        if self._counters:
            lines.append(f"{' = '.join(self._counters)} = 0")
        lines += read
        # An element and its text for each key; what is counted otherwise has set this right.
        lines += [f"n += 2 * len({target})" for target in sinks.targets.values()]
        lines += after + chosen + sinks.nested()
        if self._around:
            lines.append("if u: SETTLE(d, u)")
        lines += sinks.unsaid()
        lines += sinks.late
        head = f"def {name}(e, X, U, p):" if self._contextual else f"def {name}(e, X):"
        result = "d['.'], n" if sinks.itself else "d, n"
        return [head, *(f"    {line}" for line in lines), f"    return {result}"]

    def _read(
        self, content: Content, node: str, depth: int, when: str
    ) -> tuple[list[str], list[str]]:
        """Lines that read an element, and those for when all of the record was met."""
        lines: list[str] = []
        for tag, value in content.attributes.items():
            place = f"{node}.get({self._makes.constant(tag)})"
            lines += self._own(value, place, when, needed=value.required)
        if content.text is not None:
            needed = content.text.required or content.text.whole
            lines += self._own(content.text, f"{node}.text", "", needed=needed)
        loop = _Loop(node, f"c{depth}")
        for slot in content.slots.values():
            self._slot(slot, loop, depth)
        return lines + self._loop(loop, depth), loop.after

    def _own(self, value: Value, place: str, when: str, *, needed: bool) -> list[str]:
        """An attribute, or the text of an element that has more than that."""
        if not reads_value(value):
            # Unseen by the count when it is there.
            return _UNKNOWN if needed or value.default or value.otherwise else []
        present = self._sinks.present(value, 1)
        absent = self._sinks.filled(value, 0, when) if value.path is not None else []
        lines = [f"v = {place}"]
        if absent is None and needed:
            # Nothing there has no strip: AttributeError.
            return [*lines, *present]
        return [*lines, *_under("if v is not None:", present), *_under("else:", absent or [])]

    def _loop(self, loop: _Loop, depth: int) -> list[str]:
        if not loop.table:
            return []
        targets = list(dict.fromkeys(target for _, target, key in loop.table.values() if key))
        several = len(targets) > 1
        table = {
            tag: (order, targets.index(target) if key else 0, key) if several else (order, key)
            for tag, (order, target, key) in loop.table.items()
        }
        lines = [f"O{depth} = {self._makes.constant(table)}"]
        if several:
            lines.append(f"D{depth} = ({', '.join(targets)})")
        child = loop.child
        body = [f"i, {'s, ' if several else ''}k = O{depth}[{child}.tag]"]
        if self._refuse:
            lines.append(f"p{depth} = 0")
            body += [f"if i < p{depth}: raise Unusual", f"p{depth} = i"]
        if targets:
            place = f"D{depth}[s]" if several else targets[0]
            body.append(f"if k: {place}[k] = {child}.text.strip()")
        for at, (order, branch) in enumerate(loop.branches):
            word = "elif" if at or targets else "if"
            body += _under(f"{word} i == {order}:", branch)
        return [*lines, *_under(f"for {child} in {loop.node}[:]:", body)]

    def _slot(self, slot: Slot, loop: _Loop, depth: int) -> None:
        """Every element of one name."""
        (element, *others) = slot.elements
        content = element.content
        plain = content.text is not None and not content.attributes and not content.slots
        if others or element.predicate is not None:
            loop.table[slot.tag] = (slot.order, "d", None)
            told = [*self._only_form(slot, loop), *self._forms(slot, loop, depth)]
            loop.branches.append((slot.order, told))
        elif (
            plain
            and content.text is not None
            and element.record is None
            and element.messages is None
            and Sinks.simple(content.text)
            and element.maximum == 1
        ):
            self._leaf(element, content.text, slot.order, loop)
        else:
            branch = self._element(element, loop, depth)
            # What is not known gets no number: met, it raises KeyError.
            if branch is not None:
                loop.table[slot.tag] = (slot.order, "d", None)
                loop.branches.append((slot.order, branch))

    def _forms(self, slot: Slot, loop: _Loop, depth: int) -> list[str]:
        """Tell the forms of an element apart by what stands in it."""
        lines: list[str] = []
        tests: list[str] = []
        subjects: dict[tuple[str, bool], str] = {}
        word = "if"
        # Forms in another order than that of their lines are noted: they will change places.
        latest = f"g{len(self._counters)}"
        self._counters.append(latest)
        for at, element in enumerate(slot.elements):
            branch = self._element(element, loop, depth) or _UNKNOWN
            if len(slot.elements) > 1:
                branch = [f"if {latest} > {at}: raise Unusual", f"{latest} = {at}", *branch]
            predicate = element.predicate
            if predicate is None:
                tests += _under("else:" if tests else "if True:", branch)
                for other in slot.elements[slot.elements.index(element) + 1 :]:
                    loop.after += self._absent(other)
                return [*lines, *tests]
            subject = (predicate.name, predicate.attribute)
            if subject not in subjects:
                subjects[subject] = f"q{depth}_{len(subjects)}"
                name = self._makes.constant(predicate.name)
                found = f"TEXT_OF({loop.child}, {name})"
                if predicate.attribute:
                    found = f"({loop.child}.get({name}) or '').strip()"
                lines.append(f"{subjects[subject]} = {found}")
            tests += _under(f"{word} {subjects[subject]} == {predicate.value!r}:", branch)
            word = "elif"
        return [*lines, *tests, "else: raise Unusual"]

    def _only_form(self, slot: Slot, loop: _Loop) -> list[str]:
        """Lines that see that an element stands in one form alone."""
        if not slot.single:
            return []
        held, guard = self._guard()
        if slot.needed:
            loop.after.append(f"if not {held}: raise Unusual")
        return guard

    def _leaf(self, element: Element, value: Value, order: int, loop: _Loop) -> None:
        """A plain text with a field of its own."""
        assert value.path is not None
        target, key = self._sinks.place(names(value.path))
        loop.table[element.tag] = (order, target, key)
        lines = self._sinks.checks(value)
        if lines and lines[-1].startswith("v = "):
            lines.append(f"{target}[{key!r}] = v")
        absent = self._sinks.filled(value, None, "")
        if absent is None and element.minimum:
            if lines:
                # Nothing there: KeyError.
                loop.after += [f"v = {target}[{key!r}]", *lines]
            elif not self._model_requires(value.path):
                loop.after.append(f"{target}[{key!r}]")
            return
        if lines or absent:
            loop.after.append(f"v = {target}.get({key!r})")
            loop.after += _under("if v is not None:", lines)
            loop.after += _under("if v is None:", absent or [])

    def _model_requires(self, path: Path) -> bool:
        """True when the gate refuses a record without this value."""
        return len(path.parts) == 1 and field_of(self._shapes[0], path.parts).required

    def _element(self, element: Element, loop: _Loop, depth: int) -> list[str] | None:
        """What is done with an element of one form; ``None`` when that is not known."""
        content = element.content
        if element.messages is not None:
            return None
        if element.record is not None:
            way = way_of(element.record)
            known = way in (Way.FIELDS, Way.ENTRY)
            known = known or (way is Way.ABOVE and element.maximum != 1)
            if not known or (element.pairs is not None and way is not Way.FIELDS):
                loop.after += _UNKNOWN if element.minimum else []
                return None
            if element.pairs is not None:
                return self._pairs(element, element.record, loop)
            return self._record(element, element.record, loop)
        if content.text is None or content.attributes or content.slots:
            return self._wrapper(element, loop, depth)
        if not reads_value(content.text):
            missing = element.minimum or content.text.default or content.text.otherwise
            loop.after += _UNKNOWN if missing else []
            return None
        return self._text(element, content.text, loop)

    def _guard(self) -> tuple[str, list[str]]:
        held = self._sinks.local()
        return held, [f"if {held}: raise Unusual", f"{held} = True"]

    def _text(self, element: Element, value: Value, loop: _Loop) -> list[str]:
        """A text that goes to a list, to an entry of one, or anywhere but to a field."""
        lines = [f"v = {loop.child}.text", *self._sinks.present(value, 2)]
        if element.maximum != 1:
            assert value.path is not None
            if way_of(value.path) is not Way.FIELDS:
                return [*lines, *self._counted(element, loop)[1]]
            entries, _ = self._sinks.entries(names(value.path))
            return [*lines, *self._occurs(element, value.path, entries, loop)]
        held, guard = self._guard()
        absent = self._sinks.filled(value, None, f"not {held}")
        if absent is None and element.minimum:
            loop.after.append(f"if not {held}: raise Unusual")
        loop.after += _under(f"if not {held}:", absent or [])
        return [*guard, *lines]

    def _occurs(self, element: Element, path: Path, entries: str, loop: _Loop) -> list[str]:
        """Count entries where a list has other lines too; see that there are as many as must."""
        shape = field_of(self._shapes[0], path.parts).shape
        if self._sinks.uses[names(path)] > 1:
            return self._counted(element, loop)[1]
        bound = element.maximum
        if bound is not None and bound < (shape.max_length or 1 << 62):
            loop.after.append(f"if {entries} and len({entries}) > {bound}: raise Unusual")
        if element.minimum > 1:
            loop.after.append(f"if len({entries} or ()) < {element.minimum}: raise Unusual")
        elif element.minimum and not (self._model_requires(path) and shape.min_length):
            loop.after.append(f"if {entries} is None: raise Unusual")
        return []

    def _counted(self, element: Element, loop: _Loop) -> tuple[str, list[str]]:
        """A counter of an element, and the line that counts."""
        number = f"m{len(self._counters)}"
        self._counters.append(number)
        if element.maximum is not None:
            loop.after.append(f"if {number} > {element.maximum}: raise Unusual")
        if element.minimum:
            loop.after.append(f"if {number} < {element.minimum}: raise Unusual")
        return number, [f"{number} += 1"]

    def _wrapper(self, element: Element, loop: _Loop, depth: int) -> list[str]:
        """An element whose content belongs to the record around it."""
        content = element.content
        held, guard = self._guard()
        if content.text is not None and not reads_value(content.text):
            missing = element.minimum or content.text.default or content.text.otherwise
            loop.after += _UNKNOWN if missing else []
            return _UNKNOWN
        # What stands beside a text is filled in only where that text's element stands.
        when = held if content.text is not None else ""
        read, after = self._read(content, loop.child, depth + 1, when)
        loop.after += _under(f"if {held}:", after)
        loop.after += _under(f"if not {held}:", self._absent(element))
        return [*guard, "n += 1", *read]

    def _absent(self, element: Element) -> list[str]:
        """What is done when an element does not stand there."""
        content = element.content
        if element.record is not None:
            return _UNKNOWN if element.minimum else []
        if content.text is not None:
            absent = self._sinks.missing(content.text)
            return absent if absent is not None else _UNKNOWN if element.minimum else []
        lines: list[str] = []
        for value in content.attributes.values():
            lines += self._sinks.missing(value) or []
        for inner in content.elements():
            lines += self._absent(inner)
        return _UNKNOWN if any(slot.needed for slot in content.slots.values()) else lines

    def _record(self, element: Element, path: Path, loop: _Loop) -> list[str]:
        base = HEADER if path.header else self._shapes[path.up]
        content, shape = element.content, shape_at(base, path.parts)
        if element.maximum != 1:
            assert shape.item is not None
            if way_of(path) is not Way.FIELDS:
                number, counted = self._counted(element, loop)
                lines = self._into(content, shape.item, "x", loop.child, number, counted=0)
                entries, opened = self._sinks.elsewhere(path, counted=True)
                return [*counted, *lines, *opened, f"{entries}.append(x)"]
            entries, opened = self._sinks.entries(names(path))
            occurs = self._occurs(element, path, entries, loop)
            number = occurs[0].partition(" ")[0] if occurs else f"len({entries}) + 1"
            lines = self._into(content, shape.item, "x", loop.child, number, counted=0)
            return [*opened, *occurs, *lines, f"{entries}.append(x)"]
        if way_of(path) is Way.ENTRY:
            held, guard = self._guard()
            entries, parts, opened = self._sinks.picked(path)
            lines = self._into(content, shape, "x", loop.child, "1", counted=0)
            if element.minimum:
                loop.after.append(f"if not {held}: raise Unusual")
            return [*guard, *opened, *lines, f"FILL({entries}, {parts}, x)"]
        target, key = self._sinks.place(names(path))
        place = f"{target}[{key!r}]"
        if element.minimum and not self._model_requires(path):
            loop.after.append(place)
        lines = self._into(content, shape, place, loop.child, "1", counted=2)
        return [f"if {key!r} in {target}: raise Unusual", *lines]

    def _into(
        self, content: Content, shape: Shape, into: str, node: str, position: str, *, counted: int
    ) -> list[str]:
        """Read an element into a place; ``counted`` nodes are already counted by its key."""
        inlined = self._inlined(content, shape, into, node, counted)
        if inlined is not None:
            return inlined
        function = self._makes.function(content, (shape, *self._shapes))
        more = ""
        if contextual(content):
            self._around = True
            more = f", V, {position}"
        return [f"{into}, m = {function}({node}, X{more})", f"n += m {1 - counted:+}"]

    def _inlined(
        self, content: Content, shape: Shape, into: str, node: str, counted: int
    ) -> list[str] | None:
        """A text with required attributes, as one expression; anything else is no case."""
        if content.slots or content.text is None or content.choices or content.unsaid:
            return None
        places = [(f"{node}.text", content.text)]
        places += [
            (f"{node}.get({self._makes.constant(tag)})", value)
            for tag, value in content.attributes.items()
        ]
        sinks = Sinks(self._makes, content, (shape, *self._shapes))
        lines, entries = [], []
        for expression, value in places:
            if not Sinks.simple(value) or value.path is None or not value.required:
                return None
            if value.default is not None or len(value.path.parts) != 1:
                return None
            check = sinks.check(value)
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

    def _pairs(self, element: Element, path: Path, loop: _Loop) -> list[str]:
        assert element.pairs is not None
        held = self._sinks.local()
        name = self._makes.constant(element.pairs)
        # Element, attribute and text; the same name twice is missed by the count.
        loop.after += [f"if {held}: n += 3 * len({held})"]
        return [
            *self._sinks.opened(held, names(path), "{}"),
            f"{held}[{loop.child}.get({name}).strip()] = {loop.child}.text.strip()",
        ]
