"""From parsed lines to the tree of elements: wrappers merged, alternatives gathered, frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from translators.layout import files
from translators.layout.grammar import Field, Index, Key, Match, Path, Predicate, Spec, Step
from translators.layout.mistakes import Line, Mistakes
from translators.layout.plan import Choice, Content, Element, Messages, Slot, Value
from translators.layout.types import WireType, make, only, with_maximum
from translators.model import Shape

_TEXT = make("text", ())


@dataclass(eq=False)
class _Node:
    """Content while it is built."""

    attributes: dict[str, Value] = field(default_factory=dict)
    text: Value | None = None
    slots: dict[str, list[_Branch]] = field(default_factory=dict)


@dataclass(eq=False)
class _Branch:
    """One element while it is built."""

    step: Step
    line: Line
    node: _Node
    spec: Spec | None = None
    form: str | None = None


class Shaper:
    """Builds the contents of all groups of one layout."""

    def __init__(
        self,
        specs: Mapping[str, tuple[Spec, ...]],
        types: Mapping[Line, WireType],
        bounds: Mapping[Line, list[Shape]],
        choices: Mapping[tuple[str, str], files.Choice],
        mistakes: Mistakes,
        documents: frozenset[str],
        unsaid: Mapping[str, files.When],
    ) -> None:
        self._specs = specs
        self._types = types
        self._bounds = bounds
        self._choices = choices
        self._mistakes = mistakes
        self._documents = documents
        self._unsaid = unsaid
        self._contents: dict[str, Content] = {}
        self._messages: Messages | None = None

    def contents(self) -> dict[str, Content]:
        """Content of every group but those of documents."""
        for name in self._specs:
            if name not in self._documents:
                self._content(name, ())
        return dict(self._contents)

    def document(self, group: str, messages: Messages) -> tuple[Content, tuple[Element, ...]]:
        """Content of a root and the way from it to the streamed element."""
        self._messages = messages
        self._contents.clear()
        document = self._content(group, ())
        return document, tuple(_chain(document))

    def _content(self, group: str, above: tuple[str, ...]) -> Content:
        if group in above:
            # The ring is already recorded by the binder; anything ends the walk here.
            return Content({}, None, {}, group)
        if group not in self._contents:
            node = _Node()
            chosen = self._chosen(group)
            for spec in self._specs[group]:
                self._place(spec, node, chosen)
            self._contents[group] = self._freeze(node, (*above, group), group)
        return self._contents[group]

    def _chosen(self, group: str) -> frozenset[str]:
        """Keys that rows of this group's choices name; each must be a line of the group."""
        keys = {spec.line.key for spec in self._specs[group]}
        named: set[str] = set()
        for (owner, target), choice in self._choices.items():
            if owner != group:
                continue
            if group in self._documents and target == "kind":
                continue
            for row, values in choice.rows.items():
                for key in values:
                    if key not in keys:
                        self._mistakes.add(choice.lines[row], f"no line {key!r} in [{group}]")
                named.update(values)
        return frozenset(named)

    def _place(self, spec: Spec, node: _Node, chosen: frozenset[str]) -> None:
        key = spec.key
        marked = _marked(key)
        into = key.steps if key.attribute is not None or key.text else key.steps[:-1]
        for step in into:
            branch = self._branch(node, step, spec)
            if branch is None:
                return
            branch.form = branch.form or (spec.form if step is marked else None)
            node = branch.node
        value = None if self._is_record(spec) else self._value(spec, chosen)
        if key.attribute is not None:
            if key.attribute in node.attributes:
                self._mistakes.add(spec.line, "the same attribute twice")
            elif value is None:
                self._mistakes.add(spec.line, "an attribute is no group")
            else:
                node.attributes[key.attribute] = value
        elif key.text:
            if value is None:
                self._own_group(spec, node)
            elif node.text is not None:
                self._mistakes.add(spec.line, "the same text twice")
            else:
                node.text = value
        else:
            self._element(spec, node, value)

    def _own_group(self, spec: Spec, node: _Node) -> None:
        """``"." = "messages ! : group"``: the root itself is the message."""
        if spec.path is not None and spec.path.messages and spec.maximum == 1:
            return
        self._mistakes.add(spec.line, "own text is no group")

    def _element(self, spec: Spec, node: _Node, value: Value | None) -> None:
        step = spec.key.steps[-1]
        branch = self._branch(node, step, spec, last=True)
        if branch is None:
            return
        if step is _marked(spec.key):
            branch.form = branch.form or spec.form
        if branch.spec is not None or (value is not None and branch.node.text is not None):
            self._mistakes.add(spec.line, "the same element twice")
            return
        branch.spec = spec
        if value is not None and spec.type != "pairs":
            branch.node.text = value

    def _branch(self, node: _Node, step: Step, spec: Spec, *, last: bool = False) -> _Branch | None:
        branches = node.slots.get(step.name)
        if branches is None:
            branches = node.slots[step.name] = []
        elif next(reversed(node.slots)) != step.name:
            self._mistakes.add(spec.line, f"lines of one element {step.shown!r} stand together")
            return None
        for branch in branches:
            if branch.step.predicate == step.predicate:
                if branch.spec is not None and self._is_record(branch.spec):
                    text = "the same element twice" if last else "a group's element has no lines"
                    self._mistakes.add(spec.line, text)
                    return None
                return branch
        branches.append(_Branch(step, spec.line, _Node()))
        return branches[-1]

    def _is_record(self, spec: Spec) -> bool:
        return spec.type in self._specs or spec.type == "by"

    def _value(self, spec: Spec, chosen: frozenset[str]) -> Value:
        leaves = self._bounds.get(spec.line, [])
        maxima = [leaf.max_length for leaf in leaves if leaf.max_length is not None]
        type_ = self._types.get(spec.line, _TEXT)
        if spec.firm:
            type_ = only(spec.constant, scalar=type_.scalar)
        if leaves and len(maxima) == len(leaves) and spec.join is None:
            type_ = with_maximum(type_, max(maxima))
        constant = spec.constant
        if spec.places:
            constant = self._placed(spec)
        elif constant is not None and spec.line.key in chosen:
            self._mistakes.add(spec.line, "a constant is not chosen")
        return Value(
            key=spec.line.key,
            line=spec.line,
            type=type_,
            path=spec.path,
            required=bool(spec.minimum),
            whole=spec.key.attribute is None and not spec.key.text,
            repeats=spec.maximum != 1,
            constant=constant,
            firm=spec.firm,
            derived=spec.derived,
            default=spec.default,
            otherwise=spec.otherwise,
            join=spec.join,
            choice=self._choice(spec) if spec.type == "choice" else None,
            chosen=spec.line.key in chosen,
            unsaid=self._nothing_for(spec),
            part=spec.part,
            also=spec.also,
        )

    def _placed(self, spec: Spec) -> str:
        """The value of the predicate whose child this line places."""
        key = spec.key
        parents = key.steps if key.attribute is not None else key.steps[:-1]
        name = key.attribute if key.attribute is not None else key.steps[-1].name
        predicate = parents[-1].predicate if parents else None
        if predicate is None or predicate.name != name:
            self._mistakes.add(spec.line, "'=' alone places the child that a predicate names")
            return ""
        return predicate.value

    def _choice(self, spec: Spec) -> Choice | None:
        path = spec.path
        last = path.parts[-1] if path is not None and path.parts else None
        target = last.name if isinstance(last, Field) else ""
        found = self._choices.get((spec.line.group, target))
        if found is None:
            self._mistakes.add(spec.line, f"there is no [choice.{spec.line.group}.{target or '?'}]")
            return None
        return Choice(found.rows)

    def _freeze(self, node: _Node, above: tuple[str, ...], group: str | None) -> Content:
        slots: dict[str, Slot] = {}
        for order, (tag, branches) in enumerate(node.slots.items()):
            elements = tuple(self._frozen(branch, above) for branch in branches)
            form = self._one_form(branches)
            slots[tag] = Slot(
                tag, order, _listed(elements), single=form is not None, needed=form == "|!"
            )
        content = Content(node.attributes, node.text, slots, group)
        if group is None:
            return content
        return replace(
            content,
            claims=tuple(_claims(content)),
            choices=tuple(value for value in values(content) if value.choice is not None),
            unsaid=self._silent(group),
        )

    def _one_form(self, branches: list[_Branch]) -> str | None:
        """How many of the forms of an element stand together, when that is said."""
        found = {branch.form for branch in branches}
        if found != {None} and len(branches) == 1:
            self._mistakes.add(branches[0].line, "'|' is for an element that has several forms")
        elif len(found) > 1:
            self._mistakes.add(branches[-1].line, "all forms of an element are marked alike by '|'")
        return branches[0].form

    def _nothing_for(self, spec: Spec) -> str | None:
        """Our value for which a line writes nothing; ``^`` leads to a record around."""
        if spec.path is None:
            return None
        groups = self._unsaid if spec.path.up else [spec.line.group]
        name = spec.path.shown.lstrip("^")
        return next((v for group in groups for n, v in self._silent(group) if n == name), None)

    def _silent(self, group: str) -> tuple[tuple[str, str], ...]:
        when = self._unsaid.get(group)
        return tuple((name, str(value)) for name, value in when.values.items()) if when else ()

    def _frozen(self, branch: _Branch, above: tuple[str, ...]) -> Element:
        spec, step = branch.spec, branch.step
        if spec is not None and self._is_record(spec):
            return self._record(branch, spec, above)
        node = branch.node
        if step.predicate is not None:
            _fix(node, step.predicate, branch.line)
        content = self._freeze(node, above, None)
        base = Element(
            tag=step.name,
            shown=step.shown,
            minimum=_needed(content),
            maximum=1,
            content=content,
            predicate=step.predicate,
            line=branch.line,
            fixed=content.text is not None and content.text.path is None and not content.slots,
        )
        if spec is None:
            return base
        base = replace(base, minimum=max(spec.minimum, base.minimum if not content.text else 0))
        if spec.type == "pairs":
            if content.attributes or content.slots:
                self._mistakes.add(spec.line, "pairs have no further lines")
            text = self._value(spec, frozenset())
            attribute = "".join(spec.arguments).removeprefix("@")
            return replace(
                base,
                minimum=0,
                maximum=None,
                content=Content({}, replace(text, path=None), {}),
                record=spec.path,
                pairs=attribute,
            )
        if spec.maximum != 1 and (content.attributes or content.slots):
            self._mistakes.add(spec.line, "a repeated element with lines below it is a group")
        return replace(base, maximum=spec.maximum)

    def _record(self, branch: _Branch, spec: Spec, above: tuple[str, ...]) -> Element:
        path, step = spec.path, branch.step
        if branch.node.attributes or branch.node.slots or branch.node.text:
            self._mistakes.add(spec.line, "a group's element has no lines of its own")
        if path is None or path.messages:
            content = Content({}, None, {})
        else:
            content = self._content(spec.type, above)
            if step.predicate is not None:
                content = _with_predicate(content, step.predicate, branch.line)
        merged = path is not None and not path.parts and not path.header and not path.up
        merged = merged and not (path is not None and path.messages)
        minimum = spec.minimum
        if merged and _needed(content):
            minimum = 1
        return Element(
            tag=step.name,
            shown=step.shown,
            minimum=minimum,
            maximum=spec.maximum,
            content=content,
            predicate=step.predicate,
            record=None if merged else path,
            group=spec.type,
            messages=self._messages if path is not None and path.messages else None,
            line=branch.line,
        )


