"""One content that allows what several do: for elements of one name in several forms.

A schema cannot tell forms apart by their values, so it allows what any of them does.
"""

from __future__ import annotations

from dataclasses import replace

from translators.layout.plan import Content, Element, Slot, Value


def union(contents: tuple[Content, ...]) -> Content:
    """What any of the contents allows; required is what all of them require."""
    first, *others = contents
    if all(one is first for one in others):
        return first
    merged = first
    for one in others:
        merged = _both(merged, one)
    return merged


def _both(one: Content, other: Content) -> Content:
    attributes: dict[str, Value] = {}
    for tag in [*one.attributes, *other.attributes]:
        found = [content.attributes.get(tag) for content in (one, other)]
        known = next(value for value in found if value is not None)
        required = all(value is not None and value.required for value in found)
        attributes[tag] = replace(known, required=required)
    texts = [content.text for content in (one, other) if content.text is not None]
    text = None
    if texts:
        both = len(texts) == 2
        text = replace(
            texts[0],
            required=both and all(value.required for value in texts),
            whole=both and all(value.required or value.whole for value in texts),
        )
        if len({value.type.name for value in texts}) > 1:
            loose = replace(texts[0].type, pattern=None, values=(), base="token", codes=None)
            text = replace(text, type=replace(loose, name="text", minimum=None, maximum=None))
    slots: dict[str, Slot] = {}
    for order, tag in enumerate(_order(list(one.slots), list(other.slots))):
        slots[tag] = _slot(tag, order, one.slots.get(tag), other.slots.get(tag))
    return Content(attributes, text, slots)


def _slot(tag: str, order: int, one: Slot | None, other: Slot | None) -> Slot:
    elements = [*(one.elements if one else ()), *(other.elements if other else ())]
    content = union(tuple(content_of(element) for element in elements))
    maxima = [slot.maximum for slot in (one, other) if slot is not None]
    minimum = 0
    if one is not None and other is not None:
        minimum = min(one.minimum, other.minimum)
    maximum = None if None in maxima else max(found for found in maxima if found is not None)
    base = elements[0]
    return Slot(
        tag,
        order,
        (
            Element(
                tag=tag, shown=base.shown, minimum=minimum, maximum=maximum, content=content,
                pairs=base.pairs, fixed=all(element.fixed for element in elements),
            ),
        ),
    )  # fmt: skip


def content_of(element: Element) -> Content:
    """The content of an element, for the streamed one that of all its forms together."""
    if element.messages is None:
        return element.content
    return union(tuple(row.content for row in element.messages.rows))


def _order(one: list[str], other: list[str]) -> list[str]:
    """Both orders in one; where they contradict each other the first holds."""
    merged = list(one)
    for at, tag in enumerate(other):
        if tag not in merged:
            behind = next((later for later in other[at + 1 :] if later in merged), None)
            merged.insert(len(merged) if behind is None else merged.index(behind), tag)
    return merged
