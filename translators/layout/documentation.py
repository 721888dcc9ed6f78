"""The documentation page of a layout, in Markdown, from the compiled tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from translators.layout.grammar import Expression
from translators.layout.plan import Content, Element, Given, Plan, Value


def documentation(plans: Sequence[Plan]) -> str:
    """A page for who has to speak the format; ``plans`` are those of one layout."""
    return "\n".join(_lines(plans)) + "\n"


def _lines(plans: Sequence[Plan]) -> Iterator[str]:
    plan = plans[0]
    yield f"# {plan.title}"
    yield ""
    yield f"Format id `{plan.id}`, media type `{plan.media_types[0]}`."
    if plan.standing:
        yield ""
        yield plan.standing
    yield ""
    carried = ", ".join(
        f"`{kind}`" for kind in sorted({kind for one in plans for kind in one.kinds})
    )
    roots = ", ".join(f"`{one.name(one.root)}`" for one in plans)
    are = "element is" if len(plans) == 1 else "elements are"
    if plan.syntax == "json":
        yield f"Carries {carried}. The document is {_document(plan)}."
        yield "A member that is `null` is as one that is absent; no name stands twice."
    else:
        yield f"Carries {carried}. The document {are} {roots}."
    if plan.syntax == "json":
        told_of = "refused" if plan.refuse else "reported as not carried"
        yield f"Members that are not named here are {told_of}. Their order does not matter."
    elif plan.refuse:
        yield "Elements and attributes that are not named here, and another order, are refused."
    else:
        yield "Elements and attributes that are not named here are reported as not carried."
    yield ""
    yield from _table(("Prefix", "Namespace"), sorted(plan.namespaces.items()))
    told: set[str] = set()
    for one in plans:
        if one.chain:
            yield "## Document" if len(plans) == 1 else f"## Document `{one.name(one.root)}`"
            yield ""
            yield from _content(one, one.document)
        yield from _messages(one, told)
    documents = {one.document.group for one in plans}
    for name, content in plan.groups.items():
        if name not in told and name not in documents:
            yield f"## Group `{name}`"
            yield ""
            yield from _content(plan, content)
    yield from _codes(plan)
    yield from _drops(plans)


def _document(plan: Plan) -> str:
    """What a document of JSON is."""
    if plan.array is not None:
        return "an array of messages"
    return "an object" if plan.chain else "one message"


def _messages(plan: Plan, told: set[str]) -> Iterator[str]:
    """The forms of message of one document element that were not told already."""
    for row in plan.messages.rows:
        if row.group in told:
            continue
        told.add(row.group)
        where = [f"{key.steps[-1].shown} = {text}" for key, text in row.conditions if key.steps]
        if not plan.chain and plan.root:
            where.insert(0, f"the document `{plan.name(plan.root)}`")
        yield f"## Message `{row.group}` ({'; '.join((row.kind, *where))})"
        yield ""
        for given in row.given:
            yield f"With us {_holds(given)}."
        if row.given:
            yield ""
        yield from _content(plan, row.content)


def _holds(given: Given) -> str:
    path = f"`{'.'.join(given.names)}`"
    if isinstance(given.value, str):
        return f"{path} is `{given.value}`"
    return f"there is {'something' if given.value else 'nothing'} at {path}"


def _content(plan: Plan, content: Content) -> Iterator[str]:
    yield from _table(("Stands", "Occurs", "Form", "With us"), list(_rows(plan, content, "")))


def _rows(plan: Plan, content: Content, above: str) -> Iterator[tuple[str, ...]]:
    for tag, value in content.attributes.items():
        yield _value_row(plan, f"{above}@{plan.name(tag)}", _mark(int(value.required), 1), value)
    if content.text is not None and (not above or content.attributes):
        occurs = _mark(int(content.text.required), 1)
        yield _value_row(plan, f"{above}.", occurs, content.text)
    for slot in content.slots.values():
        for element in slot.elements:
            for place, occurs, *more in _element_rows(plan, element, above):
                if slot.single:
                    occurs = f"{occurs}, {'one' if slot.needed else 'at most one'} of its forms"
                yield place, occurs, *more


def _element_rows(plan: Plan, element: Element, above: str) -> Iterator[tuple[str, ...]]:
    shown = above + plan.name(element.tag)
    if element.predicate is not None:
        mark = "@" if element.predicate.attribute else ""
        shown += f"[{mark}{element.predicate.shown}={element.predicate.value}]"
    occurs = _mark(element.minimum, element.maximum)
    content = element.content
    if element.messages is not None:
        forms = ", ".join(f"message `{row.group}`" for row in element.messages.rows)
        yield shown, occurs, forms, "each becomes one message"
    elif element.pairs is not None:
        path = element.record.shown if element.record else ""
        named = f"its name in `@{element.pairs}`" if element.pairs else "an object of texts"
        yield shown, occurs, f"text, {named}", f"`{path}`"
    elif element.group is not None:
        path = element.record.shown if element.record else "."
        yield shown, occurs, f"group `{element.group}`", f"`{path}`"
    elif content.text is not None and not content.attributes and not content.slots:
        yield _value_row(plan, shown, occurs, content.text)
    else:
        yield from _rows(plan, content, f"{shown}/")


def _value_row(plan: Plan, shown: str, occurs: str, value: Value) -> tuple[str, ...]:
    kind = f"{value.type.scalar}: " if plan.syntax == "json" else ""
    if value.constant is not None:
        return shown, occurs, f"{kind}{_constant(value)}", ""
    if value.derived is not None:
        return shown, occurs, f"{kind}{_expression(value.derived)}", "computed and compared"
    form = f"{kind}{value.type.name}"
    if value.default is not None:
        form += f", default `{value.default}`"
    if value.otherwise is not None:
        form += f", else {_expression(value.otherwise)}"
    if value.part is not None:
        first, last = value.part
        form += f", characters {first} to {last}" if last else f", characters from {first}"
    if value.unsaid is not None:
        form += f", nothing for `{value.unsaid}`"
    if value.join is not None:
        form += f", joined by `{value.join}`"
    return shown, occurs, form, f"`{value.path.shown}`" if value.path is not None else ""


def _constant(value: Value) -> str:
    return f"always `{value.constant}`{', anything else is refused' if value.firm else ''}"


def _expression(expression: Expression) -> str:
    return " ".join((expression.verb, *(f"`{path.shown}`" for path in expression.paths)))


def _mark(minimum: int, maximum: int | None) -> str:
    return f"{minimum}..{'*' if maximum is None else maximum}"


def _codes(plan: Plan) -> Iterator[str]:
    for name, table in sorted(plan.tables.items()):
        yield f"## Codes `{name}`"
        yield ""
        rows = [(f"`{wire}`", f"`{ours}`") for wire, ours in table.wire.items()]
        yield from _table(("Wire", "With us"), rows)
        if table.closed:
            yield "Other codes are refused."
        else:
            yield "Other codes are passed on as they stand, with a warning."
        yield ""


def _drops(plans: Sequence[Plan]) -> Iterator[str]:
    for plan in plans:
        where = "" if len(plans) == 1 else f" in `{plan.name(plan.root)}`"
        for kind, lost in sorted(plan.drops.items()):
            yield f"## Not carried of `{kind}`{where}"
            yield ""
            yield from (f"- `{pointer}`" for pointer in sorted(lost))
            if not lost:
                yield "Everything is carried."
            yield ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