def _fix(node: _Node, predicate: Predicate, line: Line) -> None:
    """What a predicate names is written last, unless a line of its own places it."""
    value = Value(key=line.key, line=line, type=_TEXT, required=True, constant=predicate.value)
    if predicate.attribute:
        node.attributes.setdefault(predicate.name, value)
    elif predicate.name not in node.slots:
        child = _Branch(Step(predicate.name, predicate.shown), line, _Node())
        child.node.text = value
        node.slots[predicate.name] = [child]


def _with_predicate(content: Content, predicate: Predicate, line: Line) -> Content:
    """The content of a group with the predicate's value in it, where the group has no line."""
    value = Value(key=line.key, line=line, type=_TEXT, required=True, constant=predicate.value)
    if predicate.attribute:
        if predicate.name in content.attributes:
            return content
        return replace(content, attributes={**content.attributes, predicate.name: value})
    if predicate.name in content.slots:
        return content
    element = Element(
        tag=predicate.name, shown=predicate.shown, minimum=0, maximum=1,
        content=Content({}, value, {}), line=line, fixed=True,
    )  # fmt: skip
    slot = Slot(predicate.name, len(content.slots), (element,))
    return replace(content, slots={**content.slots, predicate.name: slot})


def _marked(key: Key) -> Step | None:
    """The step whose element has several forms: the last with a predicate, or the last."""
    told = [step for step in key.steps if step.predicate is not None]
    steps = told or list(key.steps)
    return steps[-1] if steps else None


def _listed(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """The elements of one name, told whether JSON has an array of them."""
    repeats = any(one.maximum != 1 and one.pairs is None for one in elements)
    forms = any(one.predicate is not None for one in elements)
    return tuple(replace(one, listed=repeats or forms) for one in elements)


def _needed(content: Content) -> int:
    """A wrapper is needed when something in it is."""
    return int(any(slot.minimum for slot in content.slots.values()))


def values(content: Content) -> Iterator[Value]:
    """Every value that belongs to the record of a content, wrappers entered."""
    yield from content.attributes.values()
    if content.text is not None:
        yield content.text
    for element in content.elements():
        if element.record is None and element.messages is None:
            yield from values(element.content)


def _claims(content: Content) -> Iterator[Path]:
    """Paths that pick entries of lists, in lines of this record."""
    for value in values(content):
        if value.path is not None and _picks(value.path):
            yield value.path
    for element in content.elements():
        if element.record is None and element.messages is None:
            yield from element.content.claims
        elif element.record is not None and _picks(element.record):
            yield element.record


def _picks(path: Path) -> bool:
    return not path.up and any(isinstance(part, Index | Match) for part in path.parts)


def _chain(content: Content) -> Iterator[Element]:
    for element in content.elements():
        if element.messages is not None:
            yield element
            return
        if element.record is None:
            below = list(_chain(element.content))
            if below:
                yield element
                yield from below
                return
